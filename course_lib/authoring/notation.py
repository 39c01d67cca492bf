"""The table of symbols, `docs/notation.md`, held against the formulas of the notebooks.

A row of the table is `symbol | meaning | in code | notebooks | elsewhere`. Each formula of its first column stands for
the symbol that it begins with: a letter with its decorations (a hat, a bar, a star), its subscript, and whether an
argument follows. So σ, σ_x and σ(a) are three symbols. Bold and primes make no other symbol, and an index as a
subscript stands for any. Where a notebook has no row for exactly σ_x or σ(a), the one for another form of σ holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$]+)\$", re.S)
TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\s+|.", re.S)
CELL = re.compile(r"(?<!\\)\|")
BOLD = re.compile(r"\\(mathbf|boldsymbol)\b")
INDEX = re.compile(r"[ijklnt,]+")
DECORATIONS = {r"\hat", r"\tilde", r"\bar"}
ALPHABETS = {r"\mathcal", r"\mathbb"}
WORDS = {r"\mathrm", r"\operatorname"}
NO_SYMBOLS = {r"\text", r"\begin", r"\end"}  # nor their arguments
FUNCTIONS = {"asinh", "diag", "sign", "softplus", "tr"}  # words that mean the same everywhere, as `\log` does
LETTERS = re.compile(r"\\(alpha|beta|gamma|delta|(var)?epsilon|zeta|eta|(var)?theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|"
                     r"tau|upsilon|(var)?phi|chi|psi|omega|ell|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|"
                     r"Omega)|[^\W\d_]")


class Symbol(NamedTuple):
    """A letter with its decorations, its subscript or "", and whether an argument follows."""

    letter: str
    subscript: str = ""
    called: bool = False

    def __str__(self) -> str:
        return self.letter + (f"_{{{self.subscript}}}" if self.subscript else "") + ("(…)" if self.called else "")


class Found(NamedTuple):
    """A symbol in a formula, and those in its subscript."""

    symbol: Symbol
    inside: list[Found]


class Entry(NamedTuple):
    """A row of the table: what it claims, for which notebooks, which of these must use it, and its whole text."""

    symbols: tuple[Symbol, ...]
    notebooks: tuple[str, ...]
    users: tuple[str, ...]
    text: str


class Meaning(NamedTuple):
    """What an occurrence of a symbol belongs to: a row, and which of its symbols."""

    row: Entry
    symbol: Symbol


def symbols(formula: str) -> list[Found]:
    """The symbols of a LaTeX formula in order.

    The d of dx, the e of a power, and functions such as `\\log` or `\\mathrm{tr}` are none. A parenthesis is an
    argument if it follows without a space: D(x), but n (n + 1).
    """
    return list(_symbols(TOKEN.findall(BOLD.sub("", formula))))


def _symbols(tokens: list[str]) -> Iterator[Found]:
    at = 0
    while at < len(tokens):
        letter, at = _letter(tokens, at)
        if letter:
            found, after, at = _with_scripts(letter, tokens, at)
            yield found
            yield from after


def _letter(tokens: list[str], at: int) -> tuple[str, int]:
    """The letter that begins at `at`, with its decorations, or "" if none does; and what follows."""
    token, at = tokens[at], at + 1
    if token in DECORATIONS | ALPHABETS | WORDS | NO_SYMBOLS:
        argument, at = _argument(tokens, at)
        if token in NO_SYMBOLS or "".join(argument) in FUNCTIONS:
            return "", at
        inner = "".join(argument) if token in ALPHABETS | WORDS else _letter(argument, 0)[0]
        return f"{token}{{{inner}}}", at
    follows = "".join(tokens[at:at + 1])
    is_differential, is_power = token == "d" and follows.isalpha(), token == "e" and follows == "^"
    return (token if LETTERS.fullmatch(token) and not is_differential and not is_power else ""), at


def _with_scripts(letter: str, tokens: list[str], at: int) -> tuple[Found, list[Found], int]:
    """The symbol with what stands below and above it, the symbols of its exponent, and what follows."""
    subscript, inside, exponent = "", [], []
    while at < len(tokens) and tokens[at] in ("_", "^", "'"):
        mark, at = tokens[at], at + 1
        if mark == "'":
            continue
        argument, at = _argument(tokens, at)
        if mark == "_":
            subscript = re.sub(r"\\text|[\s{}']", "", "".join(argument))
            inside = list(_symbols(argument))
        elif argument == ["*"]:
            letter += "^*"
        else:
            exponent = list(_symbols(argument))
    called = re.match(r"(\\[bB]igl)?\(", "".join(tokens[at:at + 2])) is not None
    return Found(Symbol(letter, subscript, called), inside), exponent, at


def _argument(tokens: list[str], at: int) -> tuple[list[str], int]:
    """The argument that begins at `at` or after a space, without its braces, and what follows."""
    while tokens[at].isspace():
        at += 1
    if tokens[at] != "{":
        end = _argument(tokens, at + 1)[1] if tokens[at] in DECORATIONS | ALPHABETS | WORDS | NO_SYMBOLS else at + 1
        return tokens[at:end], end
    depth, end = 1, at + 1
    while depth:
        depth += {"{": 1, "}": -1}.get(tokens[end], 0)
        end += 1
    return tokens[at + 1:end - 1], end


def formulas(text: str) -> list[str]:
    """The formulas of a Markdown text, without their dollar signs."""
    return [display or inline for display, inline in FORMULA.findall(text)]


def table(page: str, order: list[str]) -> list[Entry]:
    """The rows of the page, for notebooks in this order.

    Raises:
        ValueError: a row names a notebook that is not there.
    """
    rows = []
    for line in page.splitlines():
        cells = [cell.strip() for cell in CELL.split(line)[1:-1]]
        if len(cells) == 5 and "$" in cells[0]:
            firsts = [symbols(formula)[0].symbol for formula in formulas(cells[0])]
            rows.append(Entry(tuple(s._replace(subscript="") if INDEX.fullmatch(s.subscript) else s for s in firsts),
                            *_notebooks(cells[3], order), line))
    return rows


def _notebooks(cell: str, order: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The notebooks of a cell such as "02, 03–04", and those that it names.

    What lies between the ends of a range need not use the symbol, so that a new notebook there changes no row.
    """
    found, named = [], []
    for part in cell.split(", "):
        first, _, last = part.partition("–")
        found += order[order.index(first):order.index(last or first) + 1]
        named += [first, last or first]
    return tuple(found), tuple(dict.fromkeys(named))


