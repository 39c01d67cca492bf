import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.data import load_mnist
from course_lib.experiments.autoencoder import AutoencoderExperiment, AutoencoderHyperparameters
from course_lib.experiments.classifier import ClassifierExperiment, ClassifierHyperparameters
from course_lib.experiments.vae import (
    VAEExperiment,
    VAEHyperparameters,
    elbo_of,
    held_out_images,
    iw_bound_of,
    mapped_images,
)
from course_lib.training import load, run, save
from course_lib.training.batches import EpochSampler

SMALL = {"width": 32, "batch_size": 16}


def train(experiment, steps):
    return [{k: float(v) for k, v in metrics.items()} for metrics in run(experiment, steps, progress=False)]


def vae(**changes):
    return VAEExperiment(VAEHyperparameters(**{**SMALL, **changes}))


def flat(network):
    return torch.cat([p.detach().ravel() for p in network.parameters()])


def test_a_run_saved_at_the_end_of_an_epoch_goes_on_too(tmp_path):
    whole, part, resumed = (vae() for _ in range(3))
    for experiment in (whole, part):
        experiment.batches.place.fill_(59_990)  # the next batch begins an epoch
        train(experiment, 1)
    save(part, tmp_path / "run.pt")
    load(resumed, tmp_path / "run.pt")
    train(whole, 2), train(resumed, 2)
    assert resumed.digest() == whole.digest()


@pytest.mark.parametrize(("reduction", "beta"), [("sum", 1.0), ("sum", 3.0), ("mean", 1.0)])
def test_one_step_against_a_plain_hand_written_one(reduction, beta):
    """A textbook's loop, written out: layers of nn.Linear, BCE of sigmoids summed, KL, Adam."""
    experiment = vae(reduction=reduction, beta=beta, latent_size=3)
    h, generator = experiment.hyperparameters, torch.Generator()
    layers = [nn.Linear(784, 32), nn.Linear(32, 16), nn.Linear(16, 6),
              nn.Linear(3, 16), nn.Linear(16, 32), nn.Linear(32, 784)]
    ours = [m for m in experiment.model.modules() if isinstance(m, nn.Linear)]
    for mine, theirs in zip(ours, layers, strict=True):
        theirs.load_state_dict(mine.state_dict())
    optimizer = torch.optim.Adam([p for layer in layers for p in layer.parameters()], lr=h.learning_rate)
    batches = EpochSampler(60_000, generator)
    batches.load_state_dict(experiment.batches.state_dict())
    generator.set_state(experiment.generator.get_state())

    for _ in range(2):
        grey = load_mnist("train").flat()[batches.next(16)]
        x = (torch.rand(16, 784, generator=generator) < grey).float()
        code = layers[2](F.relu(layers[1](F.relu(layers[0](x)))))
        mu, log_var = code[:, :3], code[:, 3:]
        z = mu + torch.exp(0.5 * log_var) * torch.randn(16, 3, generator=generator)
        p = torch.sigmoid(layers[5](F.relu(layers[4](F.relu(layers[3](z))))))
        bce = F.binary_cross_entropy(p, x, reduction="sum") / 16
        kl = -0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp()) / 16
        optimizer.zero_grad()
        ((bce if reduction == "sum" else bce / 784) + beta * kl).backward()
        optimizer.step()

        metrics = experiment.step()
        assert metrics["reconstruction"].item() == pytest.approx(-bce.item(), rel=1e-5)
        assert metrics["kl"].item() == pytest.approx(kl.item(), rel=1e-4)
        assert metrics["elbo"].item() == pytest.approx(-(bce + kl).item(), rel=1e-5)
        assert metrics["noise_ratio"].item() == pytest.approx(
            (log_var.exp().mean() / mu.var(0, correction=0).mean()).item(), rel=1e-4)
        for mine, theirs in zip(ours, layers, strict=True):
            torch.testing.assert_close(mine.weight, theirs.weight, atol=2e-5, rtol=0)


def test_bfloat16_takes_nearly_the_same_step():
    exact, rough = vae(), vae(precision="bfloat16")
    a, b = exact.step(), rough.step()
    assert a["elbo"].item() == pytest.approx(b["elbo"].item(), rel=1e-2) and a["elbo"] != b["elbo"]
    assert all(p.dtype == torch.float32 for p in rough.model.parameters()) and b["elbo"].dtype == torch.float32


def test_what_changes_the_networks_needs_a_restart():
    fields = VAEHyperparameters.fields()
    assert {n for n, k in fields.items() if k.restart} == {"latent_size", "width", "likelihood"}


def test_beta_warms_up_in_a_line():
    """Adam's first step says nothing of the size of a loss, so compare gradients: β·∂KL − ∂reconstruction."""
    def gradient(**changes):
        experiment = vae(**changes)
        experiment.steps = 1  # the second update
        experiment.training_step()
        return torch.cat([p.grad.ravel() for p in experiment.model.parameters()])

    torch.testing.assert_close(gradient(warmup_steps=8, beta=2.0), gradient(beta=0.5))
    torch.testing.assert_close(gradient(warmup_steps=1, beta=2.0), gradient(beta=2.0))


