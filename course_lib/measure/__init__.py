"""How good is a model? Functions of arrays, in nats where they measure information."""

from course_lib.measure.bounds import effective_sample_size, iw_bound, ratio_moments
from course_lib.measure.classes import classifier_score, coverage_kl, within_class_variance
from course_lib.measure.densities import histogram_density, normal_density, smooth_density
from course_lib.measure.divergences import js, kl, optimal_discriminator
from course_lib.measure.frechet import frechet_bias, frechet_distance, gaussian_frechet_distance
from course_lib.measure.gaussians import kl_diagonal, kl_standard, kl_standard_log_std
from course_lib.measure.images import nearest_neighbours, sharpness
from course_lib.measure.information import counts, information_bound, mutual_information, purity
from course_lib.measure.likelihood import bits_per_dimension
from course_lib.measure.manifolds import PrecisionRecall, precision_recall
from course_lib.measure.mmd import gaussian_kernel, kid, mmd2, mmd2_gaussians
from course_lib.measure.modes import Modes, cell_divergences, cell_shares, count_modes
from course_lib.measure.rate_distortion import gaussian_rate_distortion
from course_lib.measure.scoring import energy_score
from course_lib.measure.shape import ink, slant, thickness
from course_lib.measure.transport import (
    normal_quantiles,
    optimal_pairs,
    recovered,
    sliced_wasserstein2,
    straightness,
    transport_cost,
    wasserstein1,
)
from course_lib.measure.unmixing import amari_error

__all__ = ["Modes", "PrecisionRecall", "amari_error", "bits_per_dimension", "cell_divergences", "cell_shares",
           "classifier_score", "count_modes", "counts", "coverage_kl", "effective_sample_size", "energy_score",
           "frechet_bias", "frechet_distance", "gaussian_frechet_distance", "gaussian_kernel",
           "gaussian_rate_distortion", "histogram_density", "information_bound", "ink", "iw_bound", "js", "kid", "kl",
           "kl_diagonal", "kl_standard", "kl_standard_log_std", "mmd2", "mmd2_gaussians", "mutual_information",
           "nearest_neighbours", "normal_density", "normal_quantiles", "optimal_discriminator", "optimal_pairs",
           "precision_recall", "purity", "ratio_moments", "recovered", "sharpness", "slant", "sliced_wasserstein2",
           "smooth_density", "straightness", "thickness", "transport_cost", "wasserstein1", "within_class_variance"]
