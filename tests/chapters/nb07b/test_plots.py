"""The figure of notebook 07b: a wave over its predictions."""

import numpy as np
from legible import check_legible

from course_lib.chapters.nb07b import plots

T, X, EDGES = np.arange(6), np.linspace(-1, 1, 6), np.array([-1, -0.5, 0, 1])


def test_the_shade_is_a_density_around_each_time():
    p = np.tile([0.5, 0.25, 0.25], (6, 1))
    fig = plots.wave_and_density(T, X, EDGES, p, title="t")
    check_legible(fig)
    mesh = fig.axes[0].collections[0]
    assert np.allclose(mesh.get_array()[:, 0], [1, 0.5, 0.25])  # probabilities over widths 1/2, 1/2 and 1
    assert np.allclose(mesh.get_coordinates()[0, :, 0], np.arange(-0.5, 6))
    assert np.array_equal(fig.axes[0].lines[0].get_ydata(), X)
