"""Small VAEs over seeds: the information of codes against exact values, and the record that notebook 04 shows."""

import math

import pytest
import torch

from course_lib.comparisons import vae_seeds
from course_lib.comparisons.runs import write_record
from course_lib.comparisons.vae_seeds import information, recorded, settings
from course_lib.files import CourseFileError


def test_codes_far_apart_tell_which_picture_it_was_and_equal_ones_nothing():
    apart = 100 * torch.arange(12.0)[:, None] * torch.ones(12, 3)
    assert information(apart, torch.zeros(12, 3)) == pytest.approx(math.log(12), abs=1e-5)
    assert information(torch.ones(12, 3), torch.zeros(12, 3)) == pytest.approx(0, abs=1e-5)


def test_the_information_of_two_overlapping_codes_is_the_integral():
    mu, log_var = torch.tensor([[-1.0], [1.0]]), torch.zeros(2, 1)
    z = torch.linspace(-9, 9, 4001, dtype=torch.float64)
    p = torch.stack([torch.distributions.Normal(m, 1.0).log_prob(z).exp() for m in (-1.0, 1.0)])
    exact = (0.5 * p * (p / p.mean(0)).log()).sum().item() * (z[1] - z[0]).item()
    assert information(mu.repeat(500, 1), log_var.repeat(500, 1), repeats=8) == pytest.approx(exact, abs=0.03)


def test_the_shipped_record_has_every_setting():
    asked = {tuple((k, v) for k, v in setting.items() if k != "seed") for setting in settings(1)}
    for setting in asked:
        rows = recorded(**dict(setting))
        assert {len(values) for values in rows.values()} == {5}
        assert set(rows) == set(vae_seeds.Measured.__dataclass_fields__)
    with pytest.raises(KeyError, match="no run of"):
        recorded("beta", beta=3.0)


def test_what_is_recorded_is_read_again_seeds_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(vae_seeds, "RECORD", tmp_path / "records" / "vae_seeds.jsonl")
    with pytest.raises(CourseFileError):
        recorded("beta", beta=1.0)
    (tmp_path / "records").mkdir()
    write_record(vae_seeds.RECORD, [({"study": "beta", "beta": 1.0, "seed": seed}, {"rate": float(seed)})
                                    for seed in (2, 0, 1)] + [({"study": "beta", "beta": 2.0, "seed": 0}, {"rate": 9})])
    assert recorded("beta", beta=1.0)["rate"].tolist() == [0, 1, 2]


def test_short_trainings_learn_and_are_the_seeds(monkeypatch):
    train, test = vae_seeds.flat_digits()
    one, again = (vae_seeds.reading_vae(seed=3, warmup=10, free_nats=0.1, steps=30) for _ in range(2))
    assert all(torch.equal(p, q) for p, q in zip(one.parameters(), again.parameters(), strict=True))
    found, before = (vae_seeds.measure(vae_seeds.beta_vae(1.0, 3, steps=steps), train, test) for steps in (60, 0))
    assert found.rate + found.distortion < before.rate + before.distortion - 5
    assert found.rate >= 0 and found.information < math.log(len(train)) + 0.05 and 0 <= found.active <= 8
    monkeypatch.setattr(vae_seeds, "FEW", 50)
    fixed, resampled = (vae_seeds.binarized_vae(anew, 0, steps=2) for anew in (False, True))
    assert not torch.equal(fixed.encoder[0].weight, resampled.encoder[0].weight)
