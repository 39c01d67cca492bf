"""A picture in the page that Python can replace without flicker, with alt text and a place for errors."""

from __future__ import annotations

import traitlets
from matplotlib.figure import Figure

from course_lib.live.assets import PageWidget
from course_lib.plots import width_in_pixels
from course_lib.plots.style import least_width, quick_png


class Picture(PageWidget):
    """Shows the last figure given to `draw`, and an error beneath it when there is one."""

    SCRIPT = "picture.js"
    STYLES = ("page.css",)
    png = traitlets.Bytes(b"").tag(sync=True)
    alt = traitlets.Unicode("").tag(sync=True)
    width = traitlets.Int(0).tag(sync=True)
    least = traitlets.Int(0).tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)

    def draw(self, fig: Figure, alt: str) -> None:
        """Replace the picture; the old error, if any, goes."""
        with self.hold_sync():
            self.png, self.alt, self.error = quick_png(fig), alt, ""
            self.width = width_in_pixels(fig)
            self.least = least_width(self.width)
