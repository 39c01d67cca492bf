"""Every kind of figure that the course makes, from small inputs; as a script it prints a hash of each one's pixels.

`FIGURES` has a figure for each function of `course_lib.plots` that returns one, and those that notebooks and labs make.
"""

import hashlib
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageSequence

from course_lib import plots
from course_lib.chapters.nb00 import plots as nb00
from course_lib.chapters.nb02 import plots as nb02
from course_lib.chapters.nb02b import plots as nb02b
from course_lib.chapters.nb03 import plots as nb03
from course_lib.chapters.nb03b import plots as nb03b
from course_lib.chapters.nb03c import plots as nb03c
from course_lib.chapters.nb04 import plots as nb04
from course_lib.chapters.nb05b import plots as nb05b
from course_lib.chapters.nb06 import plots as nb06
from course_lib.chapters.nb07 import plots as nb07
from course_lib.chapters.nb07b import plots as nb07b
from course_lib.chapters.nb07d import plots as nb07d
from course_lib.chapters.nb08 import plots as nb08
from course_lib.chapters.nb09b import plots as nb09b
from course_lib.chapters.nb09c import plots as nb09c
from course_lib.chapters.nb10 import plots as nb10
from course_lib.chapters.nb10b import plots as nb10b
from course_lib.chapters.nb10c import plots as nb10c
from course_lib.chapters.nb11 import plots as nb11
from course_lib.chapters.nb11c import plots as nb11c
from course_lib.chapters.nb12 import plots as nb12
from course_lib.commands.gan1d_pictures import final_plot
from course_lib.comparisons.scoreboard.record import Row
from course_lib.live import static_figure
from course_lib.live.views import Arrows, Bars, Curve, Density, HeatMap, ImageGrid, Mesh, Scatter
from course_lib.plots.animation import AnimationWriter
from course_lib.plots.style import quick_png

X = np.arange(5.0)
AXIS, GRID = plots.plane(2, 5)
POINTS = np.random.default_rng(0).normal(size=(40, 2))
LABELS = np.arange(40) % 2
CLOUD = (POINTS, np.eye(2)[LABELS], np.array([[-1.0, 0], [1, 0]]), np.stack([np.eye(2)] * 2))
NET = np.stack(np.meshgrid(np.linspace(-2, 2, 5), np.linspace(-2, 2, 4)), axis=-1)
EDGES = np.linspace(0, 5, 4)
THIRDS = np.full((5, 3), 1 / 3)
INK = np.eye(4)
MANY = {name: X + i for i, name in enumerate("abcde")}  # as many series as notebooks draw together
WORDS = {"title": "$t_1$, a title", "xlabel": "x", "ylabel": "$y^2$"}
TITLE = {"title": "$t_1$, a title"}
ROWS = [Row("sprites", family, "short", [{"kl": kl, "frechet": 10.0**i} for kl in values]) for i, (family, values) in
        enumerate({"VAE": (3.0, 4.0), "MADE": (2.0, 2.5), "RBM": (9.0,), "GAN": (None,), "truth": (0.0, 0.0)}.items())]


def by_hand() -> Figure:
    """As a notebook draws: on axes of `figure`, one call after another."""
    fig, axes = plots.figure(8, 3, 1, 2)
    left, right = axes[0]
    plots.field(left, AXIS, GRID[:, 0] / 4 + 0.5, kind="probability")
    plots.field(right, AXIS, np.exp(-(GRID**2).sum(1)), kind="density")
    left.scatter(*POINTS.T, s=7)
    left.set(xlabel="$x_1$", title="left", xticks=[-1, 0, 1])
    right.plot(X, X**2, "--", label="a")
    right.hist(X, color="white", hatch="/")
    right.errorbar(X, X, yerr=1, fmt="o", label="b")
    right.axhline(2)
    right.text(1, 1, "some $x$")
    right.legend()
    fig.colorbar(right.imshow(INK), ax=right)
    fig.suptitle("both")
    return fig


def lab() -> Figure:
    """The still of a lab with every kind of view."""
    views = [Curve("loss", title="Curve"), Density("p", "q", grid="x"), Scatter("points", marks="o"),
             HeatMap("heat", extent=(-2, 2, -2, 2)) + Mesh("net", start="net") + Arrows("points", at="points"),
             ImageGrid("images"), Bars("p", names=list("abcde"))]
    return static_figure.draw(views, {"metric:loss": X, "metric:step": X, "x": X, "p": X, "q": X**2, "points": POINTS,
                              "heat": INK, "net": NET, "images": np.stack([INK] * 3)})


def trained() -> Figure:
    """The last plot of `train gan1d`."""
    from course_lib.experiments.gan1d import GAN1DExperiment

    return final_plot(GAN1DExperiment(seed=0))