def test_batches_are_binarized_anew_with_the_grey_values_as_probabilities():
    experiment = vae(batch_size=1000)
    order = experiment.batches.order[:1000]
    x = experiment.next_batch()
    grey = load_mnist("train").flat()[order]
    assert set(x.unique().tolist()) == {0.0, 1.0}
    assert (x[grey == 0] == 0).all() and (x[grey == 1] == 1).all()
    middle = (grey > 0.45) & (grey < 0.55)
    assert x[middle].mean().item() == pytest.approx(0.5, abs=0.03)
    assert torch.equal(vae(batch_size=1000, pixels="grey").next_batch(), grey)
    experiment.batches.place.zero_()
    assert not torch.equal(experiment.next_batch(), x)  # the same images, but not the same ink


def test_the_arrays_of_a_snapshot():
    experiment = vae(latent_size=5)
    drawn = experiment.snapshot()
    x = held_out_images()[mapped_images()]
    mu, log_var = experiment.model.encode(x)
    kl = 0.5 * (mu**2 + log_var.exp() - 1 - log_var).mean(0).detach()
    np.testing.assert_allclose(drawn["kl_per_dimension"], kl, atol=1e-5)
    first, second = sorted(np.argsort(-kl.numpy())[:2])
    np.testing.assert_allclose(drawn["digit_3"], mu[150:200][:, [first, second]].detach(), atol=1e-5)
    assert drawn["rebuilt"].shape == (20, 28, 28) and drawn["samples"].shape == (30, 28, 28)
    np.testing.assert_array_equal(drawn["rebuilt"][4].ravel(), x[200])
    np.testing.assert_allclose(drawn["rebuilt"][14].ravel(), experiment.model.decode(mu[200]).detach(), atol=1e-5)
    assert load_mnist("test").labels[mapped_images()].tolist() == [k for k in range(10) for _ in range(50)]


def test_without_the_kl_the_noise_in_the_code_fades_and_with_too_much_the_code_does():
    def last(beta):
        metrics = train(vae(beta=beta, latent_size=2, batch_size=32, learning_rate=3e-3), 400)
        return metrics[-1]

    free, held, pressed = last(0.0), last(1.0), last(100.0)
    assert free["noise_ratio"] < held["noise_ratio"] / 3 < pressed["noise_ratio"]
    assert free["kl"] > 2 * held["kl"] and pressed["kl"] < 0.01


def test_held_out_images_are_binarized_once_from_a_fixed_seed():
    x, grey = held_out_images(), held_out_images("grey")
    assert x.shape == grey.shape == (10_000, 784) and set(x.unique().tolist()) == {0.0, 1.0}
    assert (x - grey).mean().abs() < 1e-3 and (x[grey == 0] == 0).all()
    assert x is held_out_images() and not torch.equal(x, held_out_images(seed=1))


def test_bounds_in_batches_are_those_of_the_model():
    model, x = vae().model, held_out_images()[:1500]
    terms = elbo_of(model, x, seed=5)
    generator = torch.Generator().manual_seed(5)
    expected = torch.cat([model.elbo(x[:1000], generator).value, model.elbo(x[1000:], generator).value])
    torch.testing.assert_close(terms.value, expected.detach())
    iw = iw_bound_of(model, x[:60], 100, seed=5)
    assert iw.shape == (60,) and not iw.requires_grad
    elbo = torch.stack([elbo_of(model, x[:60], seed).value for seed in range(100)]).mean(0)
    assert iw.mean() > elbo.mean() and iw_bound_of(model, x[:3], 1).shape == (3,)
    log_w = model.log_weights(x[:20], 100, torch.Generator().manual_seed(5))
    torch.testing.assert_close(iw[:20], (log_w.logsumexp(0) - math.log(100)).detach())


def test_evaluation_speaks_of_the_test_images_alone():
    experiment = vae()
    metrics = experiment.evaluate(thorough=False)
    assert metrics == {"test_elbo": pytest.approx(elbo_of(experiment.model, held_out_images()).value.mean().item())}
    assert experiment.evaluate(thorough=False) == metrics
    blank = AutoencoderExperiment(AutoencoderHyperparameters(**SMALL))
    assert blank.evaluate(False)["test_error"] == pytest.approx(
        blank.model.error(load_mnist("test").flat()).mean().item())


def test_the_judge_learns_quickly():
    judge = ClassifierExperiment(ClassifierHyperparameters(batch_size=64))
    train(judge, 100)
    picked = slice(0, None, 10)
    for pixels in ("grey", "binarized"):
        right = judge.model.predict(held_out_images(pixels)[picked]) == load_mnist("test").labels[picked]
        assert right.float().mean() > 0.83


def test_the_judge_sees_half_of_its_images_binarized(monkeypatch):
    judge, seen = ClassifierExperiment(ClassifierHyperparameters(batch_size=9)), []
    monkeypatch.setattr(judge.model, "forward", lambda x: seen.append(x.clone()) or judge.model.head(
        judge.model.features(x)))
    picked = judge.batches.order[:9]
    judge.step()
    grey = load_mnist("train").flat()[picked]
    assert set(seen[0][:4].unique().tolist()) == {0.0, 1.0} and torch.equal(seen[0][4:], grey[4:])
    assert (seen[0][:4][grey[:4] == 0] == 0).all()


def test_the_autoencoder_learns():
    experiment = AutoencoderExperiment(AutoencoderHyperparameters(batch_size=64, width=64, learning_rate=3e-3))
    metrics = train(experiment, 150)
    assert np.mean([m["error"] for m in metrics[-10:]]) < 56 < metrics[0]["error"]


def test_the_vae_learns():
    metrics = train(vae(batch_size=64, width=64, learning_rate=3e-3), 300)
    assert np.mean([m["elbo"] for m in metrics[-10:]]) > -210 > -500 > metrics[0]["elbo"]
