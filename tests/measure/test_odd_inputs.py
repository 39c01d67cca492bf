"""Every measure, given what it did not ask for, answers with the right number or refuses it in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from odd_inputs import (
    LAYOUTS,
    NO_NUMBERS,
    NUMPY_TYPES,
    QUICK,
    TORCH_TYPES,
    answer,
    as_double,
    assert_same,
    refused,
)

from course_lib import measure

Draw = Callable[..., np.ndarray]  # of a shape: numbers between 0 and 250, whole ones or not
SEEDS = st.integers(0, 10_000)
HUGE = 1e160  # its square is no number


@dataclass
class Row:
    """How to call one function.

    Attributes:
        make: arguments that are arrays (float64), from the two ways to draw.
        options: further arguments.
        tensors: whether the function takes tensors, and no other arrays.
        whole: it takes whole numbers only.
        rows: arguments with a row for each example.
        together: arguments to which one number may be added without any effect on the result, but
        plus: so many times that number on the result.
        scaled: arguments, and the degree of the result in their scale, where it has one.
        tolerates: what an argument may hold although it is not finite.
        part: of the result, what is looked at.
    """

    make: Callable[[Draw], dict[str, np.ndarray]]
    options: dict[str, Any] = field(default_factory=dict)
    tensors: bool = False
    whole: bool = False
    rows: tuple[str, ...] = ()
    together: tuple[str, ...] = ()
    plus: float = 0.0
    scaled: tuple[str, ...] = ()
    degree: int | None = None
    tolerates: dict[str, tuple[float, ...]] = field(default_factory=dict)
    part: Callable[[Any], Any] = lambda result: result


def one_hot(draw: Draw, n: int, K: int) -> np.ndarray:
    return np.eye(K)[draw(n).astype(int) % K]


def covariance(draw: Draw, D: int) -> np.ndarray:
    A = draw(D, D) // 50
    return A @ A.T + np.eye(D)


def images(draw: Draw) -> dict[str, np.ndarray]:
    return {"images": draw(3, 5, 4) + 1}


def pairs(a: str, b: str, *shape: int) -> Callable[[Draw], dict[str, np.ndarray]]:
    return lambda draw: {a: draw(*shape), b: draw(*shape)}


NOT_FINITE = (np.nan, np.inf, -np.inf)
GRID = np.arange(0.0, 256.0, 5)
DENSITIES = {"make": lambda draw: {"p": draw(len(GRID)) + 1, "q": draw(len(GRID)) + 1, "grid": GRID},
             "together": ("grid",), "scaled": ("p", "q")}
ROWS: dict[str, Row] = {
    "amari_error": Row(pairs("W", "A", 3, 3), scaled=("W",), degree=0),
    "bits_per_dimension": Row(lambda draw: {"nats": draw(4)}, {"dimensions": 7}, scaled=("nats",), degree=1,
                              tolerates={"nats": (np.inf, -np.inf)}),
    "cell_divergences": Row(lambda draw: {"p": one_hot(draw, 1, 9), "q": one_hot(draw, 1, 9)}),
    "cell_shares": Row(lambda draw: {"samples": draw(9, 2), "low": np.array(20.0), "high": np.array(200.0)},
                       {"cells": 3}, rows=("samples",), together=("samples", "low", "high"), scaled=("samples",)),
    "classifier_score": Row(lambda draw: {"probabilities": one_hot(draw, 8, 3)}, rows=("probabilities",)),
    "count_modes": Row(lambda draw: {"samples": draw(9, 2), "centres": draw(3, 2), "std": np.array(20.0)},
                       rows=("samples",), together=("samples", "centres"), scaled=("samples",),
                       tolerates={"samples": NOT_FINITE}),
    "counts": Row(lambda draw: {"codes": draw(9) // 60, "classes": draw(9) // 1}, whole=True,
                  rows=("codes", "classes")),
    "coverage_kl": Row(lambda draw: {"predicted": draw(9) // 30}, whole=True, rows=("predicted",)),
    "effective_sample_size": Row(lambda draw: {"log_w": draw(6, 2) / 50}, tensors=True, rows=("log_w",),
                                 together=("log_w",), tolerates={"log_w": (-np.inf,)}),
    "energy_score": Row(lambda draw: {"draws": draw(3, 5, 2), "x": draw(5, 2)}, together=("draws", "x"),
                        scaled=("draws", "x"), degree=1),
    "frechet_bias": Row(lambda draw: {"cov_a": covariance(draw, 3), "cov_b": covariance(draw, 3)}, {"n": 9}),
    "frechet_distance": Row(pairs("a", "b", 12, 3), rows=("a", "b"), together=("a", "b"), scaled=("a", "b"), degree=2),
    "gaussian_frechet_distance": Row(
        lambda draw: {"mean_a": draw(3), "cov_a": covariance(draw, 3), "mean_b": draw(3), "cov_b": covariance(draw, 3)},
        together=("mean_a", "mean_b"), scaled=("mean_a", "mean_b")),
    "gaussian_kernel": Row(pairs("x", "y", 5, 3), {"widths": (60.0, 200.0)}, tensors=True, rows=("x", "y"),
                           together=("x", "y"), scaled=("x", "y")),
    "gaussian_rate_distortion": Row(lambda draw: {"variances": draw(4) + 1, "level": np.array(30.0)}),
    "histogram_density": Row(lambda draw: {"samples": draw(40), "low": np.array(10.0), "high": np.array(200.0)},
                             {"bins": 4}, rows=("samples",), together=("samples", "low", "high"),
                             part=lambda result: result[1]),
    "information_bound": Row(lambda draw: {"joint": draw(3, 4) + 1, "q": one_hot(draw, 4, 3).T}, scaled=("joint",),
                             degree=0, tolerates={}),
    "ink": Row(images, rows=("images",), scaled=("images",), degree=1),
    "iw_bound": Row(lambda draw: {"log_w": draw(6, 2)}, {"k": 3}, tensors=True, rows=("log_w",), together=("log_w",),
                    plus=1.0, tolerates={"log_w": (-np.inf,)}),
    "js": Row(**DENSITIES, degree=1),
    "kid": Row(pairs("x", "y", 6, 3), tensors=True, rows=("x", "y")),
    "kl": Row(**DENSITIES, degree=1),
    "kl_diagonal": Row(lambda draw: {"mean_q": draw(4, 3), "log_var_q": draw(4, 3) // 90, "mean_p": draw(4, 3),
                                     "log_var_p": draw(4, 3) // 90},
                       tensors=True, rows=("mean_q", "log_var_q", "mean_p", "log_var_p"), together=("mean_q", "mean_p"),
                       scaled=("mean_q", "mean_p")),
    "kl_standard": Row(lambda draw: {"mean": draw(4, 3), "log_var": draw(4, 3) // 90}, tensors=True,
                       rows=("mean", "log_var"), scaled=("mean",)),
    "kl_standard_log_std": Row(lambda draw: {"mean": draw(4, 3), "log_std": draw(4, 3) // 90}, tensors=True,
                               rows=("mean", "log_std"), scaled=("mean",)),
    "mmd2": Row(pairs("x", "y", 6, 3), {"widths": (60.0, 200.0)}, tensors=True, rows=("x", "y"), together=("x", "y"),
                scaled=("x", "y")),
    "mmd2_gaussians": Row(
        lambda draw: {"mean_p": draw(3), "cov_p": covariance(draw, 3), "mean_q": draw(3), "cov_q": covariance(draw, 3)},
        {"width": 50.0}, tensors=True, together=("mean_p", "mean_q"), scaled=("mean_p", "mean_q")),
    "mutual_information": Row(lambda draw: {"joint": draw(3, 4) + 1}, scaled=("joint",), degree=0),
    "nearest_neighbours": Row(pairs("x", "references", 5, 2, 3), rows=("x", "references"), together=("x", "references"),
                              scaled=("x", "references"), degree=1, part=lambda result: result[0]),  # of ties any index
    "normal_density": Row(lambda draw: {"x": draw(6), "mean": draw(6), "std": draw(6) + 1}, together=("x", "mean"),
                          rows=("x", "mean", "std"), scaled=("x", "mean", "std"), degree=-1),
    "normal_quantiles": Row(lambda draw: {"mean": draw(), "std": draw() + 1}, {"count": 5}, scaled=("mean", "std"),
                            degree=1, together=("mean",), plus=1.0),
    "optimal_pairs": Row(pairs("a", "b", 5, 2), rows=("a", "b"), together=("a", "b"), scaled=("a", "b"), degree=0,
                         part=np.sort),  # of equally good pairings any
    "optimal_discriminator": Row(pairs("p", "q", 6), rows=("p", "q"), scaled=("p", "q"), degree=0),
    "precision_recall": Row(pairs("real", "fake", 6, 3), rows=("real", "fake"), together=("real", "fake"),
                            scaled=("real", "fake"), degree=0, part=np.array),
    "purity": Row(lambda draw: {"codes": draw(9) // 60, "classes": draw(9) // 1}, whole=True,
                  rows=("codes", "classes")),
    "ratio_moments": Row(lambda draw: {"log_w": draw(6) / 250, "a": draw(6), "weights": np.full(6, 1 / 6)},
                         {"ks": (1, 3)}, tensors=True),
    "recovered": Row(lambda draw: {"samples": draw(40), "mean": draw(), "std": draw() + 1}, rows=("samples",),
                     together=("samples", "mean"), tolerates={"samples": NOT_FINITE}),
    "sharpness": Row(images, rows=("images",), together=("images",), scaled=("images",), degree=2),
    "slant": Row(images, rows=("images",), scaled=("images",), degree=0),
    "smooth_density": Row(lambda draw: {"samples": draw(40), "grid": GRID, "bandwidth": np.array(20.0)},
                          rows=("samples",), together=("samples", "grid"), scaled=("samples",)),
    "thickness": Row(images, rows=("images",), scaled=("images",), degree=0),
    "sliced_wasserstein2": Row(pairs("a", "b", 9, 2), rows=("a", "b"), together=("a", "b"), scaled=("a", "b"),
                               degree=1),
    "straightness": Row(lambda draw: {"track": draw(4, 3, 2)}, together=("track",), scaled=("track",), degree=2),
    "transport_cost": Row(pairs("a", "b", 9, 2), rows=("a", "b"), together=("a", "b"), scaled=("a", "b"), degree=2),
    "wasserstein1": Row(pairs("a", "b", 9), rows=("a", "b"), together=("a", "b"), scaled=("a", "b"), degree=1),
    "within_class_variance": Row(lambda draw: {"features": draw(3, 5, 2)}, together=("features",), scaled=("features",),
                                 degree=2),
}
FUNCTIONS = pytest.mark.parametrize("name", sorted(ROWS))


def whole_numbers(seed: int) -> Draw:
    rng = np.random.default_rng(seed)
    return lambda *shape: np.asarray(rng.integers(0, 250, shape), dtype=float)


def real_numbers(seed: int) -> Draw:
    rng = np.random.default_rng(seed)
    return lambda *shape: np.asarray(250 * rng.random(shape))


def arguments_of(name: str, draw: Draw) -> dict[str, np.ndarray]:
    return {key: np.asarray(value) for key, value in ROWS[name].make(draw).items()}


def called(name: str, arguments: dict[str, Any]) -> list[np.ndarray] | str:
    """The answer of a measure to arguments as they are."""
    row = ROWS[name]
    return answer(lambda: row.part(getattr(measure, name)(**arguments, **row.options)))


def plainly(name: str, arguments: dict[str, np.ndarray]) -> list[np.ndarray] | str:
    """The answer to arrays as the function wants them."""
    row = ROWS[name]
    if row.tensors:
        return called(name, {key: torch.tensor(value) for key, value in arguments.items()})
    if row.whole:
        return called(name, {key: value.astype(int) for key, value in arguments.items()})
    return called(name, arguments)


def test_every_measure_has_a_row():
    assert set(ROWS) == set(measure.__all__) - {"Modes", "PrecisionRecall"}, "a new measure needs a row here"


@FUNCTIONS
def test_the_plain_arguments_are_answered(name):
    found = plainly(name, arguments_of(name, whole_numbers(0)))
    assert not refused(found) and not any(np.isnan(part).any() for part in found), found


@FUNCTIONS
@QUICK
@given(seed=SEEDS, data=st.data())
def test_types_of_numbers(name, seed, data):
    """Bytes do not wrap, 16 bits do not overflow: the answer is that to the same numbers in float64."""
    row, arguments = ROWS[name], arguments_of(name, whole_numbers(seed))
    odd = data.draw(st.sampled_from(TORCH_TYPES if row.tensors else NUMPY_TYPES + TORCH_TYPES))
    which = data.draw(st.sampled_from([*arguments, "all"]))
    given_, meant = {}, {}
    for key, value in arguments.items():
        if which not in (key, "all"):
            given_[key] = torch.tensor(value) if row.tensors else value.astype(int) if row.whole else value
        else:
            given_[key] = (torch.tensor(value).to(odd) if isinstance(odd, torch.dtype) else value.astype(odd))
        meant[key] = as_double(given_[key])
    found, expected = called(name, given_), plainly(name, meant)
    if refused(expected):
        assert refused(found), f"{odd}: {found} where float64 is refused: {expected}"
    elif not refused(found):
        in_32_bits = isinstance(odd, torch.dtype)  # a tensor's answer may be
        assert_same(found, expected, *((1e-4, 1e-5) if row.tensors else (1e-6 if in_32_bits else 1e-9, 1e-12)))


@FUNCTIONS
@QUICK
@given(seed=SEEDS, data=st.data())
def test_layouts_of_memory(name, seed, data):
    """Strides, lists, tensors with a gradient: the same number, unless the function takes tensors only."""
    row, arguments = ROWS[name], arguments_of(name, whole_numbers(seed))
    expected = plainly(name, arguments)
    key = data.draw(st.sampled_from([key for key, value in arguments.items() if value.ndim] or list(arguments)))
    layouts = LAYOUTS if arguments[key].ndim else {k: v for k, v in LAYOUTS.items() if "tensor" in k or k == "wrapped"}
    layout = data.draw(st.sampled_from(sorted(layouts)))
    value = arguments[key].astype(int) if row.whole and "gradient" not in layout else arguments[key]
    others = {k: torch.tensor(v) if row.tensors else v.astype(int) if row.whole else v for k, v in arguments.items()}
    found = called(name, others | {key: layouts[layout](value)})
    if row.tensors and "tensor" not in layout:
        assert refused(found), layout
    elif not (row.whole and layout in ("tensor with gradient", "big-endian")):  # those hold floating numbers
        assert not refused(found), (layout, found)
        assert_same(found, expected, 1e-9)
    else:
        assert refused(found), layout


@FUNCTIONS
@pytest.mark.parametrize("kind", sorted(NO_NUMBERS))
def test_what_is_no_number_is_refused(name, kind):
    row, arguments = ROWS[name], arguments_of(name, whole_numbers(1))
    others = {k: torch.tensor(v) if row.tensors else v.astype(int) if row.whole else v for k, v in arguments.items()}
    for key, value in arguments.items():
        found = called(name, others | {key: NO_NUMBERS[kind](value.astype(int) if row.whole else value)})
        assert refused(found), f"{kind} as {key}: {found}"


@FUNCTIONS
@QUICK
@given(seed=SEEDS, data=st.data())
def test_nan_and_infinity(name, seed, data):
    row, arguments = ROWS[name], arguments_of(name, whole_numbers(seed))
    key, bad = data.draw(st.sampled_from(list(arguments))), data.draw(st.sampled_from(NOT_FINITE))
    place = data.draw(st.integers(0, max(arguments[key].size - 1, 0)))
    spoiled = np.array(arguments[key])
    spoiled[np.unravel_index(place, spoiled.shape)] = bad
    spoil = arguments | {key: spoiled}
    found = called(name, {k: torch.tensor(v) for k, v in spoil.items()} if row.tensors else spoil)
    if bad in row.tolerates.get(key, ()) or (np.isnan(bad) and np.isnan(row.tolerates.get(key, (0,))[0])):
        assert not refused(found) and not any(np.isnan(part).any() for part in found)
    else:
        assert refused(found), f"{bad} in {key}: {found}"


@FUNCTIONS
@QUICK
@given(seed=SEEDS, n=st.sampled_from([0, 1]), data=st.data())
def test_no_examples_and_one(name, seed, n, data):
    """Too few are refused; of none at all nothing is said, or nothing for each."""
    row, arguments = ROWS[name], arguments_of(name, whole_numbers(seed))
    if not row.rows:
        return
    which = data.draw(st.sampled_from([row.rows, row.rows[:1], row.rows[-1:]]))
    found = plainly(name, {key: value[:n] if key in which else value for key, value in arguments.items()})
    if not refused(found):
        assert all(np.isfinite(part).all() for part in found), found
        assert n == 1 or all(part.size == 0 for part in found), found


@FUNCTIONS
@QUICK
@given(seed=SEEDS, offset=st.sampled_from([1e4, 1e6, 1e8, -1e8]), single=st.booleans())
def test_far_from_the_origin(name, seed, offset, single):
    """Where a shift changes nothing, a large one changes nothing either: no digits are lost in large squares."""
    row = ROWS[name]
    if not row.together:
        return
    kind = np.float32 if single else np.float64
    far = {key: (value + offset * (key in row.together)).astype(kind)
           for key, value in arguments_of(name, real_numbers(seed)).items()}
    near = {key: as_double(value) - offset * (key in row.together) for key, value in far.items()}
    expected = plainly(name, near)
    found = called(name, {key: torch.tensor(value) for key, value in far.items()} if row.tensors else far)
    if refused(expected):
        assert refused(found)
    elif not refused(found):
        rounding = abs(offset) * np.finfo(kind if row.tensors else np.float64).eps * 4 * row.plus
        assert_same(found, [part + row.plus * offset for part in expected], 1e-4 if single else 1e-6, 1e-5 + rounding)


@FUNCTIONS
@QUICK
@given(seed=SEEDS, scale=st.sampled_from([HUGE, 1e300]), data=st.data())
def test_numbers_of_a_diverged_model(name, seed, scale, data):
    """What overflows on the way is refused, and never 0 or NaN."""
    row, arguments = ROWS[name], arguments_of(name, real_numbers(seed))
    if not row.scaled:
        return
    whole_set = data.draw(st.booleans())
    which = row.scaled if whole_set else row.scaled[:1]
    found = plainly(name, {key: value * scale if key in which else value for key, value in arguments.items()})
    if refused(found):
        return
    assert not any(np.isnan(part).any() for part in found)
    if whole_set and row.degree is not None:
        for part, plain in zip(found, plainly(name, arguments), strict=True):
            with np.errstate(over="ignore"):
                right = plain * np.float64(scale) ** row.degree
            assert not (np.isfinite(plain) & np.isinf(right)).any(), f"{part}, but the right number is too large"
            np.testing.assert_allclose(part, right, rtol=1e-9)


def test_the_known_ones():
    """Each of these came back as a wrong number."""
    eye, bad = np.eye(2), np.array([np.nan, 0.0])
    for mean_a, mean_b in ((bad, eye[0]), (eye[0], bad), (np.array([np.inf, 0]), np.array([np.inf, 0]))):
        assert refused(answer(measure.gaussian_frechet_distance, mean_a, eye, mean_b, eye))
    x = np.random.default_rng(0).normal(size=(50, 2))
    assert refused(answer(measure.frechet_distance, 1e160 * x, 0 * x))
    assert measure.wasserstein1(np.array([5], np.uint8), np.array([250], np.uint8)) == 245
    g = torch.Generator().manual_seed(0)
    u, v = torch.randint(0, 256, (40, 4), generator=g), torch.randint(0, 256, (40, 4), generator=g) // 2
    assert measure.mmd2(u.byte(), v.byte(), [100.0]).item() == pytest.approx(
        measure.mmd2(u.double(), v.double(), [100.0]).item(), rel=1e-9)
    table = measure.counts(np.array([255, 0], np.uint8), np.array([1, 1], np.uint8))
    assert table.shape == (256, 2) and table.sum() == 2
    assert measure.mutual_information([[1e-200, 0], [0, 1]]) == pytest.approx(0, abs=1e-12)
    assert refused(answer(measure.recovered, []))
    assert refused(answer(measure.js, eye[0], eye[1], np.array([1.0, 0.0])))
    assert refused(answer(measure.amari_error, np.zeros((2, 2)), eye))
    assert refused(answer(measure.cell_divergences, bad, eye[0]))


def test_a_kernel_far_out_has_the_right_gradient():
    g = torch.Generator().manual_seed(0)
    x, y = (torch.randn(5, 2, generator=g, dtype=torch.float64) for _ in range(2))
    gradients = []
    for offset in (0.0, 1e8):
        far = (x + offset).requires_grad_()
        measure.mmd2(far, y + offset, (0.7, 2.0)).backward()
        gradients.append(far.grad)
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-5, atol=1e-7)