FIGURES: dict[str, Callable[[], Figure]] = {
    "around_modes": lambda: nb09b.around_modes({"a": POINTS}, np.eye(2), 0.3, **TITLE),
    "bars": lambda: plots.bars(list("abcde"), MANY, baseline=(1, "one"), **WORDS),
    "beliefs": lambda: nb02b.beliefs(list("abc"), list("nvdpa"), {"now": np.eye(5)[:2]}, **TITLE),
    "bent_lines": lambda: plots.bent_lines(X, {"a": (np.ones(25), POINTS)}, **TITLE),
    "bound_and_densities": lambda: nb03.bound_and_densities(X, MANY, -2.0, -3.0, floor=-8, top=-1,
                                                             height=2, **TITLE),
    "bound_bars": lambda: plots.bound_bars(["a", "b"], [-2, -1], [-9, -1.5], xlabel="x", floor=-5, **TITLE),
    "bumps": lambda: nb02.bumps(X, np.ones((4, 5)), samples=X, **TITLE),
    "clouds": lambda: nb02.clouds({"a": CLOUD, "b": (POINTS, None, *CLOUD[2:])}, **TITLE),
    "clouds_and_border": lambda: plots.clouds_and_border(
        POINTS, LABELS, mu=CLOUD[2], var=np.ones((2, 2)), axis=AXIS, density=np.exp(-(GRID**2).sum(1)),
        probability=GRID[:, 0] / 4 + 0.5, **TITLE),
    "convergence": lambda: nb10b.convergence(X + 1, {"a": X + 1, "b": X + 2, "c": X + 3},
                                             floors={"d": 2.0, "e": 3.0}, **WORDS),
    "curves": lambda: plots.curves(X, MANY, bands={"a": (X - 1, X + 1)}, baseline=(1, "one"),
                                   mark=(2, "here"), **WORDS),
    "densities": lambda: nb10c.densities(X, MANY, height=2.0, **TITLE),
    "digit_maps": lambda: nb04.digit_maps({"a": (POINTS[:10], np.arange(10))}, **TITLE),
    "divergences_and_densities": lambda: nb03.divergences_and_densities(X, MANY, {"f": 1.0, "r": 99.0}, top=6,
                                                                         height=2, **TITLE),
    "em_moment": lambda: nb02.em_moment(*CLOUD, log_likelihood=X, bound=X[1:] - 0.5, now=3, **TITLE),
    "logarithmic": lambda: nb03b.logarithmic(X + 1, {"y": {"a": X + 1, "b": X + 2}, "z": {"a": X + 3}}, title="t",
                                             xlabel="x"),
    "patterns": lambda: nb07d.patterns({"a": np.tril(INK), "b": INK}, **TITLE),
    "estimates": lambda: nb03b.estimates({"a": X, "b": X + 3}, 2.0, xlabel="x", **TITLE),
    "fields": lambda: nb11.fields(X, {"a": (np.eye(5), POINTS, POINTS)}, **TITLE),
    "framed": lambda: plots.framed(plots.images(np.stack([INK] * 3), columns=2, **TITLE), [(1, 1)]),
    "gan1d": lambda: plots.gan1d(X, X / 5, X, X[::-1], **TITLE),
    "gap_maps": lambda: nb03c.gap_maps(AXIS, {"a": GRID[:, 0] ** 2}, high=4, **TITLE),
    "histogram": lambda: plots.histogram({"a": X, "b": X + 1, "c": X + 2}, xlabel="x", **TITLE),
    "images": lambda: plots.images(np.stack([INK] * 3), labels=list("abc"), row_labels=["row"], **TITLE),
    "judged_path": lambda: nb08.judged_path(np.stack([INK] * 2), THIRDS[:2], [-1, 0.5], **TITLE),
    "kernel_masks": lambda: nb07.kernel_masks({"A": np.eye(3), "B": np.ones((3, 5))}, **TITLE),
    "line_and_density": lambda: nb07.line_and_density(X, X, X, X, EDGES, THIRDS, **TITLE),
    "loss_against_quality": lambda: nb09b.loss_against_quality({"a": (X, X)}, X, xlabels={"a": "x"}, ylabel="y",
                                                               **TITLE),
    "rate_distortion": lambda: nb04.rate_distortion({"a": ([2, 1, 0], [0, 2, 5])}, [1, 2, 4], **TITLE),
    "manifold": lambda: nb04.manifold(np.stack([INK] * 4), [-1, 1], **TITLE),
    "matrices": lambda: plots.matrices({"a": np.eye(3)}, columns=1, **TITLE),
    "pair_sheet": lambda: nb08.pair_sheet(np.zeros((2, 3, 4, 4)), [(0, 1), (1, 0)], **TITLE),
    "melting": lambda: nb11.melting(X, np.eye(5), POINTS, X / 4, {"a": -X, "b": 1 - X}, chosen="a", now=0.5, **TITLE),
    "paired_draws": lambda: nb09c.paired_draws(MANY, **WORDS),
    "paths": lambda: plots.paths({name: POINTS[i:] for i, name in enumerate("abcde")}, limit=3, **TITLE),
    "points": lambda: plots.points({"a": (POINTS, LABELS)}, **TITLE),
    "powers": lambda: nb03b.powers(X + 1, {"a": X + 1}, {"a": X + 2}, **WORDS),
    "proposal": lambda: nb03c.proposal(X, X, X**2, X, 3.0, value_label="v", **TITLE),
    "pulls": lambda: nb06.pulls(np.stack([INK] * 2), np.stack([INK - 0.5] * 2), **TITLE),
    "running": lambda: nb03c.running(X, {"a": np.ones((2, 5))}, ylabel="y", limit=3, **TITLE),
    "scatters": lambda: plots.scatters({"a": POINTS}, **TITLE),
    "shares_along": lambda: nb09b.shares_along(X, np.full((5, 2), 0.5), **TITLE),
    "sight": lambda: nb07.sight({"a": INK}, 2, 1, **TITLE),
    "small_multiples": lambda: plots.small_multiples(X, {"a": MANY}, xlabel="x", ylim=(0, 5), **TITLE),
    "small_multiples, logarithmic": lambda: plots.small_multiples(X + 1, {"a": {"y": X + 1}, "b": {"y": X + 9}},
                                                                  xlabel="x", log=True, **TITLE),
    "stretched": lambda: nb10.stretched(NET, 1.1 * NET, NET[..., 0], cell=(1, 2), **TITLE),
    "strip": lambda: nb05b.strip(MANY, ylabel="y", band=(1, 2, "band"), filled_means="high",
                                 filled={name: v > 2 for name, v in MANY.items()}, **TITLE),
    "tables": lambda: nb02b.tables({"t": (np.eye(2), ["a", "b"], ["c", "d"])}, **TITLE),
    "tree": lambda: nb00.tree(("root", [("fork", [("a", []), ("b", [])]), ("c", [])]), marked={"b"},
                               notes={"a": "01"}, **TITLE),
    "trellis": lambda: nb02b.trellis(list("abc"), ["n", "v"], np.full((3, 2), 0.5), {"p": [0, 1, 1], "q": [0, 0, 1]},
                                     forbidden=[[False, True], [False, False]], **TITLE),
    "two_gaussians": lambda: nb03c.two_gaussians({"p": (np.ones(2), np.eye(2))}, limit=3, **TITLE),
    "dot_plots": lambda: nb12.dot_plots("abc", {"x": ([1, 2, np.nan], [0.1, np.nan, np.nan]), "y": (X[1:4], X[:3])},
                                        groups="pqp", kinds="qp", **TITLE),
    "scores": lambda: nb12.scores(ROWS, ["kl", "frechet"], log=["frechet"], **TITLE),
    "ways": lambda: nb11c.ways({"a": NET, "b": NET}, xlabel="x", ylabel="y", **TITLE),
    "wave_and_density": lambda: nb07b.wave_and_density(X, X, EDGES, THIRDS, **TITLE),
    "by hand": by_hand,
    "lab": lab,
    "trained": trained,
}


