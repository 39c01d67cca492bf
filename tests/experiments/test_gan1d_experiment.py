import math

import numpy as np
import pytest
import torch

from course_lib.comparisons.gan1d_seeds import score, train_many
from course_lib.experiments.gan1d import TEXTBOOK, GAN1DExperiment, GAN1DHyperparameters
from course_lib.models.gan1d import real_data
from course_lib.training import run


def train(experiment, steps):
    return [{k: float(v) for k, v in metrics.items()} for metrics in run(experiment, steps, progress=False)]


def flat(network):
    return torch.cat([p.detach().ravel() for p in network.parameters()])


@pytest.mark.parametrize("minibatch", [False, True])
@pytest.mark.parametrize("noise", ["normal", "textbook"])
def test_many_seeds_at_once_are_the_same_as_one_by_one(minibatch, noise):
    h = GAN1DHyperparameters(minibatch=minibatch, noise=noise, d_steps=2, batch_size=8, learning_rate_d=5e-3)
    torch.set_default_dtype(torch.float64)
    try:
        together = train_many(h, seeds=[5, 1, 9], steps=10)
        for many in together:
            alone = GAN1DExperiment(h, many.seed)
            train(alone, 10)
            for network in ("G", "D"):
                both = flat(getattr(many, network)), flat(getattr(alone, network))
                torch.testing.assert_close(*both, atol=1e-5, rtol=0)
            assert many.steps == 10 and torch.equal(many.generator.get_state(), alone.generator.get_state())
    finally:
        torch.set_default_dtype(torch.float32)


def test_the_metrics_are_the_losses_of_the_definition():
    experiment = GAN1DExperiment(GAN1DHyperparameters(learning_rate_d=1e-5, learning_rate_g=1e-5))
    metrics = experiment.step()
    assert set(metrics) == {"loss_d", "loss_g"}
    assert all(m.dim() == 0 and not m.requires_grad for m in metrics.values())
    for linear in (experiment.D.out.W, experiment.D.out.b):
        linear.data.zero_()
    metrics = experiment.step()
    assert metrics["loss_d"].item() == pytest.approx(2 * math.log(2), abs=1e-3)
    assert metrics["loss_g"].item() == pytest.approx(math.log(2), abs=1e-3)


def test_what_changes_the_networks_needs_a_restart():
    fields = GAN1DHyperparameters.fields()
    assert {name for name, k in fields.items() if k.restart} == {"minibatch", "hidden_size", "activation", "init"}
    experiment = GAN1DExperiment()
    assert experiment.set(minibatch=False) and experiment.D.minibatch is None


def test_what_is_measured_disturbs_nothing():
    watched, alone = GAN1DExperiment(), GAN1DExperiment()
    for _ in range(3):
        watched.generator_gradients(), watched.samples(100), watched.loss_of_d(400), train(watched, 1)
    train(alone, 3)
    assert watched.digest() == alone.digest()
    assert {a.shape for a in watched.snapshot().values()} == {(321,)}


def test_the_picture_of_d_is_the_mean_over_real_batches():
    experiment = GAN1DExperiment(GAN1DHyperparameters(batch_size=6))
    grid, generator = np.array([3.0, 4.0, 9.0]), torch.Generator().manual_seed(7)
    batches = [real_data(5, generator) for _ in range(4)]
    expected = [np.mean([torch.sigmoid(experiment.D(torch.cat([torch.tensor([[x]], dtype=torch.float32), batch])))[0]
                         .item() for batch in batches]) for x in grid]
    np.testing.assert_allclose(experiment.decision(grid, batches=4, seed=7), expected, atol=1e-5)


def test_textbook_noise_can_be_sampled_as_it_was_trained():
    experiment = GAN1DExperiment(TEXTBOOK)
    assert len(np.unique(experiment.samples(800, as_trained=True).round(1))) < 30
    assert len(np.unique(experiment.samples(800).round(1))) > 30
    assert experiment.samples(100, as_trained=True).shape == (100,)


def test_early_on_the_saturating_gradient_is_the_smaller():
    experiment = GAN1DExperiment(GAN1DHyperparameters(learning_rate_d=1e-2, learning_rate_g=1e-5))
    train(experiment, 200)  # D is sure by now, and G where it was
    norms = experiment.generator_gradients()
    assert 0 < norms["saturating"] < norms["non-saturating"] / 10


def test_training_moves_the_generator_to_the_data():
    fast = GAN1DHyperparameters(minibatch=False, learning_rate_d=5e-3, learning_rate_g=5e-3)
    (experiment,) = train_many(fast, [0], 1000)
    scores = score([GAN1DExperiment(), experiment], count=1000)
    assert scores.w1[1] < 0.5 and scores.w1[0] > 1.5 and scores.samples.shape == (2, 1000) and not scores.recovered[0]


def test_scoring_survives_a_generator_that_ran_away():
    experiment = GAN1DExperiment()
    experiment.G.out.b.data.fill_(math.nan)
    scores = score([experiment], count=100)
    assert scores.w1[0] == math.inf and not scores.recovered[0]


@pytest.mark.parametrize("minibatch", [False, True])
def test_the_loss_of_d_beside_the_least_possible(minibatch):
    experiment = GAN1DExperiment(GAN1DHyperparameters(minibatch=minibatch))
    loss, least = experiment.loss_of_d()
    assert least < 0.05 < loss  # before training G's numbers lie far from the real ones, and D does not know it
    with torch.no_grad():  # a generator that is right: z ~ N(0, 1), so x = 4 + z/2 by a nearly linear softplus
        experiment.G.hidden.W.fill_(0.01)
        experiment.G.hidden.b.fill_(0.0)
        experiment.G.out.W.fill_(0.5 / (4 * 0.01 * 0.5))
        experiment.G.out.b.fill_(4 - experiment.G.out.W.sum() * np.log(2))
    _, least = experiment.loss_of_d()
    assert least == pytest.approx(2 * np.log(2), abs=0.02)
