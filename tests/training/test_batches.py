"""Batches of examples: epochs, what is left at their end, and going on from a saved place."""

import pytest
import torch

from course_lib.training.batches import EpochSampler


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_an_epoch_goes_once_through_all_examples_in_a_new_order():
    batches = EpochSampler(10, seeded())
    epochs = [torch.cat([batches.next(5), batches.next(5)]) for _ in range(3)]
    assert all(sorted(e.tolist()) == list(range(10)) for e in epochs)
    assert len({tuple(e.tolist()) for e in epochs}) == 3


def test_what_is_less_than_a_batch_is_left_out():
    batches = EpochSampler(10, seeded())
    first = torch.cat([batches.next(4), batches.next(4)])
    assert len(set(first.tolist())) == 8
    assert torch.equal(batches.next(4), batches.order[:4])  # a new epoch


def test_the_batch_size_may_change_on_the_way():
    batches = EpochSampler(10, seeded())
    assert len(set(torch.cat([batches.next(k) for k in (1, 4, 5)]).tolist())) == 10
    with pytest.raises(ValueError, match="a batch of 11 needs as many examples, and there are 10"):
        batches.next(11)


def test_saved_batches_go_on_with_the_next():
    a = EpochSampler(10, seeded(3))
    for _ in range(4):
        a.next(3)
    b = EpochSampler(10, seeded(9))
    b.load_state_dict(a.state_dict())
    b.generator.set_state(a.generator.get_state())
    for _ in range(6):
        assert torch.equal(a.next(3), b.next(3))