def digest(picture: bytes) -> str:
    """Hash of the pixels of a PNG, or of every frame of a GIF."""
    frames = ImageSequence.Iterator(Image.open(io.BytesIO(picture)))
    return hashlib.sha256(b"".join(frame.convert("RGBA").tobytes() for frame in frames)).hexdigest()


def saved_by_a_reader(fig: Figure, **options: float) -> bytes:
    """What `fig.savefig` writes when a reader calls it, outside the course's functions."""
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", **options)
    return buffer.getvalue()


def film() -> bytes:
    """A film of two frames."""
    fig = FIGURES["gan1d"]()
    with tempfile.TemporaryDirectory() as folder:
        made = AnimationWriter(Path(folder, "film.gif"), fig, [*fig.axes[0].lines, fig.axes[0].title])
        made.add()
        fig.axes[0].set_title("another")
        made.add()
        made.close()
        return Path(folder, "film.gif").read_bytes()


def digests() -> dict[str, str]:
    """The hash of every figure by name, of some as they are shown, and of a film."""
    hashes = {name: digest(saved_by_a_reader(make(), dpi=40)) for name, make in FIGURES.items()}  # small, to be soon
    return hashes | {"by hand, as shown": digest(quick_png(by_hand())), "lab, as shown": digest(quick_png(lab())),
                     "by hand, at its own size": digest(saved_by_a_reader(by_hand())), "film": digest(film())}


if __name__ == "__main__":
    print(json.dumps(digests()))
