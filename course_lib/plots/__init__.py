"""The one plotting style: functions take arrays and return a `Figure`; `show(fig, alt=…)` displays it."""

from course_lib.deprecated import old_names
from course_lib.plots.bounds import bound_bars
from course_lib.plots.charts import bars, curves, gan1d, histogram, paths, small_multiples
from course_lib.plots.convolutions import matrices
from course_lib.plots.pictures import framed, images
from course_lib.plots.planes import bent_lines, clouds_and_border, field, plane, points, scatters
from course_lib.plots.style import (
    COLOURS,
    HATCHES,
    LINES,
    MARKERS,
    PALETTE,
    bundle,
    figure,
    png,
    show,
    styled,
    width_in_pixels,
)

__getattr__ = old_names(__name__)

__all__ = ["COLOURS", "HATCHES", "LINES", "MARKERS", "PALETTE", "bars", "bent_lines", "bound_bars", "bundle",
           "clouds_and_border", "curves", "field", "figure", "framed", "gan1d", "histogram", "images", "matrices",
           "paths", "plane", "png", "points", "scatters", "show", "small_multiples", "styled", "width_in_pixels"]
