"""Pictures that a lab draws from an experiment's snapshot: what to draw, said once for browser and saved notebook.

A view names the arrays it draws, by their keys in `Experiment.snapshot()` (`Curve` names metrics of `step()`).
`a + b` lays b over a in the same axes:

    HeatMap("decision", extent=(-2, 2, -2, 2)) + Scatter("real", "generated")

A class here is the one description of its kind of view. `draw` follows it with matplotlib, and so does the mark of the
same name in `marks.js`, to which `spec` sends it. What only one of the two can show, such as colours on a dark page or
the heads of arrows, stands there alone.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import matplotlib
import numpy as np

from course_lib.plots import HATCHES, MARKERS, PALETTE
from course_lib.plots.style import PIXELS_PER_INCH

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS = {name: PALETTE[name] for name in ("blue", "vermillion", "green", "orange", "purple", "sky", "black")}
METRIC = "metric:"  # before the name of a metric, in the names of the arrays that are drawn
POINTS = 72 / PIXELS_PER_INCH  # matplotlib's unit of length, in one CSS pixel

# What tells series of one kind apart without colours: of lines lengths drawn and left out, in CSS pixels.
DASHES = ((), (7, 5), (2, 4), (10, 4, 2, 4))
DOTS = MARKERS[:4]
FILLINGS = HATCHES[:4]

Limits = tuple[float, float]
Arrays = Mapping[str, np.ndarray]


class View(ABC):
    """Base of all views.

    Args:
        series: keys of the arrays drawn.
        title, xlabel, ylabel: words around the picture.
        xlim, ylim: fixed limits; None follows the data.
        labels: what the legend calls a series; the key with spaces unless given.
        colors: a name in `COLORS` per series; the first ones in order unless given.
        switch: words of a checkbox that takes this layer out of the picture and back; none without words.
        on: whether a layer with a switch is there at first.
        wide: give the picture two columns and two rows, where there is room.

    What a kind of view says of itself, and may say otherwise for one of its views:

    Attributes:
        kind: the name of its mark in `marks.js`.
        legend: "names" if it stands in the legend, "values" if it does so with its last values, else "".
        floor: the y axis begins at 0 where nothing is below.
        exact: the x axis ends where the data do.
        tight: both axes end where this layer does, whatever is laid over it.
        bare: there are no axes.
        log: the y axis is logarithmic.
        equal: both axes have one scale. `exact`, `log` and `equal` count in the lowest layer.
        lines: the series that are not filled.
        place: how many series of the same kind lie below, in the same axes.
        digits: binary digits to which a recorded session rounds the arrays of floats, enough that nobody sees it; None
            keeps them exact.
        options: names of further attributes that the mark reads.
        look: sizes in CSS pixels, opacities from 0 to 1, colours, and what else both drawings need.
    """

    kind: ClassVar[str]
    legend: Literal["names", "values", ""] = "names"
    floor = exact = tight = bare = log = equal = False
    lines: tuple[str, ...] = ()
    place = 0
    digits: ClassVar[int | None] = 11  # what float16 has: within a window, less than a pixel
    options: ClassVar[tuple[str, ...]] = ()
    look: ClassVar[Mapping[str, Any]] = {}

    def __init__(
        self,
        *series: str,
        title: str = "",
        xlabel: str = "",
        ylabel: str = "",
        xlim: Limits | None = None,
        ylim: Limits | None = None,
        labels: Mapping[str, str] | None = None,
        colors: Mapping[str, str] | None = None,
        switch: str = "",
        on: bool = True,
        wide: bool = False,
    ) -> None:
        if not series:
            raise TypeError(f"{type(self).__name__} needs the key of an array to draw")
        given = dict(colors or {})
        unused = [name for name in COLORS if name not in given.values()]
        self.series = series
        self.labels = {key: (labels or {}).get(key, switch or key.replace("_", " ")) for key in series}
        self.colors = {key: COLORS[given.get(key) or unused[i % len(unused)]] for i, key in enumerate(series)}
        self.axis = {"title": title, "xlabel": xlabel, "ylabel": ylabel, "xlim": xlim, "ylim": ylim, "wide": wide}
        self.switch, self.on = switch, on
        self.over: tuple[View, ...] = ()

    def __add__(self, other: View) -> View:
        """The same axes with `other` on top. Its title, labels and limits are this view's."""
        both = copy.copy(self)
        for layer in other.layers():
            above = copy.copy(layer)
            above.place = sum(len(below.series) for below in both.layers() if type(below) is type(layer))
            both.over = (*both.over, above)
        return both

    def layers(self) -> Iterator[View]:
        """This view and those laid over it, from bottom to top."""
        yield self
        yield from self.over

    def array(self, key: str) -> str:
        """The name of the array that a series draws."""
        return key

    def label(self, key: str) -> str | None:
        """What the still's legend calls a series; None where the view stands in no legend."""
        return self.labels[key] if self.legend else None

    def reads(self) -> list[str]:
        """The arrays that this layer reads."""
        return [self.array(key) for key in self.series]

    def dash(self, key: str) -> tuple[int, ...]:
        """The lengths of a series' dashes and gaps in CSS pixels; none for a solid line."""
        return DASHES[self._number(key) % len(DASHES)]

    def marker(self, key: str) -> str:
        """The shape of a series' dots, as matplotlib calls it."""
        return DOTS[self._number(key) % len(DOTS)]

    def hatch(self, key: str) -> str:
        """The hatch of a series' bars, as matplotlib calls it."""
        return FILLINGS[self._number(key) % len(FILLINGS)]

    def _number(self, key: str) -> int:
        return self.place + self.series.index(key)

    def _linestyle(self, key: str) -> tuple[int, list[float]] | str:
        """The dash of a series for matplotlib, which counts in widths of the line."""
        return (0, [part / self.look["line"] for part in self.dash(key)]) if self.dash(key) else "-"

    def says(self, arrays: Arrays) -> str:
        """What this layer shows of these arrays, in words and numbers."""
        return ", ".join(self.labels.values())

    def spec(self) -> dict[str, Any]:
        """The picture in plain data, for the browser."""
        return {**self.axis, "layers": [layer._layer() for layer in self.layers()]}

    def _layer(self) -> dict[str, Any]:
        series = [{"array": self.array(key), "label": self.labels[key], "color": self.colors[key],
                   "filled": key not in self.lines, "dash": self.dash(key), "marker": self.marker(key),
                   "hatch": self.hatch(key)} for key in self.series]
        return {"series": series, **{name: getattr(self, name) for name in (*EVERY_LAYER, *self.options)}}

    @abstractmethod
    def draw(self, axes: Axes, arrays: Arrays) -> None:
        """Draw this layer with matplotlib. The axes around it are `static_figure`'s."""


