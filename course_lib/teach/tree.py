"""The tree of generative models, once: the notebook draws it, tabulates it and picks from it, the README maps it.

The branches are those of I. Goodfellow, NIPS 2016 Tutorial: Generative Adversarial Networks (2016), figure 9. Three
leaves are added: deep Boltzmann machines and moment matching, which stand in his text, and, by the course, models whose
hidden choice is small enough to be added up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from course_lib.deprecated import old_names
from course_lib.files import atomic_write

__getattr__ = old_names(__name__)

BEGIN, END = "<!-- the map: written by `python -m course_lib notebooks` -->", "<!-- end of the map -->"
# What a leaf says of log p(x), each with how far that serves who needs it: 0 not at all, 1 roughly, 2 exactly.
# Up to log Z is not even roughly: the scores of two models cannot be compared.
SCORES = {"none": 0, "up to log Z": 0, "a lower bound, up to log Z": 0, "a lower bound": 1, "exact": 2}


@dataclass(frozen=True)
class Leaf:
    """A leaf: one way to have a distribution.

    Attributes:
        name: in the plural.
        notebooks: numbers of those that teach it, in the course's order.
        score: one of `SCORES`: what it says of log p(x).
        one_pass: whether all numbers of a sample can be made at once; `sampling` says it in words.
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
    """A fork of the tree: what all leaves above it share."""

    name: str
    children: tuple[Branch | Leaf, ...]


TREE = Branch("generative models", (
    Branch("explicit density", (
        Branch("tractable", (
            Leaf("small hidden choices, added up", ("01", "02", "02b"), "exact", True,
                 "one pass (02b: one step a symbol)", "a class, a cluster, a row of tags", True, True,
                 "too simple for sharp pictures"),
            Leaf("fully visible networks", ("07", "07b", "10"), "exact", False, "one step a pixel or symbol", "",
                 False, True, "drawing takes many passes in a row"),
            Leaf("normalizing flows, ICA", ("10",), "exact", True, "one pass", "z, as large as x", True, True,
                 "every layer must be invertible"),
        )),
        Branch("approximate", (
            Branch("by variation", (
                Leaf("variational autoencoders", ("03", "03b", "04", "08"), "a lower bound", True, "one pass",
                     "z, from x by an encoder", True, False, "a gap to log p(x); simple ones draw blurred"),
            )),
            Branch("by Markov chain", (
                Leaf("restricted Boltzmann machines", ("10b",), "up to log Z", False, "a chain of many steps",
                     "h, exactly from x", True, False, "chains mix slowly, and Z is unknown"),
            )),
            Branch("by both", (
                Leaf("deep Boltzmann machines", ("10b",), "a lower bound, up to log Z", False,
                     "a chain of many steps", "layers of h, nearly from x", True, False,
                     "a chain and a bound in one training"),
            )),
        )),
    )),
    Branch("implicit density", (
        Branch("Markov chain", (
            Leaf("generative stochastic networks", ("10c",), "none", False, "a chain of many steps", "",
                 False, False, "many steps for each sample"),
        )),
        Branch("direct", (
            Leaf("adversarial networks", ("05", "05b", "06", "06b", "09", "09b", "09c"), "none", True, "one pass",
                 "z, from x only by an extra network", False, False, "a game must be balanced"),
            Leaf("moment matching", ("10c",), "none", True, "one pass", "z, from x only by an extra network", False,
                 True, "a kernel sees little of a picture"),
        )),
    )),
))


def leaves(branch: Branch = TREE) -> Iterator[tuple[tuple[str, ...], Leaf]]:
    """All leaves from top to bottom, each with the names of the forks on its way, the root left out."""
    for child in branch.children:
        if isinstance(child, Leaf):
            yield (), child
        else:
            yield from (((child.name, *way), leaf) for way, leaf in leaves(child))


def nested(branch: Branch = TREE) -> tuple[str, list]:
    """What a drawing needs: (name, children), where a leaf's children are an empty list."""
    return branch.name, [(child.name, []) if isinstance(child, Leaf) else nested(child) for child in branch.children]


def table() -> str:
    """Every leaf in a row, as Markdown."""
    head = ("family", "notebook", "says log p(x)", "samples in", "latent", "exact training?", "main drawback")
    rows = [(f.name, ", ".join(f.notebooks), f.score, f.sampling, f.latent or "none", "yes" if f.exact else "no",
             f.drawback) for _, f in leaves()]
    return _markdown([head, *rows])


def pick(score: str, one_pass: bool, code: bool) -> list[Leaf]:
    """All leaves that give what is needed, in the order in which the course comes to them.

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
    enough = [f for _, f in leaves() if SCORES[f.score] >= words.index(score) and f.one_pass >= one_pass
              and f.readable >= code]
    return sorted(enough, key=lambda f: f.notebooks[0])


def readme_map(notebooks: Path) -> str:
    """The README's map between its two markers, with links to the notebooks in that folder."""
    rows = [("branch", "family", "notebooks", "says log p(x)", "samples in", "main drawback")]
    for way, f in leaves():
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
        atomic_write(path, new)


def _markdown(rows: list[tuple[str, ...]]) -> str:
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|---" * len(rows[0]) + "|", *body])
