"""Which way the discriminator pulls each pixel of a picture."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plots.style import PROBABILITY, figure


def pulls(pictures: ArrayLike, forces: ArrayLike, *, title: str) -> Figure:
    """Pictures `[n, H, W]` from 0 to 1, ink dark, and under each the force on its pixels, of the same shape.

    Orange, dotted pixels are pulled towards ink and blue ones towards paper, as strongly as their colour; white
    ones are left alone. The strongest pull under each picture has the full colour; dots begin at a quarter of it.
    """
    pictures, forces = np.asarray(pictures), np.asarray(forces)
    if pictures.ndim != 3 or pictures.shape != forces.shape:
        raise ValueError(f"pictures and forces must both have shape [n, H, W], not {list(pictures.shape)} and "
                         f"{list(forces.shape)}")
    fig, axes = figure(1.05 * len(pictures) + 1.0, 2.75, 2, len(pictures))
    for ax in axes.flat:
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines[:].set_visible(False)
    for i, (picture, force) in enumerate(zip(pictures, forces, strict=True)):
        strongest = np.abs(force).max() or 1.0
        axes[0, i].imshow(picture, vmin=0, vmax=1, cmap="gray_r")
        axes[1, i].imshow(force, vmin=-strongest, vmax=strongest, cmap=PROBABILITY)
        if force.max() > strongest / 4:
            dots = axes[1, i].contourf(force, levels=[strongest / 4, strongest], colors="none", hatches=["....."])
            dots.set(edgecolor="black", linewidth=0)
    for ax, name in zip(axes[:, 0], ("made", "force"), strict=True):
        ax.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=12)
    fig.suptitle(title, ha="left", x=0.01)
    return fig