# What the browser is told of every layer, beside its series and what its kind alone has.
EVERY_LAYER = ("kind", "switch", "on", "legend", "floor", "exact", "tight", "bare", "log", "equal", "look")


class Curve(View):
    """Metrics against steps, from the whole run. `log=True` for a logarithmic y axis."""

    kind = "curve"
    legend = "values"
    exact = True
    digits = None  # its last value is told as a number
    x = METRIC + "step"
    options = ("x",)
    look: ClassVar = {"line": 1.8, "steps": 10}  # the x axis has so many steps at least

    def __init__(self, *metrics: str, log: bool = False, xlabel: str = "step", **axis: Any) -> None:
        super().__init__(*metrics, xlabel=xlabel, **axis)
        self.log = log

    def array(self, key: str) -> str:
        return METRIC + key

    def reads(self) -> list[str]:
        return [self.x, *super().reads()]

    def draw(self, axes: Axes, arrays: Arrays) -> None:
        for key in self.series:
            axes.plot(arrays[self.x], arrays[self.array(key)], color=self.colors[key], label=self.label(key),
                      lw=self.look["line"] * POINTS, ls=self._linestyle(key))
        axes.set_xlim(0, max(arrays[self.x].max(initial=0), self.look["steps"]))
        if self.log and any((arrays[name] > 0).any() for name in map(self.array, self.series)):
            axes.set_yscale("log")

    def says(self, arrays: Arrays) -> str:
        """The last values, the highest first."""
        last = {key: arrays[self.array(key)][-1:] for key in self.series}
        if not all(map(len, last.values())):
            return f"no values of {', '.join(self.labels.values())} yet"
        order = sorted(last, key=lambda key: -np.nan_to_num(last[key][0], nan=-np.inf))
        values = ", ".join(f"{self.labels[key]} {number(last[key][0])}" for key in order)
        return values if len(order) == 1 else f"from high to low {values}"


