"""docs/notation.md: each symbol of each notebook's formulas has one row there, and no row claims what is not used."""

import re
from pathlib import Path

import jupytext
import pytest

from course_lib.authoring.notation import CELL, Symbol, complaints, symbols, table
from course_lib.authoring.text import sources

COURSE = Path(__file__).resolve().parents[2]
PAGE = (COURSE / "docs" / "notation.md").read_text(encoding="utf-8")


def text_and_code(source: Path) -> tuple[str, str]:
    cells = jupytext.read(source, fmt="py:percent").cells
    return tuple("\n\n".join(cell.source for cell in cells if cell.cell_type == kind) for kind in ("markdown", "code"))


def page(*rows: str) -> str:
    return "\n".join(["| symbol | meaning | in code | notebooks | elsewhere |", "|---|---|---|---|---|", *rows])


BOTH = {source.stem.split("_")[0]: text_and_code(source) for source in sources(COURSE / "notebooks")}
TEXTS, CODE = ({number: parts[i] for number, parts in BOTH.items()} for i in range(2))
SIGMAS = page(r"| $\sigma$ | a width | `s` | 01–02 | |", r"| $\sigma(a)$, $a_k$ | logistic, logit | | 01 | |")
LITTLE = {"01": r"$\sigma(a_1)$ has $\sigma$", "02": r"$\sigma(3)^2$"}


def test_each_symbol_of_each_notebook_has_one_row_and_each_row_is_used():
    assert len(table(PAGE, list(TEXTS))) > 100 and sum(len(text) for text in TEXTS.values()) > 100_000
    assert not complaints(PAGE, TEXTS), "\n" + "\n".join(complaints(PAGE, TEXTS))


def test_each_name_in_code_is_one_of_the_library_or_of_a_notebook_of_its_row():
    library = [path.read_text(encoding="utf-8") for path in (COURSE / "course_lib").rglob("*.py")]
    words = {number: {*re.findall(r"\w+", "\n".join([*library, code]))} for number, code in CODE.items()}
    for row in table(PAGE, list(TEXTS)):
        named = re.findall(r"\w+", " ".join(re.findall(r"`(.+?)`", CELL.split(row.text)[3])))
        assert {*named} <= set.union(*(words[number] for number in row.notebooks)), row.text


def test_the_real_page_and_notebooks_fail_if_a_symbol_is_planted():
    planted = {**TEXTS, "04": TEXTS["04"] + r" Take $\xi = 2$."}
    assert complaints(PAGE, planted) == [r"04: no row says what \xi is, of $\xi = 2$"]


def test_the_real_page_fails_if_a_second_meaning_is_planted():
    (said,) = complaints(PAGE + "| $\\beta$, | a rate of decay | | 04 | |\n", TEXTS)[:1]
    assert re.match(r"04: two rows claim \\beta:\n.*weight of the KL.*\n.*rate of decay", said)


def test_a_row_that_no_formula_uses_is_told():
    assert not complaints(SIGMAS, LITTLE)
    (said,) = complaints(SIGMAS.replace("| 01 |", "| 01–02 |"), LITTLE | {"02": r"$\sigma$"})
    assert said.startswith("02: no formula uses the symbols of")
    (said,) = complaints(SIGMAS.replace("$a_k$", "$a_k$, $b$"), LITTLE)
    assert said.startswith("no formula uses b, of")


def test_a_new_notebook_within_a_range_changes_no_row_and_may_use_it():
    between = {"01": LITTLE["01"], "01b": "no formula", "02": LITTLE["02"]}
    assert not complaints(SIGMAS, between)
    assert not complaints(SIGMAS, between | {"01b": r"$\sigma = 1$"})
    (said,) = complaints(SIGMAS, between | {"02": "no formula"})
    assert said.startswith("02: no formula uses the symbols of")
    assert not complaints(PAGE, {n: TEXTS[n] for n in TEXTS if n <= "04"} | {"04b": ""} | TEXTS)


def test_a_notebook_that_is_not_there_is_an_error():
    with pytest.raises(ValueError, match="99"):
        table(page("| $x$ | a point | `x` | 02–99 | |"), ["01", "02"])


@pytest.mark.parametrize(("formula", "expected"), [
    (r"\mathrm{KL}(q \,\|\, p)", [r"\mathrm{KL}(…)", "q", "p"]),
    (r"\hat{\mathcal{L}}_{50} \le \tilde x", [r"\hat{\mathcal{L}}_{50}", r"\tilde{x}"]),
    (r"p_\text{data}(x) + p^*_{\beta'}(x)", ["p_{data}(…)", "x", r"p^*_{\beta}(…)", "x"]),
    (r"\int q(z)\,dz = \frac{dx}{dz}", ["q(…)", "z", "z", "x", "z"]),
    (r"n (n + 1) e^{-\mathbf x' d}", ["n", "n", "x", "d"]),
    (r"\operatorname{tr}\bigl( \sigma_x^2 \bigr) \text{ of } \log x_{t-d}", [r"\sigma_{x}", "x_{t-d}"]),
    (r"D^*\bigl(x\bigr)", ["D^*(…)", "x"]),
])
def test_symbols_of(formula, expected):
    assert [str(found.symbol) for found in symbols(formula)] == expected


def test_a_subscript_that_is_part_of_the_symbol_names_nothing_and_an_index_does():
    rows = page(r"| $\sigma_x$ | noise | | 01 | |", "| $r_{ik}$ | share | | 01 | |", "| $k$ | component | | 01 | |",
                "| $j$ | pixel | | 01 | |")
    assert not complaints(rows, {"01": r"$\sigma_x r_{jk}$"})
    assert complaints(rows, {"01": r"$\sigma_x r_{jk} k_\sigma$"}) == [
        r"01: no row says what \sigma is, of $\sigma_x r_{jk} k_\sigma$"]
    assert symbols("r_{ik}")[0].symbol == Symbol("r", "ik")
