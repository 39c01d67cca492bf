"""The moment matching generator in training."""

import pytest
import torch

from course_lib.experiments import load, run, save
from course_lib.experiments.mmd2d import MMDExperiment, MMDHyperparameters


def train(e, steps):
    return [metrics["mmd2"].item() for metrics in run(e, steps, progress=False)]


def test_train_20_is_train_10_save_and_train_10(tmp_path):
    whole, part, other = (MMDExperiment(seed=seed) for seed in (1, 1, 2))
    train(whole, 20), train(part, 10)
    save(part, tmp_path / "mmd.pt")
    resumed = MMDExperiment(seed=9)
    load(resumed, tmp_path / "mmd.pt")
    assert len(resumed.snapshot()["made"]) == 400
    train(resumed, 10)
    assert resumed.digest() == whole.digest() != other.digest()


def test_it_comes_nearer_to_the_ring():
    e = MMDExperiment(MMDHyperparameters(width=0.5), seed=3)
    losses = train(e, 150)
    assert sum(losses[-20:]) < 0.3 * sum(losses[:20])
    assert set(e.evaluate(False)) == {"modes", "near"}


def test_a_kernel_without_sense_is_refused():
    with pytest.raises(ValueError, match="width"):
        MMDHyperparameters(width=0.0)


def test_samples_are_always_from_the_same_noise():
    e = MMDExperiment(seed=0)
    assert torch.equal(e.samples(5), e.samples(5))
