"""The moment matching generator in training."""

import torch

from course_lib.experiments.mmd2d import MMDExperiment, MMDHyperparameters
from course_lib.training import run


def train(e, steps):
    return [metrics["mmd2"].item() for metrics in run(e, steps, progress=False)]


def test_it_comes_nearer_to_the_ring():
    e = MMDExperiment(MMDHyperparameters(width=0.5), seed=3)
    losses = train(e, 150)
    assert sum(losses[-20:]) < 0.3 * sum(losses[:20])
    assert set(e.evaluate(False)) == {"modes", "near"}


def test_samples_are_always_from_the_same_noise():
    e = MMDExperiment(seed=0)
    assert torch.equal(e.samples(5), e.samples(5)) and len(e.snapshot()["made"]) == 400
