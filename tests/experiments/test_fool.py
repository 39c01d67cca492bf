"""Fool the discriminator: D learns what it is shown, and the arrows are minus the gradient of G's loss."""

import numpy as np
import pytest
import torch

from course_lib.experiments.fool import FoolExperiment, FoolHyperparameters
from course_lib.models.gan1d import generator_loss
from course_lib.training import run


def trained(steps=400, **places):
    experiment = FoolExperiment(FoolHyperparameters(**places), seed=0)
    *_, last = run(experiment, steps, progress=False)
    return experiment, {name: value.item() for name, value in last.items()}


def test_numbers_far_from_the_data_are_seen_through_and_pulled_towards_them():
    experiment, losses = trained(x1=0.0, x2=0.5, x3=1.0, x4=1.5, x5=2.0)
    assert losses["loss_d"] < 0.1 and losses["loss_g"] > 5
    pull = experiment.snapshot()["pull"][:, 0]  # one seed in ten turns the outermost, where D is flat, away a little
    assert pull[3:].min() > 0.3 and pull.mean() > 0.2


def test_numbers_where_the_data_lie_fool_it():
    quantiles = 4 + 0.5 * np.array([-1.28, -0.52, 0.0, 0.52, 1.28])
    _, near = trained(**{f"x{i + 1}": float(x) for i, x in enumerate(quantiles)})
    _, far = trained()
    assert near["loss_g"] < 0.8 < 8 < far["loss_g"] and near["loss_d"] > 1.3 > 0.1 > far["loss_d"]


def test_moving_a_number_acts_at_once_and_without_a_restart():
    experiment, _ = trained(steps=50)
    assert experiment.set(x3=6.5) is False and experiment.steps == 50
    assert experiment.snapshot()["numbers"][2, 0] == pytest.approx(6.5)


def test_arrows_against_finite_differences():
    experiment, _ = trained(steps=100)
    pull, h = experiment.snapshot()["pull"][:, 0], 1e-2
    for i in range(5):
        x = experiment.numbers().repeat(2, 1, 1)
        x[0, i] += h
        x[1, i] -= h
        with torch.no_grad():
            right, left = (generator_loss(experiment.D(side), "non-saturating").item() for side in x)
        assert -(right - left) / (2 * h) == pytest.approx(pull[i], abs=2e-2 + 0.05 * abs(pull[i]))
