"""Pictures that a lab draws from an experiment's snapshot: what to draw, said once for browser and saved notebook.

A view names the arrays it draws, by their keys in `Experiment.snapshot()` (`Curve` names metrics of `step()`).
`a + b` lays b over a in the same axes:

    HeatMap("decision", extent=(-2, 2, -2, 2)) + Scatter("real", "generated")

Each view here has its twin in `marks.js`, which draws it in the browser; `draw` does so with matplotlib.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from course_lib.plots import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS = {name: PALETTE[name] for name in ("blue", "vermillion", "green", "orange", "purple", "sky", "black")}

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
    """

    kind: ClassVar[str]

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
        both.over = (*self.over, other, *other.over)
        return both

    def layers(self) -> Iterator[View]:
        """This view and those laid over it, from bottom to top."""
        yield self
        yield from self.over

    def reads(self) -> list[str]:
        """The arrays that this layer reads."""
        return list(self.series)

    def options(self) -> dict[str, Any]:
        """What the browser must know beyond series and axes."""
        return {}

    def spec(self) -> dict[str, Any]:
        """The picture in plain data, for the browser."""
        layers = [
            {
                "kind": layer.kind,
                "switch": layer.switch,
                "on": layer.on,
                "series": [{"key": k, "label": layer.labels[k], "color": layer.colors[k]} for k in layer.series],
                **layer.options(),
            }
            for layer in self.layers()
        ]
        return {**self.axis, "layers": layers}

    @abstractmethod
    def draw(self, axes: Axes, arrays: Arrays) -> None:
        """Draw this layer with matplotlib."""


class Curve(View):
    """Metrics against steps, from the whole run. `log=True` for a logarithmic y axis."""

    kind = "curve"

    def __init__(self, *metrics: str, log: bool = False, xlabel: str = "step", **axis: Any) -> None:
        super().__init__(*metrics, xlabel=xlabel, **axis)
        self.log = log

    def reads(self) -> list[str]:
        return ["metric:step", *(f"metric:{name}" for name in self.series)]

    def options(self) -> dict[str, Any]:
        return {"log": self.log}

    def draw(self, axes: Axes, arrays: Arrays) -> None:
        for key in self.series:
            values = arrays[f"metric:{key}"]
            axes.plot(arrays["metric:step"], values, color=self.colors[key], label=self.labels[key], lw=1.6)
        axes.set_xlim(0, max(arrays["metric:step"].max(initial=0), 10))
        if self.log and any((arrays[f"metric:{key}"] > 0).any() for key in self.series):
            axes.set_yscale("log")


class Density(View):
    """Filled curves over a grid: `Density("real", "generated", grid="x")`; `lines` are drawn without filling."""

    kind = "density"

    def __init__(self, *series: str, grid: str, lines: Sequence[str] = (), **axis: Any) -> None:
        super().__init__(*series, *lines, **axis)
        self.grid, self.lines = grid, tuple(lines)

    def reads(self) -> list[str]:
        return [self.grid, *self.series]

    def options(self) -> dict[str, Any]:
        return {"grid": self.grid, "lines": self.lines}

    def draw(self, axes: Axes, arrays: Arrays) -> None:
        x = arrays[self.grid]
        for key in self.series:
            line = key in self.lines
            axes.plot(x, arrays[key], color=self.colors[key], label=self.labels[key], lw=2, ls="--" if line else "-")
            if not line:
                axes.fill_between(x, arrays[key], color=self.colors[key], alpha=0.22, lw=0)
        axes.set_xlim(x.min(), x.max())
        axes.set_ylim(bottom=0)


class Scatter(View):
    """Points in the plane; each array is `[points, 2]`.

    Args:
        equal: give both axes one scale.
        marks: a character for each series, drawn in place of its dots; a legend is not needed then.
        outline: give each dot a white edge, so that it stands out from what is beneath.
    """

    kind = "scatter"

    def __init__(self, *series: str, equal: bool = False, marks: str = "", outline: bool = False, **axis: Any) -> None:
        super().__init__(*series, **axis)
        self.equal, self.marks, self.outline = equal, marks, outline
        if marks and len(marks) != len(series):
            raise ValueError(f"{len(series)} series need as many marks, not {marks!r}")

    def options(self) -> dict[str, Any]:
        return {"equal": self.equal, "marks": self.marks, "outline": self.outline}

    def draw(self, axes: Axes, arrays: Arrays) -> None:
        for i, key in enumerate(self.series):
            look = ({"marker": f"${self.marks[i]}$", "s": 48} if self.marks
                    else {"s": 20, "edgecolors": "white", "lw": 0.5, "label": self.labels[key]} if self.outline
                    else {"s": 12, "alpha": 0.65, "lw": 0, "label": self.labels[key]})
            axes.scatter(*arrays[key].T, color=self.colors[key], **look)
        if self.equal:
            axes.set_aspect("equal")


