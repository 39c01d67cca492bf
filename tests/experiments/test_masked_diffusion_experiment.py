"""Masked diffusion in training: what each loss adds up, the excess over the truth, and learning."""

import pytest
import torch

from course_lib.data.patterns import OneBar
from course_lib.data.sprites import Sprites
from course_lib.experiments.masked_diffusion import (
    MaskedDiffusionExperiment,
    MaskedDiffusionHyperparameters,
    as_pictures,
    excess,
)

SMALL = {"data": "bars", "layers": 1, "heads": 1, "batch_size": 8}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def experiment(**settings):
    return MaskedDiffusionExperiment(MaskedDiffusionHyperparameters(**{**SMALL, **settings}), seed=0)


@pytest.mark.parametrize("objective", ["bound", "no weight", "all symbols"])
def test_the_loss_is_what_its_name_says(objective):
    e = experiment(objective=objective)
    x, z, k, _ = batch = e.next_batch()
    assert torch.equal((z == 2).sum((1, 2)), k)
    loss, metrics = e.loss(batch)
    nll = -e.network(z).log_softmax(1).gather(1, x[:, None])[:, 0]
    total = (nll if objective == "all symbols" else nll * (z == 2)).sum((1, 2))
    expected = (9 / k * total if objective == "bound" else total).mean().item()
    assert metrics["nll"].item() == pytest.approx(expected, rel=1e-5) and loss.item() == pytest.approx(expected / 9)
    assert metrics["floor"].item() == pytest.approx(-OneBar().log_prob(x).mean().item(), rel=1e-5)


def test_a_share_can_be_fixed_and_one_symbol_is_hidden_at_least():
    assert experiment(mask_share=0.15).next_batch()[2].tolist() == [1] * 8
    assert experiment(mask_share=1.0).next_batch()[2].tolist() == [9] * 8
    assert len(set(experiment(mask_share=0.0).next_batch()[2].tolist())) > 4


class Told(torch.nn.Module):
    """A network that says what it is told."""

    def __init__(self, answers):
        super().__init__()
        self.answers, self.unused = answers, torch.nn.Parameter(torch.zeros(1))

    def forward(self, z):
        return self.answers(z)


def test_true_answers_have_no_excess_and_others_have():
    x = Sprites().sample(20, seeded())
    true = excess(Told(lambda z: Sprites().conditionals(z).log()), x, "sprites", seeded(1), 2)
    even = excess(Told(lambda z: torch.zeros(len(z), 16, 12, 6)), x, "sprites", seeded(1), 2)
    assert true.abs().max() < 1e-9 and even.mean() > 100


def test_masks_are_grey():
    z = torch.tensor([[[0, 1, 2]] * 3])
    assert as_pictures(z, "bars")[0, 0].tolist() == [0, 1, 0.5]
    sprite = Sprites().sample(1, seeded())
    sprite[0, 0, 0] = 16
    shown = as_pictures(sprite, "sprites")
    assert shown.shape == (1, 12, 12, 3) and shown[0, 0, 0].tolist() == shown[0, 0, 11].tolist() == [0.5] * 3


def test_snapshots_begin_hidden_and_end_drawn():
    snapshot = experiment(data="sprites", sampling_steps=2).snapshot()
    assert snapshot["samples"].shape == (16, 12, 12, 3) and snapshot["unmasking"].shape == (9, 12, 12, 3)
    assert (snapshot["unmasking"][0] == 0.5).all() and (snapshot["unmasking"][-1] == snapshot["samples"][0]).all()
    assert experiment(sampling_steps=72).snapshot()["samples"].shape == (16, 3, 3)  # no more steps than pixels


def test_it_learns_the_bars():
    e = experiment(heads=2, batch_size=64, learning_rate=1e-2, total_steps=300)
    before = e.evaluate(False)["test_excess"]
    for _ in range(300):
        e.step()
    after = e.evaluate(False)
    assert 0 < after["test_excess"] < 1.6 < 2 < before
    exact = -OneBar().log_prob(OneBar().sample(1000, torch.Generator().manual_seed(2**32 + 1))).mean().item()
    assert after["test_bound"] - after["test_excess"] == pytest.approx(exact, abs=1e-6)
