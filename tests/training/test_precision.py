"""Arithmetic in 16 bits, and the probe that says where it is worth it."""

import pytest
import torch

from course_lib.training import precision as module
from course_lib.training.precision import autocast, fastest_precision


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_autocast_computes_products_in_the_precision_asked_for():
    a, b = torch.randn(3, 3, generator=seeded()), torch.randn(3, 3, generator=seeded(1))
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

    monkeypatch.setattr(module, "autocast", timed)
    monkeypatch.setattr(module.time, "perf_counter", lambda: clock[0])
    fastest_precision.cache_clear()
    try:
        assert fastest_precision() == faster
    finally:
        fastest_precision.cache_clear()


def test_the_probe_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    fastest_precision.cache_clear()
    assert fastest_precision() in module.PRECISIONS
    assert torch.equal(torch.get_rng_state(), before)
