"""A pad to draw on with the mouse, a finger or the arrow keys; Python reads the drawing as an array."""

from __future__ import annotations

import numpy as np
import traitlets
from numpy.typing import ArrayLike

from course_lib.live.assets import PageWidget


class SketchPad(PageWidget):
    """A sheet of grey pixels and a soft pen, with buttons that clear it and that load an example.

    Args:
        examples: pictures `[n, height, width]` from 0, paper, to 1, ink. The first is what the pad shows at first;
            'Load an example' goes through them in turn. They are also the way in for a reader who cannot draw.
        label: says what to draw, to everyone and to screen readers.
        pen: radius of the pen in pixels of the drawing.
        on_lift: send the drawing when the pen is lifted, not while it moves: for what takes longer to answer.

    Attributes:
        drawing: the array `[height, width]`, float32 from 0 to 1; observe the trait `pixels` to follow it.

    Raises:
        ValueError: examples of another shape, or not in [0, 1].
    """

    SCRIPT = "pad.js"
    STYLES = ("page.css", "pad.css")

    pixels = traitlets.CBytes().tag(sync=True)  # the drawing as height·width bytes; the browser sends a memoryview
    examples = traitlets.Bytes().tag(sync=True)
    height = traitlets.Int().tag(sync=True)
    width = traitlets.Int().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    pen = traitlets.Float().tag(sync=True)
    on_lift = traitlets.Bool().tag(sync=True)

    def __init__(self, examples: ArrayLike, *, label: str, pen: float = 1.3, on_lift: bool = False) -> None:
        examples = np.asarray(examples, dtype=np.float32)
        if examples.ndim != 3 or len(examples) == 0:
            raise ValueError(f"examples must have shape [n, height, width], not {list(examples.shape)}")
        if not ((examples >= 0) & (examples <= 1)).all():
            raise ValueError("examples must lie in [0, 1]: 0 is paper and 1 is ink")
        as_bytes = (examples * 255).round().astype(np.uint8)
        super().__init__(pixels=as_bytes[0].tobytes(), examples=as_bytes.tobytes(), height=examples.shape[1],
                         width=examples.shape[2], label=label, pen=pen, on_lift=on_lift)

    @property
    def drawing(self) -> np.ndarray:
        """What is drawn, float32 `[height, width]`, from 0, paper, to 1, ink."""
        return np.frombuffer(self.pixels, np.uint8).reshape(self.height, self.width).astype(np.float32) / 255
