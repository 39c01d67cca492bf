"""Which series of a figure look alike once their colours are taken away, by what matplotlib was asked to draw."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple

import matplotlib.colors
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection, LineCollection, PathCollection, PolyCollection, QuadMesh
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.quiver import Quiver

APART = 20  # in L*, of 100: how far greys must be apart where nothing else tells two series apart
NOTHING = ("None", "none", " ", "", None)


class Look(NamedTuple):
    """How one artist looks.

    Attributes:
        label: its word in a legend, "" for none.
        colour: "#rrggbb", without its opacity.
        grey: its lightness on white paper.
        signs: what tells it without colour: line styles, markers, hatches.
    """

    label: str
    colour: str
    grey: float
    signs: frozenset[str]


def lightness(colour: Any) -> float:
    """CIE L* of a colour on white paper, from 0 to 100: what a grey print keeps of it."""
    *rgb, opacity = matplotlib.colors.to_rgba(colour)
    parts = [1 - opacity * (1 - c) for c in rgb]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    y = float(np.dot((0.2126, 0.7152, 0.0722), linear))
    return 116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y


def alike(fig: Figure) -> list[str]:
    """Pairs of series that share axes or a legend and differ in hue alone, and shades that do."""
    fig.draw_without_rendering()
    found = []
    for ax in fig.axes:
        found += _pairs([*_series([*looks(ax)])])
        found += [f"{name} has two shades of one grey, and no hatch tells which is which" for name in _two_sided(ax)]
    for legend in (*filter(None, (ax.get_legend() for ax in fig.axes)), *fig.legends):
        texts = [text.get_text() for text in legend.get_texts()]
        found += _pairs([look._replace(label=text) for handle, text in zip(legend.legend_handles, texts, strict=True)
                         for look in look_of(handle)])
    return list(dict.fromkeys(found))


def looks(ax: Axes) -> Iterator[Look]:
    """Of everything that shows data in one colour."""
    for artist in (*ax.lines, *ax.patches, *ax.collections):
        if artist.get_visible():
            yield from look_of(artist)


def look_of(artist: Artist) -> Iterator[Look]:
    """Of an artist, where it has one colour; none else, for a colour map is no series."""
    label = str(artist.get_label() or "")
    label = "" if label.startswith("_") else label
    if isinstance(artist, Line2D):
        style, marker = artist.get_linestyle(), artist.get_marker()
        signs = {f"line {style} {artist._unscaled_dash_pattern}"} if style not in NOTHING else set()
        if marker not in NOTHING:
            signs.add(f"marker {marker}" + (" open" if artist.get_markerfacecolor() == "none" else ""))
        if signs:
            yield _look(label, artist.get_color(), artist.get_alpha(), *signs)
    elif isinstance(artist, Patch):
        filled = artist.get_fill() and matplotlib.colors.to_rgba(artist.get_facecolor())[3] > 0
        sign = f"hatch {artist.get_hatch()}" if filled else f"line {artist._unscaled_dash_pattern}"
        yield _look(label, artist.get_facecolor() if filled else artist.get_edgecolor(), None, sign)
    elif isinstance(artist, Quiver):
        yield _look(label, artist.get_facecolor()[0], None, "arrows")
    elif isinstance(artist, Collection) and not isinstance(artist, ContourSet) and artist.get_array() is None:
        yield from _look_of_collection(artist, label)


def _look_of_collection(artist: Collection, label: str) -> Iterator[Look]:
    filled = len(artist.get_facecolor()) > 0 and not isinstance(artist, LineCollection)
    colours = artist.get_facecolor() if filled else artist.get_edgecolor()
    if isinstance(artist, PathCollection):
        sign = f"marker {hash(artist.get_paths()[0].vertices.tobytes())}" + ("" if filled else " open")
    elif isinstance(artist, PolyCollection):
        sign = f"hatch {artist.get_hatch()}"
    else:
        sign = f"line {artist.get_linestyle()[0]}"
    if len({*map(tuple, colours)}) == 1:
        yield _look(label, colours[0], None, sign)


def _look(label: str, colour: Any, alpha: float | None, *signs: str) -> Look:
    seen = matplotlib.colors.to_rgba(colour, alpha)
    return Look(label, matplotlib.colors.to_hex(seen), lightness(seen), frozenset(signs))


def _series(drawn: list[Look]) -> Iterator[Look]:
    """Artists of one colour belong together, as a curve and its band do, unless each has a word of its own."""
    for colour in dict.fromkeys(look.colour for look in drawn):
        same = [look for look in drawn if look.colour == colour]
        words = dict.fromkeys(look.label for look in same if look.label)
        if len(words) > 1:
            yield from (next(look for look in same if look.label == word) for word in words)
        else:
            darkest = min(look.grey for look in same)
            yield Look("".join(words), colour, darkest, frozenset().union(*(look.signs for look in same)))


def _pairs(series: list[Look]) -> list[str]:
    return [f"{a.label or a.colour} and {b.label or b.colour}, both {', '.join(sorted(a.signs))}"
            for a, b in combinations(series, 2) if a.signs == b.signs and abs(a.grey - b.grey) < APART]


def _two_sided(ax: Axes) -> Iterator[str]:
    """Maps of colours whose lightness falls and rises, where no hatch says on which side a shade is."""
    hatched = any(any(getattr(artist, "hatches", None) or ()) or artist.get_hatch()
                  for artist in (*ax.collections, *ax.patches))
    for artist in (*ax.images, *ax.collections):
        scale = isinstance(artist, (AxesImage, QuadMesh, ContourSet)) and artist.get_array() is not None
        if scale and not hatched and artist.cmap.N > 20:  # fewer are classes, which the legend names
            steps = np.diff([lightness(colour) for colour in artist.cmap(np.linspace(0, 1, 11))])
            if steps.min() < 0 < steps.max():
                yield artist.cmap.name
