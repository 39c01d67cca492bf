import itertools
import math

import pytest
import torch

from course_lib.data import sprites
from course_lib.data.sprites import (
    BLOCKS,
    FAVOURITES,
    N_COLOURS,
    SCHEMES,
    SPECIES,
    Sprites,
    jittered_rgb,
    to_rgb,
    whole,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def brute_force(x):
    """log p of one left half [12, 6]: every combination of all parts, written down as the module's text says it."""
    log_ps = []
    combinations = torch.tensor(list(itertools.product(*(range(len(block)) for block in BLOCKS.values()))))
    drawings = [["".join(drawing.split()) for drawing in block] for block in BLOCKS.values()]
    pictures = ["".join(drawings[b][k] for b, k in enumerate(combination)) for combination in combinations.tolist()]
    roles = torch.tensor([[sprites.ROLES.index(role) for role in picture] for picture in pictures])
    for scheme in range(len(SCHEMES)):
        def colour(role, scheme=scheme):
            return sprites._OWN.get(role, int(SCHEMES[scheme][min(sprites.ROLES.index(role), 5)]))

        p = torch.empty(len(sprites.ROLES), N_COLOURS, dtype=torch.float64)
        for k, role in enumerate(sprites.ROLES):
            second, often = sprites._SECOND.get(role, (role, 0))
            for c in range(N_COLOURS):
                p[k, c] = 0.02 / 16 + 0.98 * ((1 - often) * (c == colour(role)) + often * (c == colour(second)))
        of_pixels = p.log()[roles, x.flatten()].sum(1)
        for species in SPECIES:
            log_p = of_pixels
            for b, liking in enumerate(FAVOURITES[species]):
                log_liking = torch.tensor([math.log(w / sum(liking)) for w in liking], dtype=torch.float64)
                log_p = log_p + log_liking[combinations[:, b]]
            log_ps.append(log_p)
    return torch.cat(log_ps).logsumexp(0) - math.log(12 * 4)


def test_brute_force_over_all_combinations_agrees():
    assert math.prod(len(block) for block in BLOCKS.values()) * 12 * 4 == 82_944
    x = torch.cat([Sprites().sample(2, seeded()), torch.randint(16, (1, 12, 6), generator=seeded(1))])
    exact = torch.stack([brute_force(picture) for picture in x])
    torch.testing.assert_close(Sprites().log_prob(x), exact, atol=1e-10, rtol=0)


def test_each_block_is_a_distribution_and_so_is_each_pixel():
    tables = sprites._tables()
    torch.testing.assert_close(tables.colours.sum(2), torch.ones(12, len(sprites.ROLES), dtype=torch.float64))
    assert all(torch.allclose(p.sum(1), torch.ones(4, dtype=torch.float64)) for p in tables.drawings)
    assert [len(block) for block in BLOCKS.values()] == [8, 6, 6, 6]
    assert sum(roles.shape[1] for roles in tables.roles) == 72
    assert len(torch.unique(sprites.PALETTE, dim=0)) == 16


def test_samples_are_as_frequent_as_the_probabilities_say():
    n = 20_000
    x = Sprites().sample(n, seeded())
    frequency = torch.nn.functional.one_hot(x, 16).double().mean(0)
    p = Sprites().pixel_probabilities()
    torch.testing.assert_close(p.sum(2), torch.ones(12, 6, dtype=torch.float64))
    assert ((frequency - p).abs() < 5.5 * (p * (1 - p) / n).sqrt()).all()


def test_the_entropy_lies_where_it_was_measured_and_below_independent_pixels():
    entropy = Sprites().entropy(4000, seeded())
    assert entropy.standard_error < 0.25
    independent = Sprites().independent_entropy()
    p = Sprites().pixel_probabilities()
    x = Sprites().sample(4000, seeded(1))
    by_sampling = -p.log().view(72, 16)[torch.arange(72), x.flatten(1)].sum(1)
    assert independent == pytest.approx(by_sampling.mean().item(), abs=4 * by_sampling.std().item() / 4000**0.5)
    assert entropy.value < independent / 2


def test_pictures_are_mirrored_and_coloured():
    x = Sprites().sample(5, seeded())
    pictures = whole(x)
    assert pictures.shape == (5, 12, 12) and torch.equal(pictures, pictures.flip(2))
    rgb = to_rgb(pictures)
    assert rgb.shape == (5, 12, 12, 3) and rgb.min() >= 0 and rgb.max() <= 1
    assert torch.equal((rgb * 255).round().long(), sprites.PALETTE[pictures])
    jittered = jittered_rgb(pictures, seeded(), std=0.02)
    assert (jittered - rgb).std().item() == pytest.approx(0.02, rel=0.1) and not torch.equal(jittered, rgb)
    distance = (jittered[..., None, :] - to_rgb(torch.arange(16))).norm(dim=-1)
    assert (distance.argmin(-1) == pictures).float().mean() > 0.999


def test_the_seed_decides_and_nothing_else():
    before = torch.get_rng_state()
    a, b, c = (Sprites().sample(50, seeded(seed)) for seed in (3, 3, 4))
    assert torch.equal(a, b) and not torch.equal(a, c) and torch.equal(torch.get_rng_state(), before)
    parts = Sprites().sample_parts(2000, seeded())
    assert parts.max(0).values.tolist() == [11, 3, 7, 5, 5, 5] and parts.min() == 0


def test_what_does_not_fit_is_told():
    x = Sprites().sample(2, seeded())
    with pytest.raises(ValueError, match=r"take the left half, x\[:, :, :6\]"):
        Sprites().log_prob(whole(x))
    with pytest.raises(ValueError, match="colour numbers"):
        Sprites().log_prob(x.float())
    with pytest.raises(ValueError, match="reach from"):
        Sprites().log_prob(x + 16)


def test_conditionals_are_those_of_the_chain_rule_in_any_order():
    x = Sprites().sample(6, seeded(3))
    x[0] = torch.randint(16, (12, 6), generator=seeded(4))  # an unlikely one, too
    order, z, log_p = torch.randperm(72, generator=seeded(5)), torch.full((6, 12, 6), 16), 0
    for step, j in enumerate(order.tolist()):
        i, j = divmod(j, 6)
        p = Sprites().conditionals(z)
        assert p.sum(1).sub(1).abs().max() < 1e-12
        log_p = log_p + p[torch.arange(6), x[:, i, j], i, j].log()
        z[:, i, j] = x[:, i, j]
        if step % 20 == 0:
            torch.testing.assert_close(Sprites().log_prob_seen(z), log_p, atol=1e-10, rtol=0)
    torch.testing.assert_close(log_p, Sprites().log_prob(x), atol=1e-9, rtol=0)


def test_a_seen_pixel_is_certain_and_none_seen_gives_each_by_itself():
    x = Sprites().sample(3, seeded())
    assert torch.equal(Sprites().conditionals(x).argmax(1), x) and Sprites().conditionals(x).amax(1).eq(1).all()
    p = Sprites().conditionals(torch.full((1, 12, 6), 16))[0]
    torch.testing.assert_close(p.movedim(0, 2), Sprites().pixel_probabilities())


@pytest.mark.parametrize("ask", [Sprites().conditionals, Sprites().log_prob_seen])
def test_more_than_a_mask_is_refused(ask):
    with pytest.raises(ValueError, match="0 … 16"):
        ask(torch.full((1, 12, 6), 17))
    with pytest.raises(ValueError, match="0 … 15"):
        Sprites().log_prob(torch.full((1, 12, 6), 16))
