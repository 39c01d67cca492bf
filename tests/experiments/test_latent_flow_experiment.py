"""Flow matching among the codes of the VAE in training."""

import copy

import pytest
import torch

from course_lib.data import load_mnist
from course_lib.experiments.latent_flow import (
    PLANE,
    LatentFlowExperiment,
    LatentFlowHyperparameters,
    codes_of,
    training_codes,
)
from course_lib.models.flow_matching import in_turn
from course_lib.models.unet import NO_LABEL
from course_lib.seeds import seeded


@pytest.fixture
def experiment() -> LatentFlowExperiment:
    return LatentFlowExperiment(LatentFlowHyperparameters(width=32, batch_size=256, sampling_steps=4))


def test_a_code_is_the_mean_that_the_encoder_gives(experiment):
    train = load_mnist("train")
    with torch.no_grad():
        mean, _ = experiment.vae.encode(train[:3].flat())
    assert experiment.codes.shape == (60_000, 20) and torch.equal(experiment.labels, train.labels)
    torch.testing.assert_close(experiment.codes[:3], mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(codes_of(experiment.vae, train.images[:3]), mean, rtol=1e-4, atol=1e-5)


def test_codes_are_made_once(experiment):
    assert LatentFlowExperiment().codes is experiment.codes is training_codes()[1]


def test_the_loss_falls_to_less_than_that_of_knowing_nothing(experiment):
    losses = [float(experiment.step()["loss"]) for _ in range(150)]
    nothing = 1 + experiment.codes.square().mean()  # E ‖ε − x‖², per number
    assert sum(losses[-10:]) / 10 < 0.82 * nothing < 0.9 * sum(losses[:3]) / 3


def test_a_batch_has_labels_of_its_codes(experiment):
    z, eps, t, y = experiment.next_batch()
    assert z.shape == eps.shape == (256, 20) and t.min() >= 0 and t.max() < 1
    told, drawn = y != NO_LABEL, experiment.batches.order[:256]
    assert torch.equal(y[told], experiment.labels[drawn][told]) and 0.8 < told.float().mean() < 0.97
    assert torch.equal(z, experiment.codes[drawn])


def test_the_average_draws_and_training_leaves_the_vae_alone(experiment):
    before = copy.deepcopy(experiment.vae.state_dict())
    still = experiment.samples(10)
    for _ in range(5):
        experiment.step()
    assert all(torch.equal(value, before[key]) for key, value in experiment.vae.state_dict().items())
    assert not torch.equal(still, experiment.samples(10))
    learned = experiment.drawn(in_turn(4), seeded())
    with torch.no_grad():
        for parameter in experiment.model.parameters():
            parameter.zero_()
    assert torch.equal(learned, experiment.drawn(in_turn(4), seeded()))


def test_guidance_changes_the_pictures_and_not_the_training(experiment):
    other = LatentFlowExperiment(experiment.hyperparameters.replace(w=3.0))
    for _ in range(3):
        experiment.step(), other.step()
    assert experiment.digest() != other.digest()  # hyperparameters are part of it
    assert all(torch.equal(a, b) for a, b in zip(experiment.model.parameters(), other.model.parameters(), strict=True))
    assert not torch.equal(experiment.samples(10), other.samples(10))


def test_the_snapshot_has_pictures_of_both_and_codes_of_both(experiment):
    shown = experiment.snapshot()
    assert shown["samples"].shape == shown["prior"].shape == (20, 28, 28)
    assert shown["real"].shape == shown["made"].shape == (PLANE, 2)
    assert all(shown[key].min() >= 0 and shown[key].max() <= 1 for key in ("samples", "prior"))
