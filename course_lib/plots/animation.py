"""Films of a figure: fast frames, written as MP4 (H.264) or GIF."""

from __future__ import annotations

import errno
import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import GifImagePlugin, Image, ImageChops

FRAMES_PER_SECOND = 30
ENDINGS = (".mp4", ".gif")


def check_ending(path: Path) -> None:
    """Raises ValueError if a film cannot be written under this name: unknown ending, or no writer for MP4."""
    if path.suffix.lower() not in ENDINGS:
        raise ValueError(f"{path}: a film ends in {' or '.join(ENDINGS)}, not in {path.suffix or 'nothing'!r}")
    if path.suffix.lower() == ".mp4" and importlib.util.find_spec("imageio_ffmpeg") is None:
        raise ValueError(f"{path}: MP4 needs a video writer: python -m pip install imageio-ffmpeg, or choose a .gif")


class AnimationWriter:
    """Frames of a figure of which only `moving` changes; the rest is drawn once, so a frame costs milliseconds.

    `add()` writes the figure as it is now, `close()` ends the film. Raises ValueError as `check_ending` does.
    """

    def __init__(self, path: Path, figure: Figure, moving: Sequence[Artist]) -> None:
        check_ending(path)
        self.canvas, self.moving = FigureCanvasAgg(figure), moving
        for artist in moving:
            artist.set_animated(True)
        self.canvas.draw()
        self.background = self.canvas.copy_from_bbox(figure.bbox)
        self.writer = (_Mp4 if path.suffix.lower() == ".mp4" else _Gif)(path, self.canvas.get_width_height())

    def add(self) -> None:
        self.canvas.restore_region(self.background)
        for artist in self.moving:
            self.canvas.figure.draw_artist(artist)
        self.writer.add(np.ascontiguousarray(np.asarray(self.canvas.buffer_rgba())[..., :3]))

    def close(self) -> None:
        self.writer.close()


class _Mp4:
    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        import imageio_ffmpeg  # the extra [video]

        self.frames = imageio_ffmpeg.write_frames(str(path), size, fps=FRAMES_PER_SECOND, codec="libx264",
                                                  pix_fmt_out="yuv420p", macro_block_size=2, ffmpeg_log_level="error")
        self.frames.send(None)  # starts the generator
        self.path, self.added, self.closed = path, 0, False

    def add(self, frame: np.ndarray) -> None:
        self.frames.send(frame)
        self.added += 1

    def close(self) -> None:
        """Raises OSError if not all frames are in the file: the writer does not say so itself when the disk is full."""
        if self.closed:
            return
        self.closed = True
        self.frames.close()
        from imageio_ffmpeg import count_frames_and_secs

        try:
            whole = self.added == 0 or count_frames_and_secs(str(self.path))[0] == self.added
        except RuntimeError:  # not even a film
            whole = False
        if not whole:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))


class _Gif:
    """Writes each frame as it comes, so a long film needs no memory, and of it what differs from the one before, so a
    frame that rests needs no bytes. A frame lasts 3 hundredths of a second."""

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        self.file = open(path, "wb")  # noqa: SIM115 (closed by close)
        self.shown = self.palette = None

    def add(self, frame: np.ndarray) -> None:
        new = Image.fromarray(frame)
        first = self.palette is None
        changed = (0, 0, *new.size) if first else ImageChops.difference(self.shown, new).getbbox() or (0, 0, 1, 1)
        image = new.crop(changed).quantize(64, palette=self.palette, dither=Image.Dither.NONE)
        if first:
            self.palette = image  # of the first frame: the later ones have the same colours
            self.file.write(b"".join(GifImagePlugin.getheader(image, info={"loop": 0})[0]))
        self.shown = new
        for block in GifImagePlugin.getdata(image, changed[:2], duration=1000 // FRAMES_PER_SECOND,
                                            include_color_table=True):
            self.file.write(block)

    def close(self) -> None:
        """Closing again does nothing."""
        if self.file.closed:
            return
        try:
            self.file.write(b";")
        finally:
            self.file.close()