class Density(View):
    """Filled curves over a grid: `Density("real", "generated", grid="x")`; `lines` are dashed, without filling."""

    kind = "density"
    floor = exact = True
    options = ("grid",)
    look: ClassVar = {"line": 2.2, "opacity": 0.2}

    def __init__(self, *series: str, grid: str, lines: Sequence[str] = (), **axis: Any) -> None:
        super().__init__(*series, *lines, **axis)
        self.grid, self.lines = grid, tuple(lines)

    def reads(self) -> list[str]:
        return [self.grid, *super().reads()]

    def dash(self, key: str) -> tuple[int, ...]:
        if key in self.lines:
            return DASHES[1 + self.lines.index(key) % 2]
        return DASHES[-self._number(key) % len(DASHES)]  # the styles that lines take come last

    def draw(self, axes: Axes, arrays: Arrays) -> None:
        x, look = arrays[self.grid], self.look
        for key in self.series:
            axes.plot(x, arrays[key], color=self.colors[key], label=self.label(key), lw=look["line"] * POINTS,
                      ls=self._linestyle(key))
            if key not in self.lines:
                axes.fill_between(x, arrays[key], color=self.colors[key], alpha=look["opacity"], lw=0)
        axes.set_xlim(x.min(), x.max())

    def says(self, arrays: Arrays) -> str:
        """Of each filled curve where its peak is, of a line what it spans."""
        told = []
        for key in self.series:
            x, y = arrays[self.grid], arrays[key]
            if not np.isfinite(y).any():
                told.append(f"{self.labels[key]} not a number")
            elif key in self.lines:
                told.append(f"{self.labels[key]} from {number(np.nanmin(y))} to {number(np.nanmax(y))}")
            else:
                told.append(f"{self.labels[key]} highest at {number(x[np.nanargmax(y)])}")
        return ", ".join(told)


class Scatter(View):
    """Points in the plane; each array is `[points, 2]`.

    Args:
        equal: give both axes one scale.
        marks: a character for each series, drawn in place of its dots; a legend is not needed then.
        outline: give each dot a white edge, so that it stands out from what is beneath.
    """

    kind = "scatter"
    options = ("marks", "outline")
    look: ClassVar = {
        "radius": 2.6, "opacity": 0.65,
        "outlined": {"radius": 3.2, "edge": 0.7, "edge_color": "#FFFFFFD9"},
        "marks": {"size": 12, "opacity": 0.8},  # the size of the font
    }

    def __init__(self, *series: str, equal: bool = False, marks: str = "", outline: bool = False, **axis: Any) -> None:
        super().__init__(*series, **axis)
        self.equal, self.marks, self.outline = equal, marks, outline
        if marks and len(marks) != len(series):
            raise ValueError(f"{len(series)} series need as many marks, not {marks!r}")
        if marks:
            self.legend = ""

    def draw(self, axes: Axes, arrays: Arrays) -> None:
        look, outlined, marks = self.look, self.look["outlined"], self.look["marks"]
        for i, key in enumerate(self.series):
            if self.marks:  # a digit is about three quarters as high as its font is large
                how = {"marker": f"${self.marks[i]}$", "s": (0.77 * marks["size"] * POINTS) ** 2,
                       "alpha": marks["opacity"]}
            elif self.outline:
                how = {"s": (2 * outlined["radius"] * POINTS) ** 2, "edgecolors": outlined["edge_color"],
                       "lw": outlined["edge"] * POINTS}
            else:
                how = {"s": (2 * look["radius"] * POINTS) ** 2, "alpha": look["opacity"], "lw": 0}
            axes.scatter(*arrays[key].T, **{"color": self.colors[key], "label": self.label(key),
                                            "marker": self.marker(key), **how})

    def says(self, arrays: Arrays) -> str:
        """Of each series how many points there are, and around what."""
        return ", ".join(f"{self.labels[key]} {len(arrays[key])} points around {_place(arrays[key])}"
                         for key in self.series)


