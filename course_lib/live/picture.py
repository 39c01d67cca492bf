"""A picture in the page that Python can replace without flicker, with alt text and a place for errors."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets
from matplotlib.figure import Figure

from course_lib.plots import png, width_in_pixels


class Picture(anywidget.AnyWidget):
    """Shows the last figure given to `draw`, and an error beneath it when there is one."""

    _esm = Path(__file__).with_name("picture.js")
    png = traitlets.Bytes(b"").tag(sync=True)
    alt = traitlets.Unicode("").tag(sync=True)
    width = traitlets.Int(0).tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)

    def draw(self, fig: Figure, alt: str) -> None:
        """Replace the picture; the old error, if any, goes."""
        with self.hold_sync():
            self.png, self.alt, self.width, self.error = png(fig), alt, width_in_pixels(fig), ""
