"""The one plotting style: functions take arrays and return a `Figure`; `show(fig, alt=…)` displays it."""

from course_lib.deprecated import old_names
from course_lib.plots.bounds import bound_and_densities, bound_bars, divergences_and_densities
from course_lib.plots.charts import bars, curves, gan1d, histogram, paths, small_multiples, strip
from course_lib.plots.convolutions import matrices, pulls
from course_lib.plots.mixtures import bent_lines, bumps, clouds, em_moment, scatters
from course_lib.plots.pictures import framed, images
from course_lib.plots.pixels import kernel_masks, line_and_density, sight, wave_and_density
from course_lib.plots.planes import clouds_and_border, field, plane, points
from course_lib.plots.style import COLOURS, LINES, MARKERS, PALETTE, bundle, figure, png, show, styled, width_in_pixels

__getattr__ = old_names(__name__)

__all__ = ["COLOURS", "LINES", "MARKERS", "PALETTE", "bars", "bent_lines", "bound_and_densities", "bound_bars",
           "bumps", "bundle", "clouds", "clouds_and_border", "curves", "divergences_and_densities", "em_moment",
           "field", "figure", "framed", "gan1d", "histogram", "images", "kernel_masks", "line_and_density",
           "matrices", "paths", "plane", "png", "points", "pulls", "scatters", "show", "sight", "small_multiples",
           "strip", "styled", "wave_and_density", "width_in_pixels"]
