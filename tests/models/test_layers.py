import numpy as np
import pytest
import torch
from torch import nn

from course_lib.models.layers import check_images, init_layer, joined, mlp


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("kind", "arguments"), [(nn.Linear, (50, 400)), (nn.Conv2d, (8, 64, 3))])
def test_first_weights_are_spread_as_pytorch_spreads_them(kind, arguments):
    """Both are uniform up to a bound that no draw passes; what is drawn without a seed is held against nothing else."""
    ours, theirs = init_layer(kind, *arguments, generator=seeded()), kind(*arguments)
    bound = ours.weight[0].numel() ** -0.5
    for mine, reference in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert mine.shape == reference.shape
        assert max(mine.abs().max(), reference.abs().max()) <= bound
        assert mine.std().item() == pytest.approx(bound / 3**0.5, rel=0.2)


def test_first_weights_come_from_the_generator_alone():
    before = torch.get_rng_state()
    a, b, c = (mlp([4, 3, 2], seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(a[0].weight, b[0].weight) and not torch.equal(a[0].weight, c[0].weight)


def test_mlp_has_relu_between_layers_and_none_at_the_end():
    net, x = mlp([4, 3, 2], seeded()), torch.randn(5, 4, generator=seeded())
    hidden = np.maximum(x.numpy() @ net[0].weight.detach().numpy().T + net[0].bias.detach().numpy(), 0)
    expected = hidden @ net[2].weight.detach().numpy().T + net[2].bias.detach().numpy()
    np.testing.assert_allclose(net(x).detach().numpy(), expected, atol=1e-6)
    assert len(mlp([4, 2], seeded())) == 1


@pytest.mark.parametrize(("x", "told"), [
    (torch.zeros(3, 28, 28), r"not \[3, 28, 28\]: flatten the images"),
    (torch.zeros(3, 100), r"shape \[n, 784\], not \[3, 100\]$"),
    (torch.zeros(784), r"not \[784\]"),
    (torch.zeros(3, 784, dtype=torch.uint8), "floating type, not torch.uint8"),
    (torch.full((3, 784), 255.0), "from 255 to 255: bytes must be divided"),
    (torch.full((3, 784), -1.0), "made for a tanh"),
    (torch.full((3, 784), torch.nan), "NaN or infinite"),
    (torch.full((3, 784), torch.inf), "NaN or infinite"),
])
def test_what_is_no_image_is_told(x, told):
    with pytest.raises(ValueError, match=told):
        check_images(x, 784)


def test_what_is_an_image_passes():
    check_images(torch.rand(3, 784, generator=seeded()), 784)
    check_images(torch.rand(0, 784), 784)
    check_images(torch.full((3, 784), -1.0), 784, unit_range=False)


def test_parts_are_joined_in_order_and_too_few_or_too_many_are_told():
    x = torch.rand(7, 2, generator=seeded()).double()
    assert joined(iter(x.split(3)), 7).equal(x) and joined(iter(x[:0].split(3)), 0).equal(x[:0])
    with pytest.raises(ValueError, match="have 6 rows, not 7"):
        joined(x[:6].split(3), 7)
    with pytest.raises(ValueError, match="more than 5 rows"):
        joined(x.split(3), 5)
