import numpy as np
import pytest
import torch

from course_lib.data import Sprites
from course_lib.experiments.pixelrnn import (
    MODELS,
    PixelExperiment,
    PixelHyperparameters,
    as_pictures,
    held_out,
    log_prob_of,
)
from course_lib.experiments.vae import held_out_images
from course_lib.measure import bits_per_dimension
from course_lib.training import run

SMALL = {"channels": 4, "layers": 1, "batch_size": 4}


def experiment(seed=0, **changes):
    return PixelExperiment(PixelHyperparameters(**{**SMALL, **changes}), seed)


def train(e, steps):
    return [{k: float(v) for k, v in metrics.items()} for metrics in run(e, steps, progress=False)]


def flat(network):
    return torch.cat([p.detach().ravel() for p in network.parameters()])


@pytest.mark.parametrize(("data", "shape"), [("mnist", (16, 28, 28)), ("sprites", (16, 12, 12, 3))])
def test_the_samples_of_a_snapshot_are_pictures(data, shape):
    samples = experiment(data=data).snapshot()["samples"]
    assert samples.shape == shape and samples.min() >= 0 and samples.max() <= 1


@pytest.mark.parametrize("model", MODELS)
def test_the_metrics_are_those_of_the_batch(model):
    e, twin = experiment(model=model, data="sprites"), experiment(model=model, data="sprites")
    x = twin.next_batch()
    nll = -twin.model.log_prob(x).mean()
    gradients = torch.autograd.grad(nll / 72, list(twin.model.parameters()))
    metrics = e.step()
    assert all(m.dim() == 0 and not m.requires_grad for m in metrics.values())
    assert metrics["nll"].item() == pytest.approx(nll.item(), rel=1e-5)
    assert metrics["bits_per_pixel"].item() == pytest.approx(nll.item() / 72 / np.log(2), rel=1e-5)
    norm = torch.cat([g.ravel() for g in gradients]).norm().item()
    assert metrics["gradient_norm"].item() == pytest.approx(norm, rel=1e-4)


def test_batches_of_mnist_are_binarized_anew():
    e = experiment(batch_size=8)
    place = e.batches.place.clone()
    first = e.next_batch()
    e.batches.place.copy_(place)
    again = e.next_batch()
    grey = e.images[e.batches.order[:8]].float() / 255
    assert first.shape == (8, 28, 28) and first.dtype == torch.int64 and set(first.unique().tolist()) == {0, 1}
    assert not torch.equal(first, again)
    assert torch.equal(first[grey == 0], again[grey == 0]) and (first[grey == 1] == 1).all()


def test_training_learns_the_sprites_and_never_beats_their_entropy():
    e = PixelExperiment(PixelHyperparameters(data="sprites", channels=16, batch_size=16, learning_rate=6e-3))
    train(e, 250)
    x = held_out("sprites")[:500]
    nll, truth = -log_prob_of(e.model, x), -Sprites().log_prob(x)
    assert truth.mean() < nll.mean() < 0.5 * Sprites().independent_entropy()


def test_a_leak_has_a_wonderful_likelihood_below_the_entropy():
    e = PixelExperiment(PixelHyperparameters(data="sprites", channels=16, batch_size=16, learning_rate=6e-3,
                                             first_mask="B"))
    train(e, 200)
    assert np.mean([m["nll"] for m in train(e, 10)]) < 20 < Sprites().entropy(500, torch.Generator()).value


def test_what_changes_the_network_or_the_data_needs_a_restart():
    fields = PixelHyperparameters.fields()
    assert {n for n, k in fields.items() if k.restart} == {"channels", "layers", "model", "first_mask", "data"}


def test_held_out_images_are_those_that_the_vae_is_held_against():
    x = held_out("mnist")
    assert x.shape == (10_000, 28, 28) and torch.equal(x.flatten(1).float(), held_out_images("binarized"))
    assert held_out("sprites").shape == (10_000, 12, 6)
    assert as_pictures(x[:2], "mnist").shape == (2, 28, 28)
    e = experiment(data="sprites")
    metrics = e.evaluate(thorough=False)
    assert metrics["test_images"] == 1000
    nll = -e.model.log_prob(held_out("sprites")[:1000]).mean().item()
    assert metrics["test_nll"] == pytest.approx(nll, rel=1e-4)
    assert metrics["test_bits_per_pixel"] == pytest.approx(bits_per_dimension(nll, 72), rel=1e-4)
    assert bits_per_dimension(np.log(2) * 784, 784) == pytest.approx(1)
