"""The figure of notebook 06: pulls with a sign."""

import numpy as np
import pytest
from legible import check_legible

from course_lib.chapters.nb06 import plots


def test_pulls_are_drawn_under_their_pictures_around_zero():
    pictures, forces = np.zeros((3, 4, 4)), np.zeros((3, 4, 4))
    forces[1, 0, 0] = -5
    fig = plots.pulls(pictures, forces, title="t")
    check_legible(fig)
    assert len(fig.axes) == 6 and [fig.axes[i].get_ylabel() for i in (0, 3)] == ["made", "force"]
    assert [ax.get_images()[0].get_clim() for ax in fig.axes[3:]] == [(-1, 1), (-5, 5), (-1, 1)]
    assert not any(len(ax.collections) for ax in fig.axes), "no pull is towards ink"
    with pytest.raises(ValueError, match="must both have shape"):
        plots.pulls(pictures, forces[:2], title="t")


def test_pulls_towards_ink_are_dotted():
    """Without colours, orange and blue are equally dark."""
    force = np.zeros((5, 5))
    force[1:3, 1:3], force[4, 4] = 8, -8
    dots, = plots.pulls(np.zeros((1, 5, 5)), force[None], title="t").axes[1].collections
    vertices = np.concatenate([path.vertices for path in dots.get_paths()])
    assert dots.hatches == ["....."] and vertices.min() > 0 and vertices.max() < 3
