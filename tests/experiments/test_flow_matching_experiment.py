"""Flow matching on MNIST in training."""

import copy

import pytest
import torch

from course_lib.experiments.flow_matching import WARMUP, FlowMatchingExperiment, FlowMatchingHyperparameters
from course_lib.models.unet import NO_LABEL


@pytest.fixture
def experiment() -> FlowMatchingExperiment:
    return FlowMatchingExperiment(FlowMatchingHyperparameters(width=8, batch_size=32))


def test_the_loss_falls(experiment):
    losses = [float(experiment.step()["loss"]) for _ in range(60)]
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])


def test_a_batch_has_labels_of_its_images(experiment):
    x, eps, t, y = experiment.next_batch()
    assert x.shape == eps.shape == (32, 1, 28, 28) and t.shape == y.shape == (32,)
    assert x.min() == -1 and x.max() == pytest.approx(1) and t.min() >= 0 and t.max() < 1
    told = y != NO_LABEL
    drawn = experiment.batches.order[:32]
    assert torch.equal(y[told], experiment.labels[drawn][told]) and told.float().mean() > 0.6


def test_the_average_follows_the_network(experiment):
    start = copy.deepcopy(experiment.model.state_dict())
    for _ in range(5):
        experiment.step()
    weight = "last.bias"
    network, average = experiment.network.state_dict()[weight], experiment.model.state_dict()[weight]
    assert 0 < (average - start[weight]).norm() < (network - start[weight]).norm()
    assert not any(parameter.requires_grad for parameter in experiment.model.parameters())


def test_a_run_that_was_saved_goes_on_alike(experiment):
    for _ in range(3):
        experiment.step()
    state = copy.deepcopy(experiment.state_dict())
    other = FlowMatchingExperiment()
    other.load_state_dict(state)
    for _ in range(3):
        experiment.step(), other.step()
    assert experiment.digest() == other.digest()


def test_the_learning_rate_rises_stays_and_falls():
    e = FlowMatchingExperiment(FlowMatchingHyperparameters(width=4, batch_size=1, total_steps=1000))
    rates = []
    for steps in (0, WARMUP - 1, 400, 750, 1000):
        e.steps = steps
        rates.append(e.learning_rate / e.hyperparameters.learning_rate)
    assert rates == pytest.approx([1 / WARMUP, 1, 1, 0.5, 0])


def test_the_snapshot_shows_each_digit_twice(experiment):
    first, second = experiment.snapshot(), experiment.snapshot()
    assert first["samples"].shape == (20, 28, 28) and (first["samples"] == second["samples"]).all()
