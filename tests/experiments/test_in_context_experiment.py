"""Learning in context: what is scored, the exact pattern beside the learned one, and a head that forms."""

import numpy as np
import pytest
import torch

from course_lib.data.in_context import chain_predictor, successors
from course_lib.experiments.in_context import (
    LENGTH,
    PERIODS,
    SYMBOLS,
    InContextExperiment,
    InContextHyperparameters,
    sequences,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def experiment(**settings):
    return InContextExperiment(InContextHyperparameters(**settings), seed=0)


def test_only_what_can_be_known_is_scored():
    x, best, known = sequences("copies", 5, 6, seeded())
    assert known.tolist() == [False] * 7 + [True] * (LENGTH - 7) and not best.any()
    assert torch.equal(x[:, 6:], x[:, :-6]) and x.max() < SYMBOLS["copies"]
    x, best, known = sequences("chains", 5, 6, seeded())
    assert known.tolist() == [False] + [True] * (LENGTH - 1)
    told = chain_predictor(x, 3)
    assert best.allclose(told.gather(2, x[:, :, None])[:, :, 0].log())


def test_periods_are_drawn_from_their_range_and_pieces_fit():
    e = experiment(batch_size=1)
    drawn = {int(e.next_batch()[2].sum()) for _ in range(300)}
    assert drawn == {LENGTH - 1 - period for period in range(PERIODS[0], PERIODS[1] + 1)}
    assert PERIODS[1] <= SYMBOLS["copies"]


def test_the_loss_is_that_of_the_known_symbols():
    e = experiment(data="chains", batch_size=3)
    x, best, known = batch = e.next_batch()
    loss, metrics = e.loss(batch)
    log_p = e.model(x).log_softmax(2).gather(2, x[:, :, None])[:, :, 0]
    assert loss.item() == pytest.approx(-log_p[:, 1:].mean().item(), rel=1e-5)
    assert metrics["floor"].item() == pytest.approx(-best[:, 1:].mean().item(), rel=1e-5)
    right = (e.model(x).argmax(2) == x)[:, known].float().mean().item()
    assert metrics["accuracy"].item() == pytest.approx(right)


def test_the_patterns_are_those_of_the_layers_and_the_exact_one():
    first, last, exact = experiment(layers=3).snapshot()["patterns"]
    assert all(np.allclose(pattern.sum(1), 1, atol=1e-5) and not np.triu(pattern, 1).any() for pattern in (first, last))
    x = sequences("copies", 1, 8, torch.Generator().manual_seed(2**32))[0]
    assert np.array_equal(exact, successors(x)[0].numpy())
    assert not experiment(model="lstm").snapshot()["patterns"][:2].any()


def test_two_layers_learn_to_copy_and_one_without_positions_does_not():
    two, one = experiment(positions="rotary", total_steps=450), experiment(positions="none", layers=1)
    for e, steps in ((two, 450), (one, 60)):
        for _ in range(steps):
            e.step()
    assert two.evaluate(False)["accuracy"] > 0.9 > 0.5 > one.evaluate(False)["accuracy"]
