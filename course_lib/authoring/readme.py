"""What `make notebooks` writes into the README: where the course is read as a web site, the table of the notebooks, and
the map of the families they build."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from course_lib.authoring.reading import reading_time
from course_lib.authoring.text import notebook_files, read_cells, sources
from course_lib.files import atomic_write
from course_lib.teach.tree import leaves

if TYPE_CHECKING:
    from course_lib.comparisons.scoreboard.record import Row

MAP, TABLE, SITE = "the map", "the notebooks", "the site"  # the parts, as their markers name them
HEADER = (r"^# \S+ · (?P<title>.+)$", r"\*\*(?P<question>[^*]+\?)\*\*", r"^\| You will be able to \| (?P<able>.+) \|$",
          r"^\| You need \| (?P<need>.+) \|$", r"^\| Time \| (?P<run>\d+ \w+) to run")

LAB = ("![A lab while it trains: left, a bell curve of real numbers, a narrower one of made numbers beside it, and "
       "what the discriminator answers; right, the losses of both networks over 400 steps](docs/pictures/lab.png)")


def addresses(course: Path) -> dict[str, str]:
    """`repository` and `site` of `[tool.course]` in pyproject.toml: where the course is to be had; "" until they are
    set."""
    path = course / "pyproject.toml"
    told = tomllib.loads(path.read_text(encoding="utf-8"))["tool"]["course"] if path.exists() else {}
    return {name: told.get(name, "").rstrip("/") for name in ("repository", "site")}


def readme_site(notebooks: Path) -> str:
    """A picture of a lab, and the way to the course's pages: their address, or the command that builds them."""
    site = addresses(notebooks.parent)["site"]
    if site:
        return f"[{LAB}]({site}/)\n\n**[Read the course as a web site]({site}/)**: nothing to install."
    return (f"{LAB}\n\n**To read it before you install it**: [`make site`](#the-course-as-a-web-site) builds the "
            "course as a web site.")


def markers(part: str) -> tuple[str, str]:
    """The lines before and after what is written of a part."""
    return f"<!-- {part}: written by `python -m course_lib notebooks` -->", f"<!-- end of {part} -->"


def header(text: str) -> dict[str, str]:
    """What the header of a source says: title, question, able, need and run, each in one line."""
    return {name: " ".join(found.split()) for pattern in HEADER
            for name, found in re.search(pattern, text, re.M).groupdict().items()}


def readme_map(notebooks: Path) -> str:
    """The map, with links to the notebooks of this folder."""
    from course_lib.comparisons.scoreboard import record  # here, since it imports all families

    files, path = notebook_files(notebooks), notebooks.parent / "data" / "records" / record.RECORD.name
    scored = record.of_data(record.rows(path), "digits8", "short") if path.exists() else []
    rows = [("branch", "family", "notebooks", "says log p(x)", "samples in", "main drawback", "on 8x8 digits")]
    for way, leaf in leaves():
        links = (f"[{number}](notebooks/{files[number]})" for number in leaf.notebooks)
        told = [measured_of(row) for row in scored if row.family == leaf.scored]
        rows.append((", ".join(way), leaf.name, " ".join(links), leaf.score, leaf.sampling, leaf.drawback,
                     *(told or ["–"])))
    return markdown_table(rows)


def measured_of(row: Row) -> str:
    """What the scoreboard has of a family: cost of a test picture, Fréchet distance of draws, what draws take."""
    nats = f"{fmean(row.values('nll')):.1f} nats, " if row.values("nll") else ""
    return (f"{row.family}: {nats}Fréchet {fmean(row.values('frechet')):.2f}, "
            f"{1000 * fmean(row.values('draw_seconds')):.1f} ms for 100 draws")


def readme_table(notebooks: Path) -> str:
    """A row for each notebook, with what its header says and the minutes that it takes to read."""
    rows = [("notebook", "question", "read", "run", "afterwards you can")]
    for number, source in zip(notebook_files(notebooks), sources(notebooks), strict=True):
        cells = read_cells(source)
        said, time = header(cells[0].source), reading_time(cells)
        read = f"{time.core} min, worked through {time.worked}, with exercises {time.with_exercises}"
        rows.append((f"[{number}](notebooks/{source.stem}.ipynb) {said['title']}", said["question"], read, said["run"],
                     said["able"]))
    return markdown_table(rows)


def write_readme(course: Path) -> None:
    """Put these parts into the README of a course folder, each between its markers.

    Raises:
        ValueError: the markers are not there, once each and in order.
    """
    folder = course / "notebooks"
    write_between(course / "README.md", {SITE: readme_site(folder), MAP: readme_map(folder),
                                         TABLE: readme_table(folder)})


def write_between(path: Path, parts: dict[str, str]) -> None:
    """Put each part into a page, between its markers; a page that says so already is not touched.

    Raises:
        ValueError: the markers are not there, once each and in order.
    """
    text = new = path.read_text(encoding="utf-8")
    for part, made in parts.items():
        begin, end = markers(part)
        before, found, rest = new.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed) or begin in after:
            raise ValueError(f"{path} must hold the line {begin} and after it {end}, once each")
        new = f"{before}{begin}\n\n{made}\n\n{end}{after}"
    if new != text:
        atomic_write(path, new)


def markdown_table(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows of one length, the head first, as a Markdown table."""
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|---" * len(rows[0]) + "|", *body])
