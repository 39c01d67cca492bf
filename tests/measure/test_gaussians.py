import numpy as np
import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from course_lib.measure import kl, kl_diagonal, kl_standard, kl_standard_log_std, normal_density

Z = np.linspace(-15, 15, 6_001)


def draw(shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(4)]


@pytest.mark.parametrize("shape", [(5, 3), (1, 7), (4,), (2, 3, 6), (9, 1)])
def test_kl_is_that_of_torch_distributions(shape):
    mean_q, log_var_q, mean_p, log_var_p = draw(shape)
    q, p = (Independent(Normal(mean, (log_var / 2).exp()), 1)
            for mean, log_var in ((mean_q, log_var_q), (mean_p, log_var_p)))
    torch.testing.assert_close(kl_diagonal(mean_q, log_var_q, mean_p, log_var_p), kl_divergence(q, p))
    standard = Independent(Normal(torch.zeros_like(mean_p), 1.0), 1)
    torch.testing.assert_close(kl_standard(mean_q, log_var_q), kl_divergence(q, standard))


def test_both_parametrisations_by_quadrature_at_random_widths():
    rng = np.random.default_rng(0)
    for mu, s in rng.uniform(-1, 0.6, size=(10, 2)):
        truth = kl(normal_density(Z, mu, np.exp(s)), normal_density(Z, 0, 1), Z)
        mean, log_std = torch.tensor([mu]), torch.tensor([s])
        assert kl_standard_log_std(mean, log_std).item() == pytest.approx(truth, abs=1e-8)
        assert kl_standard(mean, 2 * log_std).item() == pytest.approx(truth, abs=1e-8)
        assert 0.5 * (np.exp(2 * s) - 1 - 2 * s + mu**2) == pytest.approx(truth, abs=1e-8)


def test_two_gaussians_by_quadrature():
    q, p = normal_density(Z, -0.4, 0.7), normal_density(Z, 0.9, 1.3)
    numbers = (torch.tensor([v], dtype=torch.float64) for v in (-0.4, 2 * np.log(0.7), 0.9, 2 * np.log(1.3)))
    assert kl_diagonal(*numbers).item() == pytest.approx(kl(q, p, Z), abs=1e-8)


def test_monte_carlo_agrees_within_four_standard_errors():
    mean, log_var, mean_p, log_var_p = draw((3,), seed=5)
    noise = torch.randn(100_000, 3, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    z = mean + (log_var / 2).exp() * noise
    terms = (Normal(mean, (log_var / 2).exp()).log_prob(z) - Normal(mean_p, (log_var_p / 2).exp()).log_prob(z)).sum(1)
    error = terms.std() / len(terms) ** 0.5
    assert abs(terms.mean() - kl_diagonal(mean, log_var, mean_p, log_var_p)) < 4 * error


def test_it_is_zero_only_for_equals_and_keeps_its_digits_near_zero():
    mean_q, log_var_q, *_ = draw((6, 4))
    assert torch.equal(kl_diagonal(mean_q, log_var_q, mean_q, log_var_q), torch.zeros(6, dtype=torch.float64))
    tiny = torch.tensor([1e-7], dtype=torch.float64)
    assert kl_standard(0 * tiny, tiny).item() == pytest.approx(1e-14 / 4, rel=1e-3, abs=0)
    assert (kl_diagonal(*draw((50, 3), seed=3)) > 0).all()


def test_dimensions_add_up_and_p_may_be_one_for_all_rows():
    mean_q, log_var_q, mean_p, log_var_p = draw((5, 3))
    parts = sum(kl_diagonal(*(v[:, [j]] for v in (mean_q, log_var_q, mean_p, log_var_p))) for j in range(3))
    torch.testing.assert_close(kl_diagonal(mean_q, log_var_q, mean_p, log_var_p), parts)
    one = kl_diagonal(mean_q, log_var_q, mean_p[0], log_var_p[0])
    torch.testing.assert_close(one, kl_diagonal(mean_q, log_var_q, mean_p[:1].expand(5, 3), log_var_p[:1].expand(5, 3)))


def test_gradients_against_finite_differences():
    arguments = [v.requires_grad_() for v in draw((3, 2))]
    assert torch.autograd.gradcheck(kl_diagonal, arguments)
    assert torch.autograd.gradcheck(kl_standard_log_std, arguments[:2])


@pytest.mark.parametrize(("shapes", "message"), [
    (((4,), (4, 1), (4,), (4,)), r"q's means and logarithms must have one shape, not \(4,\) and \(4, 1\)"),
    (((4, 2), (4, 2), (2,), (1,)), "p's means and logarithms must have one shape"),
    (((4, 2), (4, 2), (4, 1), (4, 1)), "q has 2 dimensions and p has 1"),
    (((), (), (), ()), r"give shape \(1,\)"),
])
def test_shapes_that_would_add_up_wrongly_are_refused(shapes, message):
    with pytest.raises(ValueError, match=message):
        kl_diagonal(*(torch.zeros(shape) for shape in shapes))
