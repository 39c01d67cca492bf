"""Which notebook needs which, from the headers, and drawn as an SVG whose boxes are links."""

from __future__ import annotations

import html
import itertools
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from course_lib.authoring.links import NUMBER

NEEDS = re.compile(r"^\| You need \| (.+) \|$", re.M)
WIDTH, HEIGHT, GAP, FALL, MARGIN = 138, 52, 10, 46, 4  # of a box; between boxes, between rows, around; user units
PASS = 6  # what a line takes that passes between boxes
CHARACTERS = 18  # of a title in a line of a box


@dataclass(frozen=True)
class Node:
    """A notebook: its number, its title, the address of its page or "", and the numbers of those that it needs."""

    number: str
    title: str
    address: str
    needs: tuple[str, ...]


def needs(header: str, numbers: Sequence[str]) -> tuple[str, ...]:
    """The numbers of notebooks in the header's row *You need*, in order, each once.

    Raises:
        ValueError: there is no such row.
    """
    row = NEEDS.search(header)
    if row is None:
        raise ValueError("the header has no row 'You need'")
    return tuple(dict.fromkeys(n for n in re.findall(rf"\b{NUMBER}", row[1]) if n in numbers))


def ranks(nodes: Sequence[Node]) -> dict[str, int]:
    """How many notebooks must come before each, one after another: 0 for those that need none.

    Raises:
        ValueError: notebooks need each other in a circle.
    """
    known, waiting = {}, list(nodes)
    while waiting:
        ready = [node for node in waiting if all(n in known for n in node.needs)]
        if not ready:
            raise ValueError(f"these notebooks need each other: {', '.join(node.number for node in waiting)}")
        known |= {node.number: 1 + max((known[n] for n in node.needs), default=-1) for node in ready}
        waiting = [node for node in waiting if node.number not in known]
    return known


def reduced(nodes: Sequence[Node]) -> dict[str, tuple[str, ...]]:
    """What each needs, without what another of its needs asks for already."""
    direct = {node.number: set(node.needs) for node in nodes}

    def all_before(number: str) -> set[str]:
        return set().union(*({n} | all_before(n) for n in direct[number]))

    return {node.number: tuple(n for n in node.needs if not any(n in all_before(m) for m in node.needs))
            for node in nodes}


def svg(nodes: Sequence[Node]) -> str:
    """The drawing: a row for each rank, lines from what is needed to what needs it, which pass between the boxes."""
    rank, edges = ranks(nodes), reduced(nodes)
    rows = [[node.number for node in nodes if rank[node.number] == r] for r in range(max(rank.values()) + 1)]
    ways, near = [], []
    for below, above in ((b, a) for b in edges for a in edges[b]):
        way = [above, *(f"{above} to {below} at {r}" for r in range(rank[above] + 1, rank[below])), below]
        for r, passing in enumerate(way[1:-1], start=rank[above] + 1):
            rows[r].append(passing)
        ways.append(way)
        near += itertools.pairwise(way)
    wide = {n: WIDTH if n in rank else PASS for row in rows for n in row}
    width = max(_width(row, wide) for row in rows) + 2 * MARGIN
    height = len(rows) * (HEIGHT + FALL) - FALL + 2 * MARGIN
    middle = _ordered(rows, near, wide, width)
    top = {n: MARGIN + r * (HEIGHT + FALL) for r, row in enumerate(rows) for n in row}
    lines = [f'<path d="{_line(way, middle, top)}"/>' for way in ways]
    boxes = [_box(node, middle[node.number] - WIDTH / 2, top[node.number]) for node in nodes]
    return (f'<svg class="course-graph" role="group" aria-label="Which notebook needs which" width="{width}" '
            f'height="{height}" viewBox="0 0 {width} {height}"><g class="needs" aria-hidden="true">{"".join(lines)}</g>'
            f'{"".join(boxes)}</svg>')


def _line(way: Sequence[str], middle: Mapping[str, float], top: Mapping[str, float]) -> str:
    first, *rest = way
    path = [f"M{middle[first]:.1f} {top[first] + HEIGHT}"]
    for before, after in itertools.pairwise(way):
        bend = f"{top[after] - FALL / 2}"
        path.append(f"C{middle[before]:.1f} {bend} {middle[after]:.1f} {bend} {middle[after]:.1f} {top[after]}")
        if after != rest[-1]:
            path.append(f"V{top[after] + HEIGHT}")
    return "".join(path)


def _width(row: Sequence[str], wide: Mapping[str, float]) -> float:
    return sum(wide[n] + GAP for n in row) - GAP


def _ordered(rows: list[list[str]], near: Sequence[tuple[str, str]], wide: Mapping[str, float],
             width: float) -> dict[str, float]:
    """The middle of each: its row sorted again and again by the mean place of its neighbours, so that few lines cross;
    the order with the shortest lines is kept."""
    beside = {n: [] for row in rows for n in row}
    for a, b in near:
        beside[a].append(b)
        beside[b].append(a)
    middle, best, shortest = {}, {}, float("inf")
    for sweep in range(24):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            if middle.keys() >= set(row):
                wanted = {n: [middle[m] for m in beside[n]] or [middle[n]] for n in row}
                row.sort(key=lambda n, wanted=wanted: sum(wanted[n]) / len(wanted[n]))
            x = (width - _width(row, wide)) / 2
            for n in row:
                middle[n], x = x + wide[n] / 2, x + wide[n] + GAP
        length = sum(abs(middle[a] - middle[b]) for a, b in near)
        if length < shortest:
            best, shortest = dict(middle), length
    return best


def _box(node: Node, x: float, y: float) -> str:
    said = f"{node.number} {node.title}" + (f", needs {', '.join(node.needs)}" if node.needs else "")
    lines = textwrap.wrap(node.title, CHARACTERS, break_long_words=False)
    shown = [*lines[:2]] if len(lines) <= 2 else [lines[0], textwrap.shorten(" ".join(lines[1:]), CHARACTERS,
                                                                             placeholder="…")]
    text = "".join(f'<tspan x="{x + WIDTH / 2:.1f}" dy="{13 if i else 14}">{html.escape(line)}</tspan>'
                   for i, line in enumerate(shown))
    drawn = (f'<rect x="{x:.1f}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
             f'<text x="{x + WIDTH / 2:.1f}" y="{y + 15}"><tspan class="number">{node.number}</tspan>{text}</text>')
    if not node.address:
        return f"<g>{drawn}</g>"
    return f'<a href="{html.escape(node.address)}" aria-label="{html.escape(said, quote=True)}">{drawn}</a>'