class HeatMap(View):
    """A function of two variables as colours: array `[rows, columns]`, row 0 at the bottom.

    Args:
        extent: (left, right, bottom, top) of the array in the axes' units.
        limits: values of the darkest and the brightest colour, or the key of an array that holds them; None follows
            the data.
    """

    kind = "heatmap"
    legend = ""
    tight = True
    digits = 9  # a shade of 256
    options = ("extent", "limits")
    colormap = matplotlib.colormaps["cividis"].with_extremes(bad="#808080")  # bad: what is not a number
    # The colours in bytes; the browser goes in straight lines from one to the next.
    look: ClassVar = {"colors": (colormap(np.linspace(0, 1, 10))[:, :3] * 255).round().astype(int).tolist(),
                      "bad": [round(255 * part) for part in colormap.get_bad()[:3]]}

    def __init__(
        self, key: str, extent: tuple[float, float, float, float], limits: Limits | str | None = None, **axis: Any
    ) -> None:
        super().__init__(key, **axis)
        self.extent, self.limits = extent, limits

    def reads(self) -> list[str]:
        return [*super().reads(), self.limits] if isinstance(self.limits, str) else super().reads()

    def draw(self, axes: Axes, arrays: Arrays) -> None:
        low, high = arrays[self.limits] if isinstance(self.limits, str) else self.limits or (None, None)
        image = axes.imshow(arrays[self.series[0]], cmap=self.colormap, vmin=low, vmax=high, origin="lower",
                            extent=self.extent, aspect="auto")
        axes.figure.colorbar(image, ax=axes).outline.set_visible(False)

    def says(self, arrays: Arrays) -> str:
        """What it spans, and where it is highest."""
        values, label = arrays[self.series[0]], self.labels[self.series[0]]
        if not np.isfinite(values).any():
            return f"{label} not a number"
        row, column = np.unravel_index(np.nanargmax(values), values.shape)
        left, right, bottom, top = self.extent
        at = [[left + (column + 0.5) / values.shape[1] * (right - left),
               bottom + (row + 0.5) / values.shape[0] * (top - bottom)]]
        return (f"{label} from {number(np.nanmin(values))} to {number(np.nanmax(values))}, "
                f"highest at {_place(np.array(at))}")


class Arrows(View):
    """Arrows from points `[points, 2]` along vectors `[points, 2]`; the longest spans a tenth of its width."""

    kind = "arrows"
    options = ("at",)
    look: ClassVar = {"line": 1.6, "longest": 0.1}

    def __init__(self, vectors: str, at: str, **axis: Any) -> None:
        super().__init__(vectors, **axis)
        self.at = at

    def reads(self) -> list[str]:
        return [self.at, *super().reads()]

    def draw(self, axes: Axes, arrays: Arrays) -> None:
        key = self.series[0]
        longest = float(np.hypot(*arrays[key].T).max(initial=0)) or 1.0
        axes.quiver(*arrays[self.at].T, *(arrays[key] / longest).T, color=self.colors[key], label=self.label(key),
                    scale=1 / self.look["longest"], scale_units="width", units="inches",
                    width=self.look["line"] / PIXELS_PER_INCH)

    def says(self, arrays: Arrays) -> str:
        """How many there are, and which way they point in the mean."""
        vectors = arrays[self.series[0]]
        return f"{self.labels[self.series[0]]} {len(vectors)} arrows, in the mean along {_place(vectors)}"


class Mesh(View):
    """A net of lines, `[rows, columns, 2]`, that a slider in the browser bends from the places in `start` to its own.

    Its cells are the darker, the more they were squeezed: a probability that was even over `start` is now denser.
    """

    kind = "mesh"
    legend = ""  # its switch names it
    options = ("start",)
    look: ClassVar = {"line": 1, "opacity": 0.85}

    def __init__(self, key: str, start: str, **axis: Any) -> None:
        super().__init__(key, **axis)
        self.start = start

    def reads(self) -> list[str]:
        return [self.start, *super().reads()]

    def draw(self, axes: Axes, arrays: Arrays) -> None:
        key, look = self.series[0], self.look
        net = np.moveaxis(arrays[key], 2, 0)
        for lines in (net, net.swapaxes(1, 2)):
            axes.plot(*lines, color=self.colors[key], lw=look["line"] * POINTS, alpha=look["opacity"])


