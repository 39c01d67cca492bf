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
    with pytest.raises(ValueError, match="must both have shape"):
        plots.pulls(pictures, forces[:2], title="t")
