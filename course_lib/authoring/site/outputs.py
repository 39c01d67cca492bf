"""What a page shows of what a notebook's cells showed.

Figures become lossless WebP files beside the pages, at about a third of the bytes; films, which stop by a click as in
the notebook, animated WebP. What `reveal` says goes into a fold, so that a reader can answer first. Of an exercise
nobody has attempted the page says how to attempt it. Widgets, which need a kernel, leave the words that describe them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import io
import re
from pathlib import Path

from nbformat import NotebookNode
from PIL import Image, ImageSequence

from course_lib.authoring.text import calls
from course_lib.files import atomic_write

EMBEDDED = re.compile(r'<img src="data:image/(?P<kind>png|gif|jpeg|webp);base64,(?P<data>[^"]+)"')
MESSAGE = r'<div role="status"[^>]*><b>{status}:</b>'
COMPUTED, UNATTEMPTED = (re.compile(MESSAGE.format(status=status)) for status in ("computed", "not attempted"))
SOLVE = ('<div role="status" class="course-solve"><b>Solve it:</b> <a href="{zip}">download the notebooks</a>, run '
         "this one, and write your answer above. <code>check</code> then says whether it is right, and hints where it "
         "is not.</div>")
FOLD = '<details class="course-reveal"><summary>Answer first, then see what was computed</summary>{}</details>'


class Figures:
    """Pictures of the pages, in a folder, each named by what it shows, so that none is written twice.

    Attributes:
        used: the names of those asked for.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.used = folder, set()
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, picture: bytes) -> tuple[str, int, int]:
        """Keep a picture or a film. Returns its name, width and height in pixels."""
        name = f"{hashlib.sha256(picture).hexdigest()[:16]}.webp"
        self.used.add(name)
        with Image.open(io.BytesIO(picture)) as image:
            if not (self.folder / name).exists():
                atomic_write(self.folder / name, webp(image))
            return name, *image.size


def webp(image: Image.Image) -> bytes:
    """The picture, or all frames of a film, without loss."""
    buffer = io.BytesIO()
    if getattr(image, "n_frames", 1) == 1:
        image.convert("RGBA" if image.has_transparency_data else "RGB").save(buffer, "WEBP", lossless=True, method=6)
        return buffer.getvalue()
    frames, durations = [], []
    for frame in ImageSequence.Iterator(image):
        durations.append(frame.info.get("duration", 100))
        frames.append(frame.convert("RGB"))
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:], duration=durations, lossless=True,
                   loop=image.info.get("loop", 1), method=4, minimize_size=True)
    return buffer.getvalue()


def for_page(cell: NotebookNode, figures: Figures, static: str, archive: str) -> None:
    """Change a code cell's outputs into those of the page.

    Args:
        cell: a cell that was run.
        figures: takes the pictures.
        static: the address of the folder of `figures`, as seen from the page.
        archive: the address of the students' zip, as seen from the page.
    """
    reveals = bool(calls(cell.source, "reveal"))
    outputs = []
    for output in cell.outputs:
        if output.output_type in ("display_data", "execute_result"):
            output = _shown(output, reveals, figures, static, archive)
        if output is not None:
            outputs.append(output)
    cell.outputs = outputs


def _shown(output: NotebookNode, reveals: bool, figures: Figures, static: str, archive: str) -> NotebookNode | None:
    data = output.data
    page = data.get("text/html")
    if page is None and "image/png" in data:
        alt = html.escape(output.metadata.get("image/png", {}).get("alt", data.get("text/plain", "")), quote=True)
        page = f'<img src="data:image/png;base64,{data["image/png"]}" alt="{alt}">'
    if page is None:
        if "application/vnd.jupyter.widget-view+json" in data:
            page = f'<p class="course-widget">Interactive: {html.escape(data.get("text/plain", "a control"))}.</p>'
        else:
            output.data = NotebookNode({"text/plain": data["text/plain"]}) if "text/plain" in data else NotebookNode()
            return output if output.data else None
    if UNATTEMPTED.match(page):
        page = SOLVE.format(zip=archive)
    elif reveals and COMPUTED.match(page):
        page = FOLD.format(page)
    elif "<script" not in page:  # a lab's player brings its pictures itself
        page = _linked(page, figures, static)
    output.data, output.metadata = NotebookNode({"text/html": page}), NotebookNode()
    return output


def _linked(page: str, figures: Figures, static: str) -> str:
    """The output with its pictures in files of their own, in a box that scrolls where the page is narrower."""
    def link(match: re.Match[str]) -> str:
        try:
            picture = base64.b64decode(match["data"], validate=False)
        except binascii.Error:
            return match[0]
        name, width, height = figures.add(picture)
        return f'<img loading="lazy" width="{width}" height="{height}" src="{static}/{name}"'

    linked, count = EMBEDDED.subn(link, page)
    if count:
        return f'<div class="course-figure">{linked}</div>'
    return f'<div class="course-table">{page}</div>' if page.startswith("<table") else page
