import math

import pytest
import torch
from torch.nn import functional as F

from course_lib.models.bigan import BiGAN, Discriminator, pair_losses


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_shapes_and_ranges():
    model = BiGAN(6, 4, generator=seeded()).eval()
    x = torch.rand(5, 784, generator=seeded(1))
    z = model.encode(x)
    assert z.shape == (5, 6) and model.decode(z).shape == (5, 784)
    assert model.decode(z.view(5, 1, 6).expand(5, 3, 6)).shape == (5, 3, 784)
    assert model.sample(3, seeded()).shape == (3, 28, 28)
    assert model.decode(z).min() >= 0 and model.decode(z).max() <= 1
    logit = Discriminator(6, 4, generator=seeded())(2 * x.view(5, 1, 28, 28) - 1, z)
    assert logit.shape == (5,)


def test_flat_pictures_and_those_of_the_players_are_the_same():
    model = BiGAN(6, 4, generator=seeded()).eval()
    x = torch.rand(5, 784, generator=seeded(1))
    torch.testing.assert_close(model.encode(x), model.E(2 * x.view(5, 1, 28, 28) - 1))
    z = torch.randn(5, 6, generator=seeded(2))
    torch.testing.assert_close(2 * model.decode(z).view(5, 1, 28, 28) - 1, model.G(z))


def test_what_does_not_fit_is_told():
    model = BiGAN(6, 4, generator=seeded())
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        model.encode(torch.full((2, 784), -1.0))
    with pytest.raises(ValueError, match=r"noise must have shape \[n, 6\], not \[2, 100\]"):
        model.G(torch.zeros(2, 100))
    with pytest.raises(ValueError, match="as many codes as images, not 3 and 2"):
        Discriminator(6, 4, generator=seeded())(torch.zeros(2, 1, 28, 28), torch.zeros(3, 6))


def test_losses_are_cross_entropies_with_the_verdicts_turned_round():
    real, made = torch.randn(2, 9, generator=seeded(), dtype=torch.float64)
    bce, one, zero = F.binary_cross_entropy_with_logits, torch.ones_like(real), torch.zeros_like(real)
    loss_d, loss_ge = pair_losses(real, made)
    torch.testing.assert_close(loss_d, bce(real, one) + bce(made, zero))
    torch.testing.assert_close(loss_ge, bce(real, zero) + bce(made, one))
    undecided = pair_losses(torch.zeros(3), torch.zeros(3))
    assert [loss.item() for loss in undecided] == pytest.approx([2 * math.log(2)] * 2)
    assert all(loss.isfinite() for loss in pair_losses(torch.tensor([-500.0]), torch.tensor([500.0])))


@pytest.mark.parametrize("sees_z", [True, False])
def test_d_hears_of_z_only_if_it_sees_it(sees_z):
    D = Discriminator(6, 4, sees_z, generator=seeded()).eval()
    x, z = torch.zeros(2, 1, 28, 28), torch.randn(2, 6, generator=seeded()).requires_grad_()
    (gradient,) = torch.autograd.grad(D(x, z).sum(), z, allow_unused=True)
    assert (gradient is not None and bool(gradient.any())) == sees_z


def test_all_that_d_sees_is_stretched_by_no_more_than_its_norms():
    D = Discriminator(6, 4, generator=seeded()).eval()
    for layer in (D.layers.down1, D.layers.down2, D.code[0], D.verdict[0]):
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.15)
