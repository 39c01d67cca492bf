"""A film of pictures in the notebook: an animated GIF, which needs no player and stays in a saved notebook.

Where no film can be, as on paper, its last picture stands.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from IPython.display import display
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plots import png, width_in_pixels
from course_lib.plots.animation import AnimationWriter
from course_lib.plots.style import output

STILL = 30  # frames that the last picture stays, about a second, before the film begins again


def show_film(fig: Figure, frames: ArrayLike, *, alt: str) -> None:
    """Display the pictures of a figure, as `plots.images` makes it, in motion.

    Args:
        fig: its n pictures are replaced, frame by frame; title and labels stay.
        frames: `[T, n, …]`, what each picture shows at each of T times.
        alt: a sentence for someone who cannot see the film.

    Raises:
        ValueError: an empty `alt`, or frames of another number of pictures than the figure has.
    """
    frames = np.asarray(frames)
    pictures = [image for axes in fig.axes for image in axes.get_images()]
    if frames.ndim < 4 or frames.shape[1] != len(pictures):
        raise ValueError(f"frames must have shape [T, {len(pictures)}, H, W] for this figure, not {list(frames.shape)}")
    fig.set_dpi(96)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "film.gif")
        film = AnimationWriter(path, fig, pictures)
        for frame in [*frames, *[frames[-1]] * STILL]:
            for image, picture in zip(pictures, frame, strict=True):
                image.set_data(picture)
            film.add()
        film.close()
        data, metadata = output(png(fig), alt, width_in_pixels(fig), film=path.read_bytes())
    display(data, metadata=metadata, raw=True)
