"""A lab's headless session, recorded: a piece of a page that plays it, for where there is no kernel.

Its frames are those that a live lab would send at these steps, in the same format, and the same JavaScript draws them.
They are few enough, and rounded so little, that a page stays small and nobody sees it: see `View.digits` and `BUDGET`.
"""

from __future__ import annotations

import base64
import html
import json
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from course_lib.live.assets import script, styles
from course_lib.live.frames import pack
from course_lib.live.history import History
from course_lib.live.static_figure import in_words
from course_lib.live.trainer import turned
from course_lib.live.views import Curve, View, gather, number
from course_lib.training.experiment import Experiment

FRAMES = 61  # at most, and evenly spaced: with the first one, sixty steps of the film
BUDGET = 400_000  # characters of a lab's HTML, all told
SMALL = 16  # numbers: shorter arrays are kept exact

Frame = tuple[dict[str, Any], dict[str, np.ndarray]]  # what is told of it, and its arrays, of any shape, as they travel

PAGE = """<div class="course-player course-canvas" role="group" aria-label="{name}">
<div class="course-stand-in">{still}</div>
<p class="course-recorded">Recorded, {steps} steps. Run the notebook to train it yourself, and to turn its knobs.</p>
<details><summary>{summary}</summary>
<div class="course-numbers" tabindex="0" role="region" aria-label="{summary}"><table>{table}</table></div></details>
<script type="text/plain" class="course-session">{session}</script></div>
<style>{css}</style>
<script type="module">{esm}</script>"""


