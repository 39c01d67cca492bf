"""The one plotting style: functions take arrays and return a `Figure`; `show(fig, alt=…)` displays it."""

from course_lib.plots.bounds import bound_and_densities, bound_bars, divergences_and_densities
from course_lib.plots.chains import convergence, densities
from course_lib.plots.charts import bars, curves, gan1d, histogram, paths, small_multiples, strip
from course_lib.plots.convolutions import matrices, pulls
from course_lib.plots.draws import paired_draws
from course_lib.plots.estimators import estimates, gap_maps, powers, proposal, running, two_gaussians
from course_lib.plots.flows import stretched
from course_lib.plots.latent import digit_maps, manifold
from course_lib.plots.mixtures import bent_lines, bumps, clouds, em_moment, scatters
from course_lib.plots.pictures import framed, images
from course_lib.plots.pixels import kernel_masks, line_and_density, sight, wave_and_density
from course_lib.plots.planes import clouds_and_border, field, plane, points
from course_lib.plots.rings import around_modes, loss_against_quality, shares_along
from course_lib.plots.sequences import beliefs, tables, trellis
from course_lib.plots.style import COLOURS, LINES, MARKERS, PALETTE, bundle, figure, png, show, styled, width_in_pixels
from course_lib.plots.trees import tree
from course_lib.plots.walks import judged_path, pair_sheet

__all__ = ["COLOURS", "LINES", "MARKERS", "PALETTE", "around_modes", "bars", "beliefs", "bent_lines",
           "bound_and_densities", "bound_bars", "bumps", "bundle", "clouds", "clouds_and_border", "convergence",
           "curves", "densities", "digit_maps", "divergences_and_densities", "em_moment", "estimates", "field",
           "figure", "framed", "gan1d", "gap_maps", "histogram", "images", "judged_path", "kernel_masks",
           "line_and_density", "loss_against_quality", "manifold", "matrices", "pair_sheet", "paired_draws", "paths",
           "plane", "png", "points", "powers", "proposal", "pulls", "running", "scatters", "shares_along", "show",
           "sight", "small_multiples", "stretched", "strip", "styled", "tables", "tree", "trellis", "two_gaussians",
           "wave_and_density", "width_in_pixels"]
