import math

import numpy as np
import pytest
import torch

from course_lib.experiments import gan1d, load, run, save
from course_lib.experiments.gan1d import TEXTBOOK, GAN1DExperiment, GAN1DHyperparameters, score, train_many


def train(experiment, steps):
    return [{k: float(v) for k, v in metrics.items()} for metrics in run(experiment, steps, progress=False)]


def flat(network):
    return torch.cat([p.detach().ravel() for p in network.parameters()])


def test_the_seed_decides_the_run():
    first, same, other = (GAN1DExperiment(seed=seed) for seed in (3, 3, 4))
    train(first, 5), train(same, 5), train(other, 5)
    assert first.digest() == same.digest() != other.digest()


def test_training_neither_reads_nor_moves_the_global_generator():
    before = torch.get_rng_state()
    train(GAN1DExperiment(), 3)
    assert torch.equal(torch.get_rng_state(), before)


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
            assert many.steps == 10 and torch.equal(many.rng.get_state(), alone.rng.get_state())
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


class Recorder(torch.optim.SGD):
    """An optimiser of step 0 that keeps all the gradients there are, of both networks, when it is asked to step."""

    def __init__(self, network, **watched):
        super().__init__(network.parameters(), lr=0.0)
        self.watched = watched

    def step(self):
        self.seen = {name: [None if p.grad is None else p.grad.clone() for p in network.parameters()]
                     for name, network in self.watched.items()}


def test_the_step_of_one_network_leaves_no_gradient_in_the_other():
    e = GAN1DExperiment()
    g_step, d_step = Recorder(e.G, G=e.G, D=e.D), Recorder(e.D, G=e.G, D=e.D)
    gan1d.adversarial_update(e.G, e.D, g_step, d_step, e.draw_real, e.draw_noise, 1, "non-saturating")
    assert d_step.seen["G"] == [None] * 4
    assert all(torch.equal(now, before) for now, before in zip(g_step.seen["D"], d_step.seen["D"], strict=True))
    assert all(gradient is not None for gradient in g_step.seen["G"] + d_step.seen["D"])


def test_d_steps_is_the_number_of_steps_of_the_discriminator():
    experiment = GAN1DExperiment(GAN1DHyperparameters(d_steps=3))
    train(experiment, 4)
    assert {float(s["step"]) for s in experiment.optimizer_d.state.values()} == {12}
    assert {float(s["step"]) for s in experiment.optimizer_g.state.values()} == {4}


def test_a_learning_rate_changes_what_is_trained_without_a_restart():
    experiment = GAN1DExperiment()
    train(experiment, 5)
    assert not experiment.set(learning_rate_g=1e-5, learning_rate_d=1e-2)
    before_g, before_d = flat(experiment.G), flat(experiment.D)
    train(experiment, 1)
    assert experiment.steps == 6
    assert (flat(experiment.G) - before_g).abs().max() < 1e-4 < (flat(experiment.D) - before_d).abs().max()


@pytest.mark.parametrize("change", [
    {"learning_rate_d": 1e-2}, {"learning_rate_g": 1e-2}, {"d_steps": 2}, {"batch_size": 16}, {"beta1": 0.9},
    {"loss": "saturating"}, {"noise": "textbook"}])
def test_every_live_knob_changes_what_is_trained(change):
    experiment, unchanged = GAN1DExperiment(), GAN1DExperiment()
    train(experiment, 5), train(unchanged, 5)
    assert not experiment.set(**change)
    train(experiment, 2), train(unchanged, 2)
    assert not torch.equal(flat(experiment.G), flat(unchanged.G))


def test_what_changes_the_networks_needs_a_restart():
    knobs = GAN1DHyperparameters.knobs()
    assert {name for name, k in knobs.items() if k.restart} == {"minibatch", "hidden_size", "activation", "init"}
    experiment = GAN1DExperiment()
    train(experiment, 2)
    assert experiment.set(minibatch=False) and experiment.steps == 0 and experiment.D.minibatch is None


@pytest.mark.parametrize("name", [n for n, k in GAN1DHyperparameters.knobs().items()])
def test_every_knob_trains_and_draws_at_both_ends(name):
    declared = GAN1DHyperparameters.knobs()[name]
    ends = declared.choices or ((declared.low, declared.high) if declared.low is not None else (False, True))
    kind = type(getattr(GAN1DHyperparameters(), name))
    for value in ends:
        experiment = GAN1DExperiment()
        experiment.set(**{name: kind(value)})
        train(experiment, 3)
        assert all(np.isfinite(a).all() and a.shape == (321,) for a in experiment.snapshot().values())
    assert declared.label and declared.help.endswith(".")


def test_a_snapshot_neither_disturbs_training_nor_flickers():
    watched, alone = GAN1DExperiment(), GAN1DExperiment()
    for _ in range(3):
        first, second = watched.snapshot(), watched.snapshot()
        assert all(np.array_equal(first[name], second[name]) for name in first)
        watched.generator_gradients(), watched.samples(100), train(watched, 1)
    train(alone, 3)
    assert watched.digest() == alone.digest()


def test_the_picture_of_d_is_the_mean_over_real_batches():
    experiment = GAN1DExperiment(GAN1DHyperparameters(batch_size=6))
    grid, rng = np.array([3.0, 4.0, 9.0]), torch.Generator().manual_seed(7)
    batches = [gan1d.real_data(5, rng) for _ in range(4)]
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


def test_a_checkpoint_resumes_to_the_same_digest(tmp_path):
    whole, part, resumed = (GAN1DExperiment(GAN1DHyperparameters(hidden_size=6), seed=2) for _ in range(3))
    train(whole, 20), train(part, 10)
    part.set(learning_rate_d=2e-3), part.set(learning_rate_d=whole.hyperparameters.learning_rate_d)
    save(part, tmp_path / "run.pt")
    load(resumed, tmp_path / "run.pt")
    train(resumed, 10)
    assert resumed.digest() == whole.digest()


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
