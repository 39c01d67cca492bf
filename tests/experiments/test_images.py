import pytest
import torch
from course_lib.experiments.images import Batches, autocast, decayed, fastest_precision

from course_lib.experiments import images


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_an_epoch_goes_once_through_all_examples_in_a_new_order():
    batches = Batches(10, rng())
    epochs = [torch.cat([batches.next(5), batches.next(5)]) for _ in range(3)]
    assert all(sorted(e.tolist()) == list(range(10)) for e in epochs)
    assert len({tuple(e.tolist()) for e in epochs}) == 3


def test_what_is_less_than_a_batch_is_left_out():
    batches = Batches(10, rng())
    first = torch.cat([batches.next(4), batches.next(4)])
    assert len(set(first.tolist())) == 8
    assert torch.equal(batches.next(4), batches.order[:4])  # a new epoch


def test_the_batch_size_may_change_on_the_way():
    batches = Batches(10, rng())
    assert len(set(torch.cat([batches.next(k) for k in (1, 4, 5)]).tolist())) == 10
    with pytest.raises(ValueError, match="a batch of 11 needs as many examples, and there are 10"):
        batches.next(11)


def test_saved_batches_go_on_with_the_next():
    a = Batches(10, rng(3))
    for _ in range(4):
        a.next(3)
    b = Batches(10, rng(9))
    b.load_state_dict(a.state_dict())
    b.rng.set_state(a.rng.get_state())
    for _ in range(6):
        assert torch.equal(a.next(3), b.next(3))


def test_the_learning_rate_is_flat_then_falls_in_a_line_to_0():
    assert [decayed(0.2, step, 100) for step in (0, 25, 50)] == [0.2] * 3
    assert decayed(0.2, 75, 100) == pytest.approx(0.1) and decayed(0.2, 99, 100) == pytest.approx(0.004)
    assert decayed(0.2, 100, 100) == decayed(0.2, 1000, 100) == 0
    assert decayed(0.2, 10**6, 0) == 0.2


def test_autocast_computes_products_in_the_precision_asked_for():
    a, b = torch.randn(3, 3, generator=rng()), torch.randn(3, 3, generator=rng(1))
    with autocast("bfloat16"):
        assert (a @ b).dtype == torch.bfloat16
    with autocast("float32"):
        assert torch.equal(a @ b, torch.matmul(a, b)) and (a @ b).dtype == torch.float32


@pytest.mark.parametrize(("bfloat16", "faster"), [(0.5, "bfloat16"), (0.95, "float32"), (3.0, "float32")])
def test_the_probe_takes_bfloat16_only_where_it_is_worth_it(bfloat16, faster, monkeypatch):
    clock, cost = [0.0], {"float32": 1.0, "bfloat16": bfloat16}

    def timed(precision):
        clock[0] += cost[precision]
        return autocast("float32")

    monkeypatch.setattr(images, "autocast", timed)
    monkeypatch.setattr(images.time, "perf_counter", lambda: clock[0])
    fastest_precision.cache_clear()
    try:
        assert fastest_precision() == faster
    finally:
        fastest_precision.cache_clear()


def test_the_probe_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    fastest_precision.cache_clear()
    assert fastest_precision() in images.PRECISIONS
    assert torch.equal(torch.get_rng_state(), before)
