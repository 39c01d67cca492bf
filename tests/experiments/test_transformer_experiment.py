"""The transformer over patches in training: warm-up, the average that draws, and learning."""

import pytest
import torch

from course_lib.experiments.pixelrnn import held_out, log_prob_of
from course_lib.experiments.transformer import WARMUP, TransformerExperiment, TransformerHyperparameters

SMALL = {"data": "sprites", "layers": 1, "heads": 1, "window": 2, "batch_size": 8}


def experiment(**settings):
    return TransformerExperiment(TransformerHyperparameters(**{**SMALL, **settings}), seed=0)


def test_the_rate_warms_up_and_decays():
    e = experiment(total_steps=4 * WARMUP)
    rates = []
    for steps in (0, WARMUP - 1, 2 * WARMUP, 3 * WARMUP):
        e.steps = steps
        rates.append(e.learning_rate)
    assert rates == pytest.approx([2e-3 / WARMUP, 2e-3, 2e-3, 1e-3])


def test_the_model_is_an_average_that_follows_the_network():
    e = experiment()
    start = [p.clone() for p in e.network.parameters()]
    for _ in range(3):
        e.step()
    moved = [(a - b).abs().max() for a, b in zip(e.model.parameters(), start, strict=True)]
    behind = [(a - b).abs().max() for a, b in zip(e.model.parameters(), e.network.parameters(), strict=True)]
    assert max(moved) > 0 and max(behind) > 0 and e.model is not e.network


def test_mnist_and_sprites_are_laid_out_in_patches():
    assert experiment().network.grid == (6, 3) and experiment().network.n_classes == 16
    digits = experiment(data="mnist")
    assert digits.network.grid == (7, 7) and digits.network.n_classes == 2
    snapshot = digits.snapshot()
    assert snapshot["samples"].shape == (16, 28, 28) and snapshot["attention"].shape == (49, 49)
    assert snapshot["attention"].sum(1) == pytest.approx(1, abs=1e-4)


def test_it_learns_sprites_and_says_how_well():
    e = experiment(learning_rate=5e-3)
    before = e.evaluate(False)["test_nll"]
    for _ in range(60):
        e.step()
    after = e.evaluate(False)["test_nll"]
    assert after < before - 20
    with torch.no_grad():
        assert after == pytest.approx(-log_prob_of(e.model, held_out("sprites")[:1000]).mean().item(), rel=1e-6)


def test_looking_ahead_is_passed_on():
    x = torch.zeros(1, 12, 6, dtype=torch.int64)
    changed = x.clone()
    changed[0, 11, 1] = 3  # of the last row of patches, the first
    for ahead in (0, 1):
        network = experiment(look_ahead=ahead).network
        with torch.no_grad():
            reacts = (network(changed) - network(x))[0, :, 10, 0].abs().max() > 0
        assert bool(reacts) == bool(ahead)
