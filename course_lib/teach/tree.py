"""The tree of deep generative models, once: the notebook draws it, tabulates it and picks from it, the README maps it.

The branches are those of I. Goodfellow, NIPS 2016 Tutorial: Generative Adversarial Networks (2016), section 2.3,
with one leaf more: models whose hidden choice is small enough to be added up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BEGIN, END = "<!-- the map: written by `python -m course_lib notebooks` -->", "<!-- end of the map -->"
SCORES = ("none", "a lower bound", "up to log Z", "exact")


@dataclass(frozen=True)
class Family:
    """A leaf: one way to have a distribution.

    Attributes:
        name: in the plural.
        notebooks: numbers of those that teach it, the first is where to begin.
        score: one of `SCORES`: what it says of log p(x).
        one_pass: whether all numbers of a sample are made at once; `sampling` says it in words.
        latent: its hidden variables in words, empty if it has none.
        readable: whether the hidden variables of a given x can be had, exactly or nearly.
        exact: whether training follows an exact criterion: no bound, no chain cut short, no opponent in its place.
        drawback: the main one.
    """

    name: str
    notebooks: tuple[str, ...]
    score: str
    one_pass: bool
    sampling: str
    latent: str
    readable: bool
    exact: bool
    drawback: str


@dataclass(frozen=True)
class Branch:
    """A fork of the tree: what all families above it share."""

    name: str
    children: tuple[Branch | Family, ...]


TREE = Branch("generative models", (
    Branch("explicit density", (
        Branch("tractable", (
            Family("small hidden choices, added up", ("01", "02", "02b"), "exact", True, "one pass",
                   "a class, a component, a path of tags", True, True, "too simple for pictures"),
            Family("fully visible networks", ("07", "07b"), "exact", False, "one step a pixel", "", False, True,
                   "samples come one pixel after another"),
            Family("normalizing flows, ICA", ("10",), "exact", True, "one pass", "z, as large as x", True, True,
                   "every layer must be invertible"),
        )),
        Branch("approximate", (
            Branch("by variation", (
                Family("variational autoencoders", ("04", "03", "03b", "08"), "a lower bound", True, "one pass",
                       "z, by an encoder", True, False, "blurred samples, and a gap to log p(x)"),
            )),
            Branch("by Markov chain", (
                Family("Boltzmann machines", ("10b",), "up to log Z", False, "a chain of many steps", "h, given x",
                       True, False, "chains mix slowly, and Z is unknown"),
            )),
            Branch("by both", (
                Family("deep Boltzmann machines", ("10b",), "up to log Z", False, "a chain of many steps",
                       "layers of h, by a mean field", True, False, "a chain and a bound in one training"),
            )),
        )),
    )),
    Branch("implicit density", (
        Branch("Markov chain", (
            Family("stochastic networks", ("10b",), "none", False, "a chain of many steps", "", False, False,
                   "many steps for each sample"),
        )),
        Branch("direct", (
            Family("adversarial networks", ("05", "05b", "06", "06b", "09", "09b", "09c"), "none", True, "one pass",
                   "z, with no way back", False, False, "a game must be balanced"),
            Family("moment matching", ("10b",), "none", True, "one pass", "z, with no way back", False, True,
                   "a kernel sees little of a picture"),
        )),
    )),
))


def families(branch: Branch = TREE) -> Iterator[tuple[tuple[str, ...], Family]]:
    """All leaves from top to bottom, each with the names of the forks on its way, the root left out."""
    for child in branch.children:
        if isinstance(child, Family):
            yield (), child
        else:
            yield from (((child.name, *way), family) for way, family in families(child))


def nested(branch: Branch = TREE) -> tuple[str, list]:
    """What a drawing needs: (name, children), where a family's children are an empty list."""
    return branch.name, [(child.name, []) if isinstance(child, Family) else nested(child) for child in branch.children]


def table() -> str:
    """Every family in a row, as Markdown."""
    head = ("family", "notebook", "log p(x)", "in one pass?", "latent", "exact training?", "main drawback")
    rows = [(f.name, ", ".join(f.notebooks), f.score, "yes" if f.one_pass else f"no, {f.sampling}",
             f.latent or "none", "yes" if f.exact else "no", f.drawback) for _, f in families()]
    return _markdown([head, *rows])


def pick(score: str, one_pass: bool, code: bool) -> list[Family]:
    """The families that give what is needed, and of those the ones that give least besides: every guarantee costs.

    Args:
        score: how well log p(x) must be known: "exactly", "roughly", or "not at all".
        one_pass: whether a sample must come in one pass.
        code: whether the hidden variables of a given x must be readable.

    Raises:
        ValueError: another word for `score`.
    """
    words = ("not at all", "roughly", "exactly")
    if score not in words:
        raise ValueError(f"score must be one of {', '.join(words)}, not {score!r}")
    needed = (words.index(score), int(one_pass), int(code))
    given = [((0 if f.score == "none" else 2 if f.score == "exact" else 1, int(f.one_pass), int(f.readable)), f)
             for _, f in families()]
    enough = [(sum(has) - sum(needed), f) for has, f in given
              if all(h >= n for h, n in zip(has, needed, strict=True))]
    least = min(extra for extra, _ in enough)
    return [f for extra, f in enough if extra == least]


def readme_map(notebooks: Path) -> str:
    """The README's map between its two markers, with links to the notebooks in that folder."""
    rows = [("branch", "family", "notebooks", "says log p(x)", "samples in", "main drawback")]
    for way, f in families():
        links = (f"[{number}](notebooks/{next(notebooks.glob(f'{number}_*.ipynb')).name})" for number in f.notebooks)
        rows.append((", ".join(way), f.name, " ".join(links), f.score, f.sampling, f.drawback))
    return f"{BEGIN}\n\n{_markdown(rows)}\n\n{END}"


def write_map(course: Path) -> None:
    """Put the map into the README of a course folder, between the markers.

    Raises:
        ValueError: the markers are not there, once each and in order.
    """
    path = course / "README.md"
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or BEGIN in after:
        raise ValueError(f"{path} must hold the line {BEGIN} and after it {END}, once each")
    new = before + readme_map(course / "notebooks") + after
    if new != text:
        path.write_text(new, encoding="utf-8")


def _markdown(rows: list[tuple[str, ...]]) -> str:
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|---" * len(rows[0]) + "|", *body])
