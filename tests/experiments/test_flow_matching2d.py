"""Flow matching in the plane: what its couplings pair, when reflow takes its pairs, and what they do to the ways."""

import numpy as np
import pytest
import torch

from course_lib.data.plane import SPIRAL
from course_lib.experiments.diffusion2d import EXAMPLES, drawing_changes
from course_lib.experiments.flow_matching2d import (
    GROUP,
    POOL,
    FlowMatching2DExperiment,
    FlowMatching2DHyperparameters,
    paired,
)
from course_lib.measure import optimal_pairs, transport_cost
from course_lib.models.flow_matching import follow
from course_lib.seeds import seeded
from course_lib.training import run

H = FlowMatching2DHyperparameters


def train(experiment, steps):
    return [{k: float(v) for k, v in metrics.items()} for metrics in run(experiment, steps, progress=False)]


@pytest.fixture(scope="module")
def trained():
    """Independent pairs, then reflow: the experiment, with the metrics of both."""
    experiment = FlowMatching2DExperiment(H(data="clusters", width=32, total_steps=600), seed=1)
    before = train(experiment, 600)
    assert not experiment.set(coupling="reflow", total_steps=1200)
    return experiment, before, train(experiment, 600)


def test_reflow_makes_the_ways_straight(trained):
    _, before, after = trained
    assert [i + 1 for i in range(1, 600) if before[i]["one_step"] != before[i - 1]["one_step"]][:2] == [25, 50]
    assert 0.9 * before[0]["floor"] < np.mean([m["loss"] for m in before[-50:]]) < 1.2 * before[0]["floor"]
    assert before[-1]["straightness"] > 0.3 and before[-1]["one_step"] > 0.6
    assert after[-1]["straightness"] < 0.08 and after[-1]["one_step"] < 0.45
    assert np.mean([m["loss"] for m in after[-50:]]) < 0.05  # the floor of the new pairs is 0


def test_reflow_keeps_the_pairs_of_the_flow_that_was(trained):
    experiment, _, _ = trained
    eps, x = experiment.pairs.eps, experiment.pairs.x
    assert experiment.pairs.taken and len(eps) == POOL and eps.std() == pytest.approx(1, abs=0.02)
    assert experiment.mixture.log_prob(x, 1.0, 0.0).mean() > -3.5
    batch_x, _, batch_eps = experiment.next_batch()
    picked = torch.cdist(batch_eps, eps).argmin(dim=1)
    assert torch.equal(eps[picked], batch_eps) and torch.equal(x[picked], batch_x)


def test_who_comes_back_to_reflow_takes_new_pairs():
    experiment = FlowMatching2DExperiment(H(data="clusters", width=8, batch_size=16, coupling="reflow"))
    train(experiment, 2)
    first = experiment.pairs.x.clone()
    train(experiment, 2)
    assert torch.equal(experiment.pairs.x, first)
    experiment.set(learning_rate=1e-3)
    train(experiment, 1)
    assert torch.equal(experiment.pairs.x, first)
    experiment.set(coupling="independent")
    train(experiment, 3)
    experiment.set(coupling="reflow")
    train(experiment, 1)
    assert not torch.equal(experiment.pairs.x, first)
    experiment.reset(1)
    assert not experiment.pairs.taken


def test_optimal_transport_pairs_within_groups():
    x, eps = torch.randn(2, 2 * GROUP + 10, 2, generator=seeded())
    ordered = paired(x, eps)
    for start in (0, GROUP, 2 * GROUP):
        part = slice(start, start + GROUP)
        again = optimal_pairs(x[part].numpy(), ordered[part].numpy())
        assert np.array_equal(again, np.arange(len(again)))  # nothing is left to gain
        assert torch.equal(ordered[part].sort(dim=0).values, eps[part].sort(dim=0).values)  # the same noises
    assert transport_cost(x.numpy(), ordered.numpy()) < 0.3 * transport_cost(x.numpy(), eps.numpy())
    experiment = FlowMatching2DExperiment(H(data="clusters", coupling="optimal transport", batch_size=128))
    batch_x, t, batch_eps = experiment.next_batch()
    assert torch.equal(paired(batch_x, batch_eps), batch_eps) and 0.001 <= t.min() < 0.01 < 0.99 < t.max() <= 0.999


def test_samples_and_pictures_follow_the_averaged_network(trained):
    experiment, _, _ = trained
    seen = experiment.snapshot()
    eps = experiment.own_eps
    by_hand = follow(lambda x, t: experiment.average(x, t), eps, 8, "euler").detach()
    assert np.allclose(seen["eight_steps_made"], by_hand.numpy(), atol=1e-5)
    assert np.allclose(seen["one_step_made"], (eps - experiment.velocity(eps, torch.ones(len(eps)))).detach().numpy(),
                       atol=1e-5)
    assert seen["net_noise"].min() == pytest.approx(-2) and seen["net_noise"].shape == seen["net_data"].shape
    assert seen["density"].sum() * (6 / 48) ** 2 == pytest.approx(1, abs=0.02)


def test_what_is_drawn_becomes_the_data():
    experiment = FlowMatching2DExperiment(H(width=8))
    assert experiment.set(**drawing_changes(EXAMPLES[1])) and experiment.hyperparameters.drawing == SPIRAL