class HeatMap(View):
    """A function of two variables as colours: array `[rows, columns]`, row 0 at the bottom.

    Args:
        extent: (left, right, bottom, top) of the array in the axes' units.
        limits: values of the darkest and the brightest colour, or the key of an array that holds them; None follows
            the data.
    """

    kind = "heatmap"

    def __init__(
        self, key: str, extent: tuple[float, float, float, float], limits: Limits | str | None = None, **axis: Any
    ) -> None:
        super().__init__(key, **axis)
        self.extent, self.limits = extent, limits

    def reads(self) -> list[str]:
        return [*self.series, self.limits] if isinstance(self.limits, str) else list(self.series)

    def options(self) -> dict[str, Any]:
        return {"extent": self.extent, "limits": self.limits}

    def draw(self, axes: Axes, arrays: Arrays) -> None:
        low, high = arrays[self.limits] if isinstance(self.limits, str) else self.limits or (None, None)
        image = axes.imshow(arrays[self.series[0]], cmap="cividis", vmin=low, vmax=high, origin="lower",
                            extent=self.extent, aspect="auto")
        axes.set_autoscale_on(False)  # what is laid over it does not widen the axes
        axes.figure.colorbar(image, ax=axes).outline.set_visible(False)


class Arrows(View):
    """Arrows from points `[points, 2]` along vectors `[points, 2]`; the longest spans a tenth of the picture."""

    kind = "arrows"

    def __init__(self, vectors: str, at: str, **axis: Any) -> None:
        super().__init__(vectors, **axis)
        self.at = at

    def reads(self) -> list[str]:
        return [self.at, *self.series]

    def options(self) -> dict[str, Any]:
        return {"at": self.at}

    def draw(self, axes: Axes, arrays: Arrays) -> None:
        key = self.series[0]
        longest = float(np.hypot(*arrays[key].T).max(initial=0)) or 1.0
        axes.quiver(*arrays[self.at].T, *(arrays[key] / longest).T, color=self.colors[key], label=self.labels[key],
                    scale=10, scale_units="width", width=0.004)


class Mesh(View):
    """A net of lines, `[rows, columns, 2]`, that a slider in the browser bends from the places in `start` to its own.

    Its cells are the darker, the more they were squeezed: a probability that was even over `start` is now denser.
    """

    kind = "mesh"

    def __init__(self, key: str, start: str, **axis: Any) -> None:
        super().__init__(key, **axis)
        self.start = start

    def reads(self) -> list[str]:
        return [self.start, *self.series]

    def options(self) -> dict[str, Any]:
        return {"start": self.start}

    def draw(self, axes: Axes, arrays: Arrays) -> None:
        key = self.series[0]
        net = arrays[key]
        axes.plot(*np.moveaxis(net, 2, 0), color=self.colors[key], lw=0.9, alpha=0.8)
        axes.plot(*np.moveaxis(net, 2, 0).swapaxes(1, 2), color=self.colors[key], lw=0.9, alpha=0.8)


class ImageGrid(View):
    """Images side by side, from 0 to 1 or uint8: `[images, height, width]`, ink dark on white, or coloured
    `[images, height, width, 3]`."""

    kind = "images"

    def __init__(self, key: str, columns: int = 8, **axis: Any) -> None:
        super().__init__(key, **axis)
        self.columns = columns

    def options(self) -> dict[str, Any]:
        return {"columns": self.columns}

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
        axes.set_axis_off()


class Bars(View):
    """Bars for each category; each array is `[categories]`. `names` stand under them."""

    kind = "bars"

    def __init__(self, *series: str, names: Sequence[str] | None = None, **axis: Any) -> None:
        super().__init__(*series, **axis)
        self.names = None if names is None else list(names)

    def options(self) -> dict[str, Any]:
        return {"names": self.names}

    def draw(self, axes: Axes, arrays: Arrays) -> None:
        width = 0.8 / len(self.series)
        for i, key in enumerate(self.series):
            at = np.arange(len(arrays[key])) - 0.4 + (i + 0.5) * width
            axes.bar(at, arrays[key], width, color=self.colors[key], label=self.labels[key])
        count = len(arrays[self.series[0]])
        axes.set_xticks(range(count), self.names or range(count))


def as_uint8(images: np.ndarray) -> np.ndarray:
    """Images of any shape from 0 to 1 as bytes; bytes as they are."""
    return images if images.dtype == np.uint8 else (np.clip(np.nan_to_num(images), 0, 1) * 255).round().astype(np.uint8)


def gather(views: Sequence[View], snapshot: Arrays, history: Arrays) -> dict[str, np.ndarray]:
    """The arrays that these views draw, of any shape, by the names used in frames. Raises KeyError naming what there is
    instead."""
    known = {**snapshot, **{f"metric:{name}": values for name, values in history.items()}}
    images = {layer.series[0] for view in views for layer in view.layers() if isinstance(layer, ImageGrid)}
    arrays = {}
    for key in dict.fromkeys(key for view in views for layer in view.layers() for key in layer.reads()):
        if key in known:
            arrays[key] = as_uint8(known[key]) if key in images else np.asarray(known[key])
        elif key.startswith("metric:") and not len(history["step"]):
            arrays[key] = np.empty(0)  # before the first update
        else:
            raise KeyError(f"a view draws {key!r}, but there is only {', '.join(sorted(known))}")
    return arrays
