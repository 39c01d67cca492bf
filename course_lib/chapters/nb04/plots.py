"""Latent spaces of two dimensions, where pictures lie in them and what is decoded at each place; and the curve of rate
and distortion."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import ArrayLike

from course_lib.plots.style import COLOURS, figure, styled

DIGIT_COLOURS = (*COLOURS[:7], "#777777", "#8B5A2B", "#332288")  # yellow is too faint for thin signs


@styled()
def digit_maps(panels: Mapping[str, tuple[ArrayLike, ArrayLike]], *, title: str) -> Figure:
    """Codes in the plane, each drawn as its digit: for each panel its title, with codes `[n, 2]` and labels `[n]`.

    Panels have their own limits, with 0 in the middle. Two circles, at one and two standard deviations, hold 39% and
    86% of N(0, I), the prior.
    """
    fig, axes = figure(5.0 * len(panels), 5.3, 1, len(panels))
    for ax, (name, (z, labels)) in zip(axes[0], panels.items(), strict=True):
        z, labels = np.asarray(z), np.asarray(labels)
        for k, colour in enumerate(DIGIT_COLOURS):
            ax.scatter(*z[labels == k].T, marker=f"${k}$", s=52, color=colour, linewidths=0)
        for radius in (1, 2):
            ax.add_patch(Circle((0, 0), radius, fill=False, color="black", linestyle="--", linewidth=1.6))
        limit = 1.05 * max(np.abs(z).max(), 2)
        ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel="$z_1$", ylabel="$z_2$")
        ax.set_title(name, fontsize=13)
    fig.suptitle(title, ha="left", x=0.01)
    return fig


@styled()
def manifold(pictures: ArrayLike, z: ArrayLike, *, title: str) -> Figure:
    """Decoded pictures `[n·n, H, W]` of a grid over the latent plane, as one sheet, ink dark.

    `z` `[n]` holds the grid's coordinates along each axis, ascending. In `pictures` z_1 runs fastest. On the sheet z_1
    rises to the right and z_2 upwards.
    """
    pictures, z = np.asarray(pictures), np.asarray(z)
    n = len(z)
    if pictures.ndim != 3 or len(pictures) != n * n:
        raise ValueError(f"a grid of {n} by {n} needs pictures of shape [{n * n}, H, W], not {list(pictures.shape)}")
    _, height, width = pictures.shape
    sheet = pictures.reshape(n, n, height, width)[::-1].transpose(0, 2, 1, 3).reshape(n * height, n * width)
    fig, axes = figure(6.6, 6.9)
    ax = axes[0, 0]
    ax.imshow(sheet, vmin=0, vmax=1, cmap="gray_r", extent=(0, n, 0, n))
    ticks = np.linspace(0, n - 1, 5).round().astype(int)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks(ticks + 0.5, [f"{z[i]:.2f}" for i in ticks])
    ax.set(xlabel="$z_1$", ylabel="$z_2$")
    ax.set_title(title)
    ax.grid(visible=False)
    return fig


@styled()
def rate_distortion(panels: Mapping[str, tuple[ArrayLike, ArrayLike]], betas: ArrayLike, *, title: str) -> Figure:
    """Rate over distortion, one panel for each name: two arrays `[n]`, in nats, a point for each of `betas` `[n]`.

    Through each point goes a short line of slope −β, which touches the curve if the point is an optimum for its β.
    """
    betas = np.asarray(betas)
    fig, axes = figure(4.7 * len(panels), 4.4, 1, len(panels))
    for ax, (name, (rate, distortion)) in zip(axes[0], panels.items(), strict=True):
        rate, distortion = np.asarray(rate), np.asarray(distortion)
        if not rate.shape == distortion.shape == betas.shape:
            raise ValueError(f"{name}: {len(betas)} values of β need as many rates and distortions, not "
                             f"{list(rate.shape)} and {list(distortion.shape)}")
        width, height = np.ptp(rate), np.ptp(distortion)
        ax.plot(rate, distortion, ":", color=COLOURS[0], linewidth=1.6)
        crowded = np.append(np.abs(np.diff(distortion)) < 0.05 * height, False)  # by the point of the next β
        for x, y, beta, low in zip(rate, distortion, betas, crowded, strict=True):
            step = 0.09 * np.array([1, -beta]) / np.hypot(1 / width, beta / height)
            ends = np.array([x, y]) + np.outer([-1, 1], step)
            ax.plot(*ends.T, "-", color=COLOURS[1], linewidth=2.2)
            ax.annotate(f"β = {beta:g}", (x, y), (9, -9 if low else 5), textcoords="offset points", fontsize=12)
        ax.plot(rate, distortion, "o", color=COLOURS[0])
        ax.set(xlabel="rate (nats)", ylabel="distortion (nats)")
        ax.margins(0.18, 0.12)
        ax.set_title(name, fontsize=13)
    fig.suptitle(title, ha="left", x=0.01)
    return fig
