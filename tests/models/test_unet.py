"""The U-Net: what it starts as, what reaches what, and what it refuses."""

import pytest
import torch

from course_lib.models.unet import NO_LABEL, ChannelNorm, UNet
from course_lib.seeds import seeded


def network(seed: int = 0, moved: bool = True) -> UNet:
    """A narrow one, in float64; moved away from its start, where it is the zero function."""
    net = UNet(width=4, generator=seeded(seed)).double()
    if moved:
        generator = seeded(seed + 1)
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype))
    return net


def batch(n: int = 3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = seeded(5)
    return (torch.randn(n, 1, 28, 28, generator=generator, dtype=torch.float64),
            torch.rand(n, generator=generator, dtype=torch.float64), torch.tensor([0, 7, NO_LABEL])[:n])


def test_it_starts_as_zero_and_learns_from_the_first_step():
    net = network(moved=False)
    x, t, y = batch()
    out = net(x, t, y)
    assert torch.equal(out, torch.zeros_like(x))
    (out - x).square().mean().backward()
    assert net.last.weight.grad.abs().max() > 0


def test_every_parameter_learns():
    net = network()
    net(*batch()).square().mean().backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in net.parameters())


def test_images_of_a_batch_do_not_meet():
    net, (x, t, y) = network(), batch()
    together, alone = net(x, t, y), net(x[1:2], t[1:2], y[1:2])
    torch.testing.assert_close(together[1:2], alone)


@pytest.mark.parametrize("changed", ["x", "t", "y"])
def test_image_time_and_label_all_matter(changed):
    net, (x, t, y) = network(), batch()
    other = {"x": x + 0.1, "t": t * 0.9, "y": (y + 1) % 10}[changed]
    with_other = {"x": (other, t, y), "t": (x, other, y), "y": (x, t, other)}[changed]
    assert (net(x, t, y) - net(*with_other)).abs().amax((1, 2, 3)).min() > 1e-6


def test_what_is_drawn_in_a_corner_reaches_the_opposite_one():
    net, (x, t, y) = network(), batch(1)
    x.requires_grad_()
    net(x, t, y)[0, 0, 0, 0].backward()
    assert x.grad[0, 0, 14, 14] != 0 and x.grad[0, 0, 0, 0] != 0


def test_weights_come_from_the_generator():
    states = [UNet(4, generator=seeded(seed)).state_dict() for seed in (1, 1, 2)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert any(not torch.equal(states[0][name], states[2][name]) for name in states[0])


def test_channel_norm_is_layer_norm_of_each_pixel():
    x, norm = batch()[0].reshape(3, 4, 14, 14), ChannelNorm(4).double()
    out = norm(x)
    torch.testing.assert_close(out.mean(1), torch.zeros(3, 14, 14, dtype=torch.float64))
    torch.testing.assert_close(out[1, :, 3, 2], torch.nn.functional.layer_norm(x[1, :, 3, 2], (4,)))


@pytest.mark.parametrize(("shapes", "told"), [(((3, 28, 28), (3,), (3,)), "shapes"), (((3, 1, 28, 28), (1,), (3,)),
                                              "shapes"), (((3, 1, 28, 28), (3,), (2,)), "shapes")])
def test_other_shapes_are_refused(shapes, told):
    x, t, y = torch.zeros(shapes[0]), torch.zeros(shapes[1]), torch.zeros(shapes[2], dtype=torch.int64)
    with pytest.raises(ValueError, match=told):
        UNet(4, generator=seeded())(x, t, y)


@pytest.mark.parametrize("label", [-1, 11])
def test_a_label_that_there_is_not_is_refused(label):
    with pytest.raises(ValueError, match="labels run from 0 to 9, and 10 is no label"):
        UNet(4, generator=seeded())(torch.zeros(1, 1, 28, 28), torch.zeros(1), torch.tensor([label]))
