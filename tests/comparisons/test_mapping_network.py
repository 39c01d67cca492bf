"""Generators with and without a mapping network: the data, the measures against what is known, the record."""

import pytest
import torch

from course_lib.comparisons import mapping_network
from course_lib.comparisons.mapping_network import (
    RATES,
    MappedGenerator,
    best_explained,
    energy_distance,
    explained,
    measure,
    recorded,
    relative_length,
    settings,
    square_without_corner,
    trained,
)
from course_lib.comparisons.runs import read_record
from course_lib.files import CourseFileError
from course_lib.seeds import seeded


def test_the_data_fill_three_quarters_evenly():
    x = square_without_corner(40_000, seeded())
    assert x.abs().max() <= 1 and not (x > 0).all(dim=1).any()
    for signs in ((False, False), (False, True), (True, False)):
        assert ((x > 0) == torch.tensor(signs)).all(dim=1).float().mean().item() == pytest.approx(1 / 3, abs=0.01)


def test_the_energy_distance_of_two_points_by_hand_and_of_equals():
    x, y = torch.tensor([[0.0], [2.0]]), torch.tensor([[5.0], [5.0]])
    assert energy_distance(x, y).item() == pytest.approx(2 * 4 - 2 - 0)  # 5 and 3 away; 2 apart; 0 apart
    same, other = (torch.randn(2000, 2, generator=seeded(seed)) for seed in (1, 2))
    assert abs(energy_distance(same, other)) < 0.01 < energy_distance(same, other + 1)


def test_an_affine_latent_explains_all_and_noise_nothing():
    x = square_without_corner(500, seeded())
    assert explained(x @ torch.tensor([[2.0, 1.0], [0.0, 3.0]]) + 5, x) == pytest.approx(1, abs=1e-6)
    assert explained(torch.randn(500, 2, generator=seeded(1)), x) < 0.05


def test_the_most_that_a_gaussian_explains_is_more_than_coordinates_by_rank_and_less_than_all():
    """Where each coordinate is a monotone function of one of z's, the quantile of a uniform, the share is 3/π."""
    z = torch.randn(400, 2, generator=seeded())
    assert explained(z, torch.special.ndtr(z)) == pytest.approx(3 / torch.pi, abs=0.02)
    assert 0.9 < best_explained(8) < 3 / torch.pi


def test_a_straight_map_keeps_ways_straight_and_a_bent_one_does_not():
    a, b = torch.randn(2, 50, 2, generator=seeded()).unbind()
    assert relative_length(lambda z: 3 * z + 1, a, b) == pytest.approx(1, abs=1e-5)
    quarter = torch.tensor([[0.0, 0.0]]), torch.tensor([[torch.pi / 2, 0.0]])
    bent = relative_length(lambda z: torch.stack([z[:, 0].cos(), z[:, 0].sin()], dim=1), *quarter)
    assert bent == pytest.approx(torch.pi / 2 / 2**0.5, abs=1e-3)


def test_both_generators_are_of_a_size_and_learn():
    sizes = [sum(p.numel() for p in MappedGenerator(mapped, seeded()).parameters()) for mapped in (False, True)]
    assert max(sizes) < 1.02 * min(sizes)
    before, after = (measure(trained(True, 0, steps=steps)) for steps in (0, 60))
    assert after.kl < before.kl - 0.5 and after.z_share != after.w_share
    plain = measure(trained(False, 0, steps=2))
    assert (plain.z_share, plain.z_length) == (plain.w_share, plain.w_length)


def test_the_record_has_every_setting():
    runs = [run for run, _ in read_record(mapping_network.RECORD)]
    count = len(recorded(False)["kl"])
    assert count >= 4 and len(runs) == 2 * len(RATES) * count
    assert all(run in runs for run in settings(count))
    assert set(recorded(True)) == set(mapping_network.Measured.__dataclass_fields__)
    with pytest.raises(KeyError, match="no run with mapped=True, learning_rate=2"):
        recorded(True, 2.0)


def test_a_record_that_is_missing_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(mapping_network, "RECORD", tmp_path / "none" / "mapping_network.jsonl")
    with pytest.raises(CourseFileError, match="none"):
        recorded(True)
