"""Arrays as nobody wishes for them, and what a function may answer: the right number, or a ValueError in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from hypothesis import settings
from torch import Tensor

QUICK = settings(derandomize=True, database=None, deadline=None, max_examples=10)

NUMPY_TYPES = (np.bool_, np.uint8, np.int8, np.int32, np.int64, np.uint64, np.float16, np.float32, np.longdouble)
TORCH_TYPES = (torch.bool, torch.uint8, torch.int8, torch.int32, torch.int64, torch.float16, torch.bfloat16,
               torch.float32)
NO_NUMBERS = {
    "complex": lambda a: a.astype(complex), "complex tensor": lambda a: torch.tensor(a).to(torch.complex128),
    "strings": lambda a: a.astype(str), "objects": lambda a: a.astype(object), "dates": lambda a: a.astype("M8[s]"),
    "masked": lambda a: np.ma.masked_array(a, mask=np.arange(a.size).reshape(a.shape) == 0),
    "sparse": lambda a: torch.tensor(a).to_sparse(), "nothing": lambda a: None, "a word": lambda a: "many",
}


class Wrapped:
    """What numpy can read by `__array__`, as tables and arrays of other libraries are."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.array.astype(dtype or self.array.dtype)


LAYOUTS: dict[str, Callable[[np.ndarray], Any]] = {
    "every second": lambda a: np.repeat(a, 2, axis=0)[::2], "backwards": lambda a: a[::-1].copy()[::-1],
    "by columns": np.asfortranarray, "big-endian": lambda a: a.astype(">f8"), "read-only": lambda a: _read_only(a),
    "list": lambda a: a.tolist(), "wrapped": Wrapped, "tensor": torch.tensor,
    "tensor with gradient": lambda a: torch.tensor(a, requires_grad=True),
    "tensor of columns": lambda a: torch.tensor(a.T.copy()).permute(tuple(reversed(range(a.ndim)))),
}


def _read_only(a: np.ndarray) -> np.ndarray:
    a = a.copy()
    a.setflags(write=False)
    return a


def as_double(value: Any) -> np.ndarray:
    """What the odd array holds, as float64."""
    return value.detach().double().numpy() if isinstance(value, Tensor) else np.asarray(value, dtype=np.float64)


def answer(function: Callable[..., Any], *args: Any, **kwargs: Any) -> list[np.ndarray] | str:
    """The parts of the result as float64 arrays, or the message of the ValueError or TypeError.

    A message is one sentence for a person: of one line, and longer than a word.
    """
    try:
        with np.errstate(all="raise", under="ignore"):  # as a reader may have set it
            result = function(*args, **kwargs)
    except (ValueError, TypeError) as error:
        message = str(error)
        assert len(message) > 15 and "\n" not in message, message
        return message
    parts = result if isinstance(result, tuple) else (result,)
    return [as_double(part) for part in parts]


def refused(found: list[np.ndarray] | str) -> bool:
    return isinstance(found, str)


def assert_same(found: list[np.ndarray], expected: list[np.ndarray], rtol: float, atol: float = 1e-12) -> None:
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, equal_nan=False)
