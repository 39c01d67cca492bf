"""The VQ-VAE and its prior in training: entries come back to life, codes are learned, a cost has two parts."""

import pytest
import torch
from torch.nn import functional as F

from course_lib.experiments import vq_vae, vq_vae_prior
from course_lib.experiments.vq_vae import VQVAEExperiment, VQVAEHyperparameters, codes_of, pictures_of
from course_lib.experiments.vq_vae_prior import (
    VQVAEPriorExperiment,
    VQVAEPriorHyperparameters,
    drawn_images,
    shipped_vqvae,
    two_part_code,
)
from course_lib.models.vq_vae import FiniteScalar, code_perplexity
from course_lib.seeds import seeded


def experiment(**settings):
    small = {"width": 8, "batch_size": 8, "bits": 5}
    return VQVAEExperiment(VQVAEHyperparameters(**{**small, **settings}), seed=0)


def prior(**settings):
    small = {"layers": 1, "heads": 1, "batch_size": 8}
    return VQVAEPriorExperiment(VQVAEPriorHyperparameters(**{**small, **settings}), seed=0)


def test_it_learns():
    e = experiment(learning_rate=5e-3)
    metrics = [{k: float(v) for k, v in e.step().items()} for _ in range(50)]
    assert metrics[-1]["distortion"] < metrics[0]["distortion"] - 150


def test_restarts_can_be_switched_on_in_a_collapsed_run():
    e = experiment(learning_rate=5e-3, restarts=False)
    e.model.quantizer.entries[1:] += 50  # all but one entry are out of reach
    for _ in range(20):
        collapsed = float(e.step()["perplexity"])
    e.set(restarts=True)
    e.model.quantizer.counts[1:] = 1e-3  # as after some hundred steps without a choice
    for _ in range(5):
        alive = float(e.step()["perplexity"])
    assert collapsed == pytest.approx(1) and alive > 1.5


def test_the_alphabet_and_the_grid_are_as_asked():
    e = experiment(codebook="finite scalar", grid="7x7")
    assert isinstance(e.model.quantizer, FiniteScalar) and e.model.quantizer.n_entries == 32 and e.model.places == 49
    seen = e.snapshot()
    assert seen["use"].shape == (32,) and seen["use"].sum() == pytest.approx(1)
    assert seen["use"].tolist() == sorted(seen["use"], reverse=True) and seen["rebuilt"].shape == (20, 28, 28)


def test_what_is_told_of_the_test_images(monkeypatch):
    x = vq_vae.held_out_images("binarized")[:60]
    monkeypatch.setattr(vq_vae, "held_out_images", lambda pixels: x)
    monkeypatch.setattr(vq_vae, "scores", lambda images: {"frechet": float(images.mean())})
    e = experiment()
    told, x = e.evaluate(False), x.view(-1, 28, 28)
    with torch.no_grad():
        distortion, q, _ = e.model(x)
    assert told["distortion"] == pytest.approx(distortion.mean().item(), rel=1e-5)
    assert told["perplexity"] == pytest.approx(code_perplexity(q.codes, 32).item())
    assert told["frechet"] == pytest.approx(e.model.images(q.codes).mean().item(), rel=1e-5)


def test_the_prior_is_an_average_and_leaves_the_vqvae_as_it_is():
    e = prior()
    before = [p.clone() for p in shipped_vqvae().state_dict().values()]
    for _ in range(3):
        e.step()
    assert all(torch.equal(a, b) for a, b in zip(before, e.vqvae.state_dict().values(), strict=True))
    behind = [(a - b).abs().max() for a, b in zip(e.model.parameters(), e.network.parameters(), strict=True)]
    assert max(behind) > 0 and e.model is not e.network


def test_the_prior_learns():
    e = prior(learning_rate=2e-2, batch_size=16)  # which rises over the first 200 steps
    for _ in range(80):
        rate = float(e.step()["rate"])
    assert rate < 16 * torch.tensor(128.0).log() - 3


def test_a_code_of_two_parts_is_the_sum_over_places_and_pixels():
    e, x = prior(), vq_vae.held_out_images("binarized").view(-1, 28, 28)[:7]
    rate, distortion = two_part_code(e.model, e.vqvae, x)
    with torch.no_grad():
        codes = e.vqvae.codes(x)
        symbols = e.model(codes).log_softmax(2).gather(2, codes[:, :, None])
        pixels = F.binary_cross_entropy(e.vqvae.images(codes), x, reduction="none")
    assert torch.allclose(rate, -symbols.sum(dim=(1, 2)).double(), rtol=1e-4)
    assert torch.allclose(distortion, pixels.sum(dim=(1, 2)).double(), rtol=1e-4)
    assert torch.equal(codes_of(e.vqvae, x), codes) and torch.equal(pictures_of(e.vqvae, codes), e.vqvae.images(codes))


def test_a_sample_is_a_decoded_code_and_a_seed_decides_it():
    e = prior()
    first, second = drawn_images(e.model, e.vqvae, 4, 1), drawn_images(e.model, e.vqvae, 4, 2)
    codes, _ = e.model.sample(4, 16, seeded(1))
    assert torch.equal(first, e.vqvae.images(codes)) and not torch.equal(first, second)


def test_what_is_told_of_the_prior(monkeypatch):
    x = vq_vae.held_out_images("binarized")[:50]
    monkeypatch.setattr(vq_vae_prior, "held_out_images", lambda pixels: x)
    monkeypatch.setattr(vq_vae_prior, "IMAGES", 30)
    monkeypatch.setattr(vq_vae_prior, "scores", lambda images: {"frechet": float(len(images))})
    e = prior()
    told = e.evaluate(False)
    rate, distortion = two_part_code(e.model, e.vqvae, x.view(-1, 28, 28))
    assert told["frechet"] == 30 and told["rate"] == pytest.approx(rate.mean().item())
    assert told["two_part"] == pytest.approx((rate + distortion).mean().item())
