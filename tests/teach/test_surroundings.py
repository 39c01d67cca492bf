"""Where a student's function is judged: whatever the notebook has set does not matter, and what it sets is undone."""

import random
import sys
import types
import warnings

import numpy as np
import pytest
import torch

from course_lib.teach import check
from course_lib.teach.exercises import Exercise, exercises
from course_lib.teach.surroundings import own_surroundings

HALF = Exercise(
    reference=lambda x: 0.5 * x + torch.zeros(3).log().exp(),
    cases=lambda rng: [(torch.tensor(rng.normal(size=3), dtype=torch.float32),)],
    mistakes=(),
    hints=("look again",),
)


def slope(function, x):
    return torch.autograd.grad(function(x.requires_grad_()).sum(), x)[0]


SLOPE = Exercise(reference=lambda x: x * x, cases=HALF.cases, mistakes=(), hints=("look again",), observe=slope)


@pytest.fixture(autouse=True)
def notebook(monkeypatch):
    module = types.ModuleType("course_lib.chapters.nb99.exercises")
    module.EXERCISES = {"99.half": HALF, "99.slope": SLOPE}
    monkeypatch.setitem(sys.modules, module.__name__, module)


def state() -> dict[str, object]:
    """Everything that a cell may set and the judge must leave alone."""
    return {
        "numpy's errors": np.geterr(), "dtype": torch.get_default_dtype(), "device": torch.get_default_device(),
        "gradients": torch.is_grad_enabled(), "inference": torch.is_inference_mode_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "warn only": torch.is_deterministic_algorithms_warn_only_enabled(),
        "autocast": (torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")),
        "anomalies": torch.is_anomaly_enabled(), "filters": list(warnings.filters), "threads": torch.get_num_threads(),
        "recursion": sys.getrecursionlimit(), "torch's generator": torch.get_rng_state().tolist(),
        "numpy's generator": np.random.get_state()[1].tolist(), "Python's generator": random.getstate(),
        "out": sys.stdout, "err": sys.stderr,
    }


def set_everything(*arguments: object) -> None:
    """What a cell, or a function that is judged, may have set."""
    np.seterr(all="raise")
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    torch.set_grad_enabled(False)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.set_autocast_enabled("cpu", True)
    torch.set_autocast_dtype("cpu", torch.float16)
    torch.set_anomaly_enabled(True)
    torch.set_num_threads(2)
    sys.setrecursionlimit(sys.getrecursionlimit() + 100)
    warnings.simplefilter("error")
    for seed in (torch.default_generator.manual_seed, np.random.seed, random.seed):
        seed(7)


@pytest.fixture
def everything_is_set():
    with own_surroundings():  # so that it is all undone after the test
        set_everything()
        yield


def mine(x):
    return x / 2 + torch.zeros(3).log().exp()


@pytest.mark.parametrize("name", ["99.half", "99.slope", "02.sample_mixture", "03b.draw_q", "07.draw_images",
                                  "09b.critic_step", "00.kl"])
def test_a_right_answer_passes_whatever_the_notebook_has_set(name, everything_is_set):
    right, before = exercises(name.partition(".")[0])[name].reference, state()
    assert check(name, right).status == "passed"
    assert state() == before


@pytest.mark.parametrize("mode", [torch.inference_mode(), torch.no_grad(), torch.device("meta"),
                                  torch.autocast("cpu", dtype=torch.bfloat16), np.errstate(all="raise")],
                         ids=lambda mode: type(mode).__name__)
def test_a_right_answer_passes_within_a_block(mode):
    with mode:
        before = state()
        assert check("99.half", mine).status == "passed"
        assert check("99.slope", lambda x: x**2).status == "passed"
        assert state() == before


@pytest.mark.parametrize("ends", ["returns", "raises", "is interrupted"])
def test_what_a_function_sets_is_undone_and_touches_no_later_case(ends):
    def sets_everything(x):
        y = x**2
        set_everything()
        sys.stdout = sys.stderr = None
        if ends == "raises":
            raise ValueError("no")
        if ends == "is interrupted":
            raise KeyboardInterrupt
        return y

    before = state()
    if ends == "is interrupted":
        with pytest.raises(KeyboardInterrupt):
            check("99.slope", sets_everything)
    else:
        assert check("99.slope", sets_everything).status == {"returns": "passed", "raises": "not yet"}[ends]
    assert state() == before


@pytest.mark.parametrize("draw", [torch.rand, np.random.rand, lambda n: random.random()],
                         ids=["torch", "numpy", "Python"])
def test_draws_from_a_global_generator_are_judged_alike_each_time(draw):
    seen = []

    def draws(x):
        seen.append(float(np.sum(np.asarray(draw(2)))))
        return x

    for _ in range(2):
        check("99.half", draws)
        draw(1)
    assert len(set(seen)) == 1


def test_warnings_and_stderr_of_a_function_are_no_errors(capsys, recwarn):
    def noisy(x):
        warnings.warn("careful", stacklevel=1)
        print("told", file=sys.stderr)
        return mine(x)

    assert check("99.half", noisy).status == "passed"
    shown = capsys.readouterr()
    assert not recwarn and not shown.err and "told" in shown.out


def test_a_device_set_by_cell_and_function_is_the_cells_afterwards():
    def moves(x):
        torch.set_default_device("cpu")
        return mine(x)

    torch.set_default_device("meta")
    try:
        assert check("99.half", moves).status == "passed"
        assert torch.get_default_device() == torch.device("meta")
    finally:
        torch.set_default_device(None)
    assert torch.zeros(1).device == torch.device("cpu")
