import copy

import pytest
import torch

from course_lib.models.coupled import CoupledDiscriminator, CoupledGenerator
from course_lib.models.dcgan import Discriminator, Generator, noise


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("preset", ["course", "deep"])
def test_nothing_shared_it_is_two_dcgans(preset):
    coupled, generator = CoupledGenerator(0, preset, 4, generator=seeded()), seeded()
    alone = [Generator(preset, width=4, generator=generator) for _ in range(2)]
    z = noise(5, seeded(1))
    for picture, G in zip(coupled(z), alone, strict=True):
        torch.testing.assert_close(picture, G(z))
    D, generator = CoupledDiscriminator(False, preset, 4, spectral_norm=True, generator=seeded()), seeded()
    judges = [Discriminator(preset, width=4, spectral_norm=True, generator=generator) for _ in range(2)]
    x, y = (t.detach() for t in coupled(z))
    for network in (D, *judges):
        network.eval()
    for logit, judge, picture in zip(D(x, y), judges, (x, y), strict=True):
        assert logit.shape == (5,)
        torch.testing.assert_close(logit, judge(picture))


@pytest.mark.parametrize("shared", [0, 1, 2])
def test_equal_tails_make_equal_pictures_only_from_shared_layers(shared):
    coupled = CoupledGenerator(shared, "course", 4, generator=seeded())
    coupled.tails[1] = copy.deepcopy(coupled.tails[0])
    first, second = coupled(noise(3, seeded(1)))
    assert torch.equal(first, second)
    with torch.no_grad():
        coupled.tails[1][0].weight.mul_(2)
        coupled.tails[1][-2].bias.add_(1)
    first, second = coupled(noise(3, seeded(1)))
    assert not torch.allclose(first, second)


@pytest.mark.parametrize(("shared", "common"), [(0, 0), (1, 100 * 16 * 49 + 2 * 16), (2, 100 * 16 * 49 + 2 * 16
                                                                                   + 16 * 4 * 16 + 2 * 4)])
def test_what_is_shared_is_counted_once(shared, common):
    one = sum(p.numel() for p in Generator(width=4, generator=seeded()).parameters())
    assert sum(p.numel() for p in CoupledGenerator(shared, "course", 4,
                                                   generator=seeded()).parameters()) == 2 * one - common


def test_d_shares_its_last_layers():
    D = CoupledDiscriminator(True, "course", 4, spectral_norm=True, generator=seeded())
    assert D.backs[0] is not D.fronts[0] and all(a is b for a, b in zip(*D.backs, strict=True))
    assert D.fronts[0][0] is not D.fronts[1][0]


def test_a_shared_layer_learns_from_both_kinds():
    coupled = CoupledGenerator(1, "course", 4, generator=seeded())
    gradients = []
    for which in (0, 1):
        coupled.zero_grad()
        coupled(noise(3, seeded(1)))[which].sum().backward()
        gradients.append((coupled.shared[0].weight.grad.abs().max().item(),
                          coupled.tails[1 - which][0].weight.grad))
    assert all(shared > 0 and (other is None or not other.any()) for shared, other in gradients)


def test_samples_are_pairs_and_everything_shared_is_refused():
    coupled = CoupledGenerator(2, "course", 4, generator=seeded()).eval()
    first, second = coupled.sample(7, seeded(3))
    assert first.shape == second.shape == (7, 28, 28) and first.min() >= 0 and second.max() <= 1
    assert torch.equal(coupled.sample(7, seeded(3))[1], second)
    for shared in (-1, 3):
        with pytest.raises(ValueError, match=f"0 to 2 blocks can be shared, not {shared}"):
            CoupledGenerator(shared, "course", 4, generator=seeded())
        with pytest.raises(ValueError, match=r"noise must have shape \[n, 100\], not \[2, 99\]"):
            coupled(torch.zeros(2, 99))
