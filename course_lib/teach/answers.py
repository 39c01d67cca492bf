"""What a student's function returned: what it is, what is wrong with its form, and whether it is the right one.

An answer may be anything, also an object that raises when it is looked at. No function here raises because of that,
except `number`, whose caller wants it to.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

_LARGEST = 1_000_000  # numbers; no exercise asks for so many, and to compare more takes long


def read(value: Any) -> np.ndarray:
    """The numbers of an answer or of a truth, of any shape.

    Raises:
        TypeError: it holds no numbers that numpy can show.
        Exception: what an odd object raises when it is looked at.
    """
    if isinstance(value, Tensor):
        if value.layout is not torch.strided or value.is_quantized or value.is_meta:
            raise TypeError(f"no plain tensor: {described(value)}")
        array = value.detach().cpu().resolve_conj().resolve_neg().numpy()
    elif isinstance(value, (list, tuple)):
        array = np.asarray([read(v) for v in value])
    elif isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise TypeError(f"values are missing: {described(value)}")
    elif isinstance(value, (bool, int, float, complex)) or hasattr(type(value), "__array__"):
        array = np.asarray(value)
    else:
        raise TypeError(f"not numbers: {described(value)}")
    if array.dtype.kind not in "bifuc":
        raise TypeError(f"not numbers: {described(value)}")
    return array


def number(value: Any) -> float:
    """One number, from a Python number, a 0-d tensor or an array that holds one.

    Raises:
        TypeError: it is none.
    """
    try:
        return float(value.item() if hasattr(value, "item") else value)
    except Exception:
        raise TypeError(f"one number is needed here, not {described(value)}") from None


def described(value: Any) -> str:
    """What a value is, in a few words, such as "a list of 3 values": its type and size are asked for, nothing else."""
    name = type(value).__name__
    article = "an" if name[:1].lower() in "aeiou" or name == "ndarray" else "a"
    try:
        return "None" if value is None else f"{article} {name}{_details(value)}"
    except Exception:
        return f"{article} {name}"


def _details(value: Any) -> str:
    if isinstance(value, (Tensor, np.ndarray)):
        return f" of shape {list(value.shape)} and type {value.dtype}{_kind(value)}"
    for container in (tuple, list, dict, set, frozenset, range):
        if isinstance(value, container):
            size = container.__len__(value)
            return f" of {size} value{'' if size == 1 else 's'}"
    if inspect.iscoroutine(value):
        return ": write `def`, not `async def`"
    if inspect.isgenerator(value):
        return ": write `return`, not `yield`"
    if inspect.isclass(value) or inspect.isroutine(value):
        return ": are the brackets of a call missing, `()`?"
    return ""


def _kind(array: Tensor | np.ndarray) -> str:
    """What keeps numpy from reading a tensor."""
    if not isinstance(array, Tensor):
        return ""
    if array.is_meta:
        return ", on the device `meta`, which keeps no values"
    if array.is_quantized:
        return ", quantized: `.dequantize()` makes it a plain one"
    return ", sparse: `.to_dense()` makes it a plain one" if "sparse" in str(array.layout) else ""


def _odd_means(otherwise: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """What a function says of an answer that raises when it is looked at."""
    def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def careful(answer: Any, truth: Any, *tolerance: float) -> Any:
            try:
                return function(answer, truth, *tolerance)
            except KeyboardInterrupt:
                raise
            except BaseException:
                return otherwise(answer, truth) if callable(otherwise) else otherwise
        return careful
    return decorated


def is_too_large(value: Any) -> bool:
    """Whether an answer is so large that it should not even be looked at: an array by accident, an endless list."""
    try:
        if isinstance(value, (list, tuple)):
            return len(value) > _LARGEST or any(map(is_too_large, value))
        size = value.numel() if isinstance(value, Tensor) else value.size if isinstance(value, np.ndarray) else 0
    except Exception:
        return False
    return size > _LARGEST


@_odd_means(False)
def same(answer: Any, truth: Any, rtol: float, atol: float) -> bool:
    """Whether an answer has the truth's values and shape; where that is a tuple, the answer must be one, too."""
    if isinstance(truth, tuple):
        alike = isinstance(answer, tuple) and len(answer) == len(truth)
        return alike and all(same(a, t, rtol, atol) for a, t in zip(answer, truth, strict=True))
    if truth is None or answer is None:
        return truth is answer
    a, t = read(answer), read(truth)
    return a.shape == t.shape and a.dtype.kind != "c" and np.allclose(a, t, rtol=rtol, atol=atol, equal_nan=True)


@_odd_means(False)
def same_but_for_the_form(answer: Any, truth: Any, rtol: float, atol: float) -> bool:
    """Whether the right values are in an answer of whatever form: a list, one more tuple around them, another type."""
    if isinstance(truth, tuple):
        parts = list(answer.values()) if isinstance(answer, dict) else list(answer) if _is_row(answer) else []
        if len(parts) == 1 != len(truth):
            return same_but_for_the_form(parts[0], truth, rtol, atol)
        return len(parts) == len(truth) and all(
            same_but_for_the_form(p, t, rtol, atol) for p, t in zip(parts, truth, strict=True))
    if same(_plain(answer, truth), truth, rtol, atol):
        return True
    return _is_one(answer) and same_but_for_the_form(next(iter(answer)), truth, rtol, atol)


def _is_row(answer: Any) -> bool:
    return isinstance(answer, (tuple, list)) or (isinstance(answer, (np.ndarray, Tensor)) and answer.ndim > 0)


def _is_one(answer: Any) -> bool:
    return isinstance(answer, (tuple, list)) and len(answer) == 1


