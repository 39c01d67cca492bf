"""The flow in training: what its pictures show, and a KL that falls to where it must."""

import math

import numpy as np
import pytest
import torch

from course_lib.data.moons import MOONS
from course_lib.experiments.flow import FlowExperiment, FlowHyperparameters, square_grid
from course_lib.measure import kl, normal_density
from course_lib.models.flows import Scaling
from course_lib.training import run

H = FlowHyperparameters
SMALL = {"n_couplings": 4, "width": 16, "batch_size": 64}


def train(experiment, steps):
    return [{k: float(v) for k, v in metrics.items()} for metrics in run(experiment, steps, progress=False)]


@pytest.mark.parametrize("kind", ["additive", "affine", "spline"])
def test_additive_couplings_are_scaled_at_their_end(kind):
    assert isinstance(FlowExperiment(H(kind=kind, **SMALL)).model.layers[-1], Scaling) == (kind == "additive")


def test_training_falls_towards_the_truth_and_kl_is_measured_every_25_steps():
    experiment = FlowExperiment(H(kind="spline", learning_rate=5e-3, n_couplings=4, width=16), seed=0)
    metrics = train(experiment, 101)
    kls = [m["kl"] for m in metrics]
    assert [i + 1 for i in range(1, 101) if kls[i] != kls[i - 1]] == [25, 50, 75, 100]
    value, error = experiment.kl_by_sampling(5_000)
    assert 0 < value < 0.35 < kls[0] and error < 0.02
    assert experiment.evaluate(True)["kl"] == pytest.approx(value, abs=0.02)
    _, square = square_grid(120)
    log_p, log_q = MOONS.log_prob(square), experiment.model.log_prob(square).detach()
    by_quadrature = (log_p.exp() * (log_p - log_q)).sum().item() * (4 / 120) ** 2
    assert value == pytest.approx(by_quadrature, abs=5 * error)


def test_without_turns_the_first_coordinate_stays_a_bell():
    stuck = FlowExperiment(H(permute=False, learning_rate=5e-3, **SMALL), seed=0)
    train(stuck, 60)
    seen = stuck.snapshot()
    assert np.allclose(seen["made_x1"], normal_density(seen["axis"], 0, 1), atol=0.02)
    floor = kl(seen["real_x1"], normal_density(seen["axis"], 0, 1), seen["axis"])
    value, error = stuck.kl_by_sampling(5_000)
    assert floor > 0.15 and value > floor - 3 * error


def test_the_pictures_are_densities_and_the_grid_begins_even():
    seen = FlowExperiment(H(**SMALL), seed=0).snapshot()
    pixel = seen["axis"][1] - seen["axis"][0]
    assert seen["density"].shape == (64, 64) and seen["grid_x"].shape == seen["grid_z"].shape == (15, 15, 2)
    assert seen["real_x1"].sum() * pixel == pytest.approx(1, abs=1e-3)
    assert seen["made_x1"].sum() * pixel == pytest.approx(math.erf(2 / math.sqrt(2)) ** 2, abs=1e-3)
    assert np.allclose(seen["grid_x"], seen["grid_z"], atol=1e-5)  # a new flow is the identity
    assert seen["real"].shape == seen["made"].shape == (256, 2)
    between = np.diff(torch.special.ndtr(torch.from_numpy(seen["grid_z"][0, :, 0])))
    assert np.allclose(between, between[0], atol=1e-5)
