"""The one plotting style: functions take arrays and return a `Figure`; `show(fig, alt=…)` displays it."""

from course_lib.plots.charts import bars, curves, gan1d, histogram, paths, small_multiples, strip
from course_lib.plots.latent import digit_maps, manifold
from course_lib.plots.mixtures import bent_lines, bumps, clouds, em_moment, scatters
from course_lib.plots.pictures import images
from course_lib.plots.planes import clouds_and_border, field, plane, points
from course_lib.plots.style import COLOURS, LINES, MARKERS, PALETTE, bundle, figure, png, show, width_in_pixels

__all__ = ["COLOURS", "LINES", "MARKERS", "PALETTE", "bars", "bent_lines", "bumps", "bundle", "clouds",
           "clouds_and_border", "curves", "digit_maps", "em_moment", "field", "figure", "gan1d", "histogram", "images",
           "manifold", "paths", "plane", "png", "points", "scatters", "show", "small_multiples", "strip",
           "width_in_pixels"]