class Recording:
    """Takes frames of an experiment while it trains, and makes a page of them.

    Args:
        experiment: is only looked at.
        views: what is drawn.
        steps: how many updates will be done; the first frame is taken now, the last one after them.

    Raises:
        KeyError: a view names an array that the snapshot does not have.
    """

    def __init__(self, experiment: Experiment, views: Sequence[View], steps: int) -> None:
        self._experiment, self._views = experiment, list(views)
        spaced = np.linspace(experiment.steps, experiment.steps + steps, FRAMES).round().astype(int)
        self._due = {*spaced.tolist()}
        self._digits = _digits(views)
        self._hyperparameters, self._changed = experiment.hyperparameters, ""
        self._taken: list[Frame] = []
        self._take(History())

    def look(self, history: History) -> None:
        """After an update: take a frame if it is time, and note which hyperparameters were turned before it."""
        before, now = self._hyperparameters, self._experiment.hyperparameters
        if now != before:
            changes = {name: getattr(now, name) for name in now.fields() if getattr(now, name) != getattr(before, name)}
            self._hyperparameters, self._changed = now, turned(before, changes, self._experiment.steps - 1)
        if self._experiment.steps in self._due:
            self._take(history)

    def _take(self, history: History) -> None:
        arrays = gather(self._views, self._experiment.snapshot(), history.arrays())
        told = {"steps": self._experiment.steps, "changed": self._changed, "words": in_words(self._views, arrays)}
        self._taken.append((told, {name: _rounded(array, self._digits[name]) for name, array in arrays.items()}))

    def page(self, still: str) -> str:
        """HTML that plays the session by itself, from a file, too; `still`, HTML of its last picture, is seen until it
        does, and where no script runs. At most `BUDGET` characters: where they do not suffice, images have 32 greys in
        place of 256, and then frames are left out evenly, down to two."""
        page = self._page(still, self._taken, _packed(self._views, self._taken))
        if len(page) <= BUDGET:
            return page
        frames = [(told, {name: _fewer_greys(array) for name, array in arrays.items()}) for told, arrays in self._taken]
        count = len(frames)
        while True:
            kept = [frames[i] for i in np.linspace(0, len(frames) - 1, count).round().astype(int)]
            session = _packed(self._views, kept)
            page = self._page(still, kept, session)
            room = len(session) + BUDGET - len(page)
            if room >= len(session) or count <= 2:
                return page
            count = max(2, min(count - 1, count * room // len(session)))  # a frame that is left out saves its share

    def _page(self, still: str, kept: Sequence[Frame], session: str) -> str:
        told = [told for told, _ in kept]
        titles = [view.axis["title"] for view in self._views if view.axis["title"]]
        return PAGE.format(
            name=html.escape(f"Recorded session: {titles[0] if titles else 'a lab'}"), still=still,
            steps=f"{told[-1]['steps']:,}", summary=f"Its numbers at {len(told)} steps",
            table=_table(self._views, kept), session=session,
            css=styles("page.css", "canvas.css", "player.css"), esm=script("player.js"))


def _digits(views: Sequence[View]) -> dict[str, int | None]:
    """How exact each array must be, by name: as its most exact layer says."""
    digits: dict[str, int | None] = {}
    for layer in (layer for view in views for layer in view.layers()):
        for name in layer.reads():
            both = layer.digits, digits.get(name, layer.digits)
            digits[name] = None if None in both else max(both)
    return digits


def _rounded(array: np.ndarray, digits: int | None) -> np.ndarray:
    """A copy as it travels, of any shape, float32 rounded to so many binary digits, or uint8; small arrays are as they
    were."""
    if array.dtype == np.uint8:
        return array.copy()
    array = np.array(array, dtype=np.float32)
    if digits is None or array.size <= SMALL:
        return array
    fraction, exponent = np.frexp(array)
    return np.ldexp(np.round(fraction * 2**digits) / 2**digits, exponent)


def _fewer_greys(array: np.ndarray) -> np.ndarray:
    """Bytes rounded to 32 values, 0 and 255 among them; other arrays as they are."""
    return np.round(np.round(array / 255 * 31) * (255 / 31)).astype(np.uint8) if array.dtype == np.uint8 else array


def _packed(views: Sequence[View], frames: Sequence[Frame]) -> str:
    """Views, frames and arrays as base64 of zlib's format: the length of the JSON in four bytes, the JSON, the arrays.

    An array that comes again, or that begins a later one as a curve does, is there once. Those of one name follow each
    other in a run, whose bytes are put in an order, or made differences, which zlib compresses better.
    """
    stored: dict[str, list[np.ndarray]] = {name: [] for name in frames[0][1]}
    places = []  # of the arrays of each frame in `stored`, from the last frame to the first
    for _, arrays in reversed(frames):
        places.append({name: _place(stored[name], array) for name, array in arrays.items()})
    layout, data = pack({f"{name}/{i}": array for name, several in stored.items() for i, array in enumerate(several)})
    told = []
    for (said, arrays), where in zip(frames, reversed(places), strict=True):
        told.append(said | {"layout": {name: [layout[f"{name}/{i}"][0], list(arrays[name].shape),
                                              layout[f"{name}/{i}"][2]] for name, i in where.items()}})
    runs, bodies = [], []
    for name, several in stored.items():
        begin = layout[f"{name}/0"][2]
        end = begin + sum(array.nbytes + -array.nbytes % 4 for array in several)
        stride, body = _compressible(np.frombuffer(data[begin:end], np.uint8), several[0])
        runs.append({"offset": begin, "length": end - begin, "width": several[0].itemsize, "stride": stride})
        bodies.append(body)
    head = json.dumps({"views": [view.spec() for view in views], "frames": told, "runs": runs}).encode()
    head += b" " * (-len(head) % 4)
    return base64.b64encode(zlib.compress(struct.pack("<I", len(head)) + head + b"".join(bodies), 9)).decode()


def _place(stored: list[np.ndarray], array: np.ndarray) -> int:
    """Where an array is among those of its name, whole or as the beginning of one; it is added if it is not."""
    data = array.tobytes()
    for i, other in enumerate(stored):
        if array.shape[1:] == other.shape[1:] and other[:len(array)].tobytes() == data:
            return i
    stored.append(array)
    return len(stored) - 1


def _compressible(run: np.ndarray, first: np.ndarray) -> tuple[int, bytes]:
    """The bytes of a run of arrays in another form, from which `player.js` restores them, and its stride.

    Of floats all first bytes, then all second ones, and so on. Of bytes the differences from the array before, unless
    they are better as they are: then the stride is the run's length.
    """
    if first.itemsize > 1:
        return 0, run.reshape(-1, first.itemsize).T.tobytes()
    stride = first.nbytes + -first.nbytes % 4
    differences = run.copy()
    differences[stride:] -= run[:-stride]
    forms = [(stride, differences.tobytes()), (len(run), run.tobytes())]
    return min(forms, key=lambda form: len(zlib.compress(form[1], 1)))


def _table(views: Sequence[View], frames: Sequence[Frame]) -> str:
    """The rows of a table: for each frame the last value of each curve, and what other layers say, if it changes."""
    columns = [("step", [f"{told['steps']:,}" for told, _ in frames], "")]
    for v, view in enumerate(views):
        for k, layer in enumerate(view.layers()):
            if isinstance(layer, Curve):
                for key in layer.series:
                    values = [arrays[layer.array(key)][-1:] for _, arrays in frames]
                    columns.append((layer.labels[key], [number(*value) if len(value) else "" for value in values], ""))
            elif len({told["words"][v][k] for told, _ in frames}) > 1:
                columns.append((view.axis["title"] or layer.kind, [told["words"][v][k] for told, _ in frames],
                                ' class="course-words"'))
    head = "".join(f'<th scope="col"{how}>{html.escape(name)}</th>' for name, _, how in columns)
    rows = []
    for row in zip(*([html.escape(cell) for cell in cells] for _, cells, _ in columns), strict=True):
        cells = "".join(f"<td{how}>{cell}</td>" for cell, (_, _, how) in zip(row[1:], columns[1:], strict=True))
        rows.append(f'<tr><th scope="row">{row[0]}</th>{cells}</tr>')
    return f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
