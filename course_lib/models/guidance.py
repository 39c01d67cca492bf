"""Classifier-free guidance on the line, exactly: where the guided velocity carries noise, and what one hoped for.

Of a mixture p(x) and one class y of it all velocities on the way from noise to data are known. Guidance follows

    v_w = v_∅ + w·(v_y − v_∅)            the guided velocity: w = 1 is v_y, no guidance

whose score at time t is that of p_t(x) p_t(y | x)^w. That is *not* what noise makes of the tilted density

    q(x) ∝ p(x) p(y | x)^w ,

so following v_w does not lead to q, except for w = 0 and w = 1. On the line trajectories cannot cross: a draw z of
N(0, 1) ends at an increasing function x(z), and its density is that of z over dx/dz.

References:
    J. Ho, T. Salimans, Classifier-Free Diffusion Guidance, 2022: equation 6, whose w is ours less 1.
    A. Bradley, P. Nakkiran, Classifier-Free Guidance is a Predictor-Corrector, TMLR 2025: the guided way does not lead
        to the tilted density.
"""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.models.flow_matching import PATH, Field, follow
from course_lib.models.noised import NoisedMixture

REACH = 8.0  # of the noise, in its standard deviations
NODES = 4001


def guided_line(whole: NoisedMixture, part: NoisedMixture, w: float) -> Field:
    """v_w = v_∅ + w·(v_y − v_∅), where `whole` is p(x) and `part` is p(x | y): points `[n, D]`, times `[n]`."""

    def field(x: Tensor, t: Tensor) -> Tensor:
        v_none, v_y = (mixture.field("velocity", x, t, PATH) for mixture in (whole, part))
        return v_none + w * (v_y - v_none)

    return field


def pushed(field: Field, steps: int = 400) -> tuple[Tensor, Tensor]:
    """Where a field on the line carries N(0, 1) from t = 1 to 0: ends x `[m]`, rising, and the density there `[m]`.

    Midpoint steps, none of which asks the field at t = 0, where some are not defined.

    Raises:
        ValueError: ends that do not rise: the steps are too few.
    """
    z = torch.linspace(-REACH, REACH, NODES, dtype=torch.float64)
    x = follow(field, z[:, None], steps, "midpoint")[:, 0]
    (slope,) = torch.gradient(x, spacing=(z,))
    if not (x.diff() > 0).all():
        raise ValueError(f"trajectories on the line cannot cross, and after {steps} steps these have: take more")
    return x, torch.exp(-0.5 * z**2) / (2 * torch.pi) ** 0.5 / slope


def tilted(whole: NoisedMixture, part: NoisedMixture, w: float, x: Tensor) -> Tensor:
    """q(x) ∝ p(x) p(y | x)^w at rising points x `[m]` of the line, `[m]`, normalised over them by trapezoids."""
    log_p, log_p_y = (mixture.log_prob(x[:, None]) for mixture in (whole, part))
    log_q = log_p + w * (log_p_y - log_p)  # p(y | x) = p(y) p(x | y)/p(x), and p(y) is a constant
    q = (log_q - log_q.max()).exp()
    return q / torch.trapezoid(q, x)


def mean_and_deviation(x: Tensor, density: Tensor) -> tuple[float, float]:
    """Of a density `[m]` at rising points x `[m]` of the line, by trapezoids."""
    mean = torch.trapezoid(density * x, x)
    return mean.item(), torch.trapezoid(density * (x - mean) ** 2, x).sqrt().item()