class ImageGrid(View):
    """Images side by side, from 0 to 1 or uint8: `[images, height, width]`, ink dark on white, or coloured
    `[images, height, width, 3]`."""

    kind = "images"
    legend = ""
    bare = True
    options = ("columns",)

    def __init__(self, key: str, columns: int = 8, **axis: Any) -> None:
        super().__init__(key, **axis)
        self.columns = columns

    def draw(self, axes: Axes, arrays: Arrays) -> None:
        images = as_uint8(arrays[self.series[0]])
        count, height, width, *rest = images.shape
        columns = min(self.columns, count)
        rows = -(-count // columns)
        paper = 255 if rest else 0
        sheet = np.full((rows * (height + 1), columns * (width + 1), *rest), paper, np.uint8)
        for i, image in enumerate(images):
            top, left = i // columns * (height + 1), i % columns * (width + 1)
            sheet[top : top + height, left : left + width] = image
        axes.imshow(sheet, cmap="gray_r", vmin=0, vmax=255)

    def says(self, arrays: Arrays) -> str:
        """How many there are."""
        count = len(arrays[self.series[0]])
        return f"{count} image{'s' if count > 1 else ''}"


class Bars(View):
    """Bars for each category; each array is `[categories]`. `names` stand under them: their numbers unless given; of no
    names, nothing."""

    kind = "bars"
    floor = exact = True
    options = ("names",)
    # In distances between categories: how wide the bars of one are, and how far beyond the last one the x axis goes.
    look: ClassVar = {"width": 0.8, "margin": 0.6, "opacity": 0.9}

    def __init__(self, *series: str, names: Sequence[str] | None = None, **axis: Any) -> None:
        super().__init__(*series, **axis)
        self.names = None if names is None else list(names)

    def draw(self, axes: Axes, arrays: Arrays) -> None:
        look = self.look
        width = look["width"] / len(self.series)
        for i, key in enumerate(self.series):
            at = np.arange(len(arrays[key])) - look["width"] / 2 + (i + 0.5) * width
            axes.bar(at, arrays[key], width, color=self.colors[key], label=self.label(key), alpha=look["opacity"],
                     hatch=self.hatch(key), edgecolor="white", linewidth=0)
        count = len(arrays[self.series[0]])
        names = range(count) if self.names is None else self.names
        axes.set_xticks(range(len(names)), names)
        axes.set_xlim(-look["margin"], count - 1 + look["margin"])

    def says(self, arrays: Arrays) -> str:
        """Of each series its highest bar."""
        told = []
        for key in self.series:
            values, names = arrays[key], self.names or range(len(arrays[key]))
            if np.isfinite(values).any():
                best = int(np.nanargmax(values))
                told.append(f"{self.labels[key]} highest at {names[best]} with {number(values[best])}")
            else:
                told.append(f"{self.labels[key]} not a number")
        return ", ".join(told)


def number(value: float) -> str:
    """Three digits, with a sign that is read as a minus."""
    return f"{float(value):.3g}".replace("-", "−") if np.isfinite(value) else "not a number"


def _place(points: np.ndarray) -> str:
    """The mean of points `[n, 2]`."""
    x, y = points.mean(axis=0) if len(points) else (np.nan, np.nan)
    return f"({number(x)}, {number(y)})"


def as_uint8(images: np.ndarray) -> np.ndarray:
    """Images of any shape from 0 to 1 as bytes; bytes as they are."""
    return images if images.dtype == np.uint8 else (np.clip(np.nan_to_num(images), 0, 1) * 255).round().astype(np.uint8)


def gather(views: Sequence[View], snapshot: Arrays, history: Arrays) -> dict[str, np.ndarray]:
    """The arrays that these views draw, of any shape, by the names used in frames. Raises KeyError naming what there is
    instead."""
    known = {**snapshot, **{METRIC + name: values for name, values in history.items()}}
    images = {layer.series[0] for view in views for layer in view.layers() if isinstance(layer, ImageGrid)}
    arrays = {}
    for key in dict.fromkeys(key for view in views for layer in view.layers() for key in layer.reads()):
        if key in known:
            arrays[key] = as_uint8(known[key]) if key in images else np.asarray(known[key])
        elif key.startswith(METRIC) and not len(history["step"]):
            arrays[key] = np.empty(0)  # before the first update
        else:
            raise KeyError(f"a view draws {key!r}, but there is only {', '.join(sorted(known))}")
    return arrays
