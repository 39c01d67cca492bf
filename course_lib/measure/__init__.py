"""How good is a model? Functions of arrays, in nats where they measure information."""

from course_lib.measure.densities import histogram_density, normal_density, smooth_density
from course_lib.measure.divergences import js, kl, optimal_discriminator
from course_lib.measure.likelihood import bits_per_dimension
from course_lib.measure.shape import ink, slant, thickness
from course_lib.measure.transport import normal_quantiles, recovered, wasserstein1

__all__ = ["bits_per_dimension", "histogram_density", "ink", "js", "kl", "normal_density", "normal_quantiles",
           "optimal_discriminator", "recovered", "slant", "smooth_density", "thickness", "wasserstein1"]