def complaints(page: str, texts: dict[str, str]) -> list[str]:
    """What is wrong with the page, given the Markdown of each notebook by its number, in order.

    Said are: a symbol of a notebook that no row of that notebook has; one that two of its rows claim; a row that a
    notebook which it names does not use; a symbol of a row that none of its notebooks uses.
    """
    rows, said, in_use = table(page, list(texts)), [], set()
    for number, text in texts.items():
        here = [row for row in rows if number in row.notebooks]
        claims = [Meaning(row, symbol) for row in here for symbol in row.symbols]
        for at, (row, symbol) in enumerate(claims):
            said += [f"{number}: two rows claim {symbol}:\n  {other.row.text}\n  {row.text}"
                     for other in claims[:at] if other.symbol == symbol]
        for formula in formulas(text):
            for symbol, meaning in _meanings(symbols(formula), claims):
                if meaning is None:
                    said.append(f"{number}: no row says what {symbol} is, of ${formula}$")
                else:
                    in_use |= {meaning, (meaning.row, number)}
    for row in rows:
        said += [f"{number}: no formula uses the symbols of\n  {row.text}" for number in row.users
                 if (row, number) not in in_use]
        said += [f"no formula uses {symbol}, of\n  {row.text}" for symbol in row.symbols
                 if Meaning(row, symbol) not in in_use]
    return said


def _meanings(found: list[Found], claims: list[Meaning]) -> Iterator[tuple[Symbol, Meaning | None]]:
    """Each symbol with what it means; those of a subscript, too, unless the row has it as part of the symbol."""
    for symbol, inside in found:
        fits = [claim for claim in claims if claim.symbol.letter == symbol.letter
                and claim.symbol.subscript in ("", symbol.subscript)]
        best = max(fits, key=lambda claim: (bool(claim.symbol.subscript), claim.symbol.called == symbol.called),
                   default=None)
        yield symbol, best
        if best is None or not best.symbol.subscript:
            yield from _meanings(inside, claims)
