"""The tree of generative models, once: the notebook draws it, tabulates it and picks from it, the README maps it.

The branches are those of I. Goodfellow, NIPS 2016 Tutorial: Generative Adversarial Networks (2016), figure 9. Four
leaves are added: deep Boltzmann machines and moment matching, which stand in his text, and, by the course, models with
discrete latent variables, few enough to be marginalised exactly, and diffusion models, whose bound is a variational
one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from course_lib.deprecated import old_names

__getattr__ = old_names(__name__)

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
        scored: the family of the scoreboard, notebook 12, that stands for it; "" if none does.
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
    scored: str = ""


@dataclass(frozen=True)
class Branch:
    """A fork of the tree: what all leaves above it share."""

    name: str
    children: tuple[Branch | Leaf, ...]


TREE = Branch("generative models", (
    Branch("explicit density", (
        Branch("tractable", (
            Leaf("discrete latents, marginalised", ("01", "02", "02b"), "exact", True,
                 "one pass (02b: one step a symbol)", "a class, a component, a row of tags", True, True,
                 "too simple for sharp pictures", "naive Bayes"),
            Leaf("autoregressive models", ("07", "07b", "07c", "07d", "10"), "exact", False,
                 "one step a pixel or symbol", "", False, True, "sampling takes many passes in a row", "MADE"),
            Leaf("normalizing flows, ICA", ("10",), "exact", True, "one pass", "z, as large as x", True, True,
                 "every layer must be invertible", "flow"),
        )),
        Branch("approximate", (
            Branch("variational", (
                Leaf("variational autoencoders", ("03", "03b", "03c", "04", "08", "11e"), "a lower bound", True,
                     "one pass", "z, from x by an encoder", True, False, "a gap to log p(x); simple ones draw blurred",
                     "VAE"),
                Leaf("diffusion models", ("11", "11b", "11c", "11d", "11f"), "a lower bound", False,
                     "many passes in a row",
                     "x at every noise level, by adding noise", True, False, "sampling takes many passes in a row",
                     "diffusion"),
            )),
            Branch("Markov chain", (
                Leaf("restricted Boltzmann machines", ("10b",), "up to log Z", False, "a chain of many steps",
                     "h, exactly from x", True, False, "chains mix slowly, and Z is unknown", "RBM"),
            )),
            Branch("variational, Markov chain", (
                Leaf("deep Boltzmann machines", ("10b",), "a lower bound, up to log Z", False,
                     "a chain of many steps", "layers of h, nearly from x", True, False,
                     "a chain and a bound in one training"),
            )),
        )),
    )),
    Branch("implicit density", (
        Branch("Markov chain", (
            Leaf("generative stochastic networks", ("10c",), "none", False, "a chain of many steps", "",
                 False, False, "many steps for each sample", "denoising chain"),
        )),
        Branch("direct", (
            Leaf("generative adversarial networks", ("05", "05b", "06", "06b", "09", "09b", "09c"), "none", True,
                 "one pass", "z, from x only by an extra network", False, False, "a game must be balanced", "GAN"),
            Leaf("moment matching", ("10c",), "none", True, "one pass", "z, from x only by an extra network", False,
                 True, "a kernel sees little of a picture", "MMD"),
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


def _markdown(rows: list[tuple[str, ...]]) -> str:
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|---" * len(rows[0]) + "|", *body])
