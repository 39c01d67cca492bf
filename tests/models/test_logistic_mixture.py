"""The discretized logistic mixture: differences of σ, sums of one, gradients by finite differences."""

import pytest
import torch

from course_lib.models.logistic_mixture import level_log_probs


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    """Parameters [*shape, 3, K = 4] in float64, means in and around 0 … 255, scales from a tenth of a level to 50."""
    rng = torch.Generator().manual_seed(seed)
    logits, mean, log_scale = torch.randn(3, *shape, 4, generator=rng, dtype=torch.float64)
    return torch.stack([logits, 128 + 90 * mean, 1 + 1.5 * log_scale], dim=-2)


@pytest.mark.parametrize("n_levels", [2, 17, 256])
def test_probabilities_are_differences_of_the_distribution_function(n_levels):
    parameters = draw(3, 2)
    logits, mean, log_scale = parameters.unsqueeze(-3).unbind(-2)
    edges = torch.arange(n_levels - 1, dtype=torch.float64)[:, None] + 0.5
    cdf = (logits.softmax(-1) * torch.sigmoid((edges - mean) * (-log_scale).exp())).sum(-1)
    expected = torch.nn.functional.pad(torch.nn.functional.pad(cdf, (1, 0)), (0, 1), value=1.0).diff(dim=-1)
    assert torch.allclose(level_log_probs(parameters, n_levels).exp(), expected, atol=1e-14)


@pytest.mark.parametrize(("dtype", "near"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_probabilities_add_up_to_one_even_where_a_bump_is_thin_or_far_off(dtype, near):
    parameters = torch.stack([draw(50), draw(50) * torch.tensor([[1.0], [10.0], [3.0]])]).to(dtype)
    log_p = level_log_probs(parameters, 256)
    assert log_p.isfinite().all() and (log_p.exp().sum(-1) - 1).abs().max() < near


def test_gradients_are_those_of_finite_differences():
    assert torch.autograd.gradcheck(lambda p: level_log_probs(p, 6), draw(2, seed=3)[:, :, :2].requires_grad_())


def test_what_does_not_fit_is_told():
    with pytest.raises(ValueError, match="shape"):
        level_log_probs(torch.zeros(4, 2), 256)
    with pytest.raises(ValueError, match="n_levels"):
        level_log_probs(torch.zeros(3, 2), 1)
    with pytest.raises(ValueError, match="scale"):
        level_log_probs(torch.tensor([[0.0], [0.0], [-1e4]]), 256)