def _plain(answer: Any, truth: Any) -> Any:
    """A sparse, quantized or complex answer of the right shape as a plain one, if that loses nothing."""
    if isinstance(answer, Tensor) and answer.shape == np.shape(read(truth)):
        answer = answer.to_dense() if answer.layout is not torch.strided else answer
        answer = answer.dequantize() if answer.is_quantized else answer
    return np.real_if_close(read(answer))


def _asked(truth: Any) -> str:
    if isinstance(truth, tuple):
        return f"a tuple of {len(truth)} values"
    if isinstance(truth, Tensor):
        return f"a tensor of shape {list(truth.shape)}"
    return f"an array of shape {list(truth.shape)}" if isinstance(truth, np.ndarray) else described(truth)


def _by_value(complain: Callable[[Any, Any], str | None]) -> Callable[[Any, Any], str | None]:
    """A complaint about one value, made of a tuple of them: of the first that gives cause."""
    @functools.wraps(complain)
    def complaint(answer: Any, truth: Any) -> str | None:
        if not isinstance(truth, tuple) or not isinstance(answer, tuple) or len(answer) != len(truth):
            return complain(answer, truth)
        for i, (a, t) in enumerate(zip(answer, truth, strict=True), start=1):
            if inner := complaint(a, t):
                return f"as value {i} of {len(truth)} {inner}"
        return None
    return complaint


@_odd_means(lambda answer, truth: f"it should return {_asked(truth)}, it returned {described(answer)}")
@_by_value
def wrong_container(answer: Any, truth: Any) -> str | None:
    """What is wrong with what holds the numbers of an answer, and how to mend it; None if nothing is.

    Numbers and numpy's arrays may come in whatever numpy can read; tuples and tensors may not.
    """
    wrong = f"it should return {_asked(truth)}, it returned {described(answer)}"
    if isinstance(truth, tuple) or answer is None or (isinstance(truth, Tensor) and not isinstance(answer, Tensor)):
        return wrong + _mended(answer, truth)
    if not _is_readable(answer) or (_is_one(answer) and not _has_shape_of(answer, truth)):
        return wrong + _mended(answer, truth)
    return None


@_odd_means(None)
@_by_value
def wrong_content(answer: Any, truth: Any) -> str | None:
    """What is wrong with the numbers as such, in a right container: their shape, type, NaN; None if nothing is."""
    a, t = read(answer), read(truth)
    if a.shape != t.shape:
        return f"it should return the shape {list(t.shape)} here, it returned {list(a.shape)}"
    if t.dtype.kind != a.dtype.kind:
        real = ": `.real` is their real part, if the other is 0" if a.dtype.kind == "c" else ""
        return f"it should return values of type {t.dtype}, it returned {a.dtype}{real}"
    if np.isnan(a).any() and not np.isnan(t).any():
        return "it returns NaN (not a number) for some inputs: look for 0/0, log(0)·0 or inf − inf"
    if np.isinf(a).any() and not np.isinf(t).any():
        return "it returns infinite values for some inputs: look for log(0), a division by 0, or a large exp"
    return None


@_odd_means(False)
def _has_shape_of(answer: Any, truth: Any) -> bool:
    return read(answer).shape == read(truth).shape


def _is_readable(answer: Any) -> bool:
    return _has_shape_of(answer, answer)


def _mended(answer: Any, truth: Any) -> str:
    """How to turn what was returned into what was asked for, where that is plain to see."""
    several = isinstance(truth, tuple)
    if _is_one(answer) and (several or not _has_shape_of(answer, truth)):
        return (": is there a comma too many at the end? It makes a tuple of what stands before it"
                if isinstance(answer, tuple) else ": leave its brackets away")
    if several and isinstance(answer, (list, dict, np.ndarray, Tensor)):
        return ": write the values with commas between them, `return a, b`"
    if not several and isinstance(answer, tuple):
        return ": one value is asked for"
    if isinstance(truth, Tensor):
        if isinstance(answer, (np.generic, np.ndarray)):
            return ": stay with torch's functions, or turn it back by `torch.as_tensor`"
        if isinstance(answer, (bool, int, float)):
            return ": leave `.item()` or `float(…)` away, or make a tensor of it by `torch.tensor`"
        if isinstance(answer, list):
            return ": `torch.tensor` or `torch.stack` makes a tensor of a list"
    return ""


@_odd_means(False)
def lacks_gradient(answer: Any, truth: Any) -> bool:
    """Whether the truth depends on what was given in a way that autograd can follow, and the answer does not."""
    if isinstance(truth, tuple):
        return any(lacks_gradient(a, t) for a, t in zip(answer, truth, strict=True))
    return isinstance(truth, Tensor) and truth.requires_grad and not answer.requires_grad


@_odd_means(False)
def unchanged(after: Any, before: Any) -> bool:
    """Whether an argument still holds what was given, within lists, tuples and dictionaries, too.

    Of other objects, such as networks, nothing is said: to train one may be what was asked for.
    """
    if isinstance(before, (list, tuple)):
        return len(after) == len(before) and all(unchanged(a, b) for a, b in zip(after, before, strict=True))
    if isinstance(before, dict):
        return after.keys() == before.keys() and all(unchanged(after[key], b) for key, b in before.items())
    if isinstance(before, (Tensor, np.ndarray)):
        a, b = read(after), read(before)
        return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)
    return True


def told(error: BaseException) -> str:
    """An error in words, for a message in the page: its type and the beginning of what it says."""
    try:
        words = str(error).encode("utf-8", "replace").decode()  # a lone surrogate could not be shown
    except Exception:
        words = ""
    words = words.replace("`", "'")
    return type(error).__name__ + (f": {words[:400]}{'…' if len(words) > 400 else ''}" if words else "")
