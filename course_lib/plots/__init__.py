"""The one plotting style: functions take arrays and return a `Figure`; `show(fig, alt=…)` displays it."""

from course_lib.plots.charts import bars, curves, gan1d, histogram, paths, small_multiples, strip
from course_lib.plots.pictures import images
from course_lib.plots.planes import clouds_and_border, field, plane, points
from course_lib.plots.style import COLOURS, LINES, MARKERS, PALETTE, bundle, figure, png, show, width_in_pixels
from course_lib.plots.walks import judged_path, pair_sheet

__all__ = ["COLOURS", "LINES", "MARKERS", "PALETTE", "bars", "bundle", "clouds_and_border", "curves", "field", "figure",
           "gan1d", "histogram", "images", "judged_path", "pair_sheet", "paths", "plane", "png", "points", "show",
           "small_multiples", "strip", "width_in_pixels"]
