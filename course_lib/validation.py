"""Checks of what a caller hands to a measure or an estimator: kind, shape, number of rows, NaN and infinity.

What comes back can be computed with: floating, and wide enough for sums and squares. Bytes would wrap (5 − 250 is 11),
and sixteen bits overflow at 65,504. What cannot be made so raises a ValueError that names the argument. Each check is
one pass over the numbers, without a copy of them.

A `shape` is a tuple of sizes, in which a name stands for any size, ("n", 784), and a leading "..." for any number of
dimensions. Networks check nothing in `forward`: these checks belong where a person calls.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

Shape = tuple[int | str, ...]


def real_array(value: ArrayLike | Tensor, name: str, shape: Shape | None = None, rows: int = 0) -> np.ndarray:
    """`value` as an array of real numbers of the type that it has, without a copy where numpy needs none.

    A tensor is taken without its gradient, and of a type that numpy has not, as bfloat16, in float32.

    Args:
        value: an array, a tensor, a list, or whatever numpy can read.
        name: what the caller calls it, for the message.
        shape: see above; None takes any shape.
        rows: at least so many along the first dimension.

    Raises:
        ValueError: no numbers or complex ones, masked entries, another shape, too few rows.
    """
    if isinstance(value, Tensor):
        value = dense_tensor(value, name).detach().cpu()
        if value.is_floating_point() and value.dtype not in (torch.float16, torch.float32, torch.float64):
            value = value.float()
        value = value.resolve_conj().resolve_neg().numpy()
    if np.ma.is_masked(value):
        raise ValueError(f"{name} has masked entries: fill them, or leave them out")
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"{name} must be an array of numbers; this {type(value).__name__} is none ({error})") from None
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold real numbers, not {array.dtype}")
    _require_shape(array.shape, name, shape, rows)
    return array


def float_array(value: ArrayLike | Tensor, name: str, shape: Shape | None = None, rows: int = 0,
                finite: bool = True) -> np.ndarray:
    """As `real_array`, of `shape` or any shape, in float64; unless `finite` is False, NaN and infinity raise a
    ValueError, too."""
    with np.errstate(over="ignore", invalid="ignore"):
        array = np.asarray(real_array(value, name, shape, rows), dtype=np.float64)
        # A sum is one number, where isfinite would be an array as large as a byte for each.
        if finite and not (np.isfinite(array.sum()) or np.isfinite(array).all()):
            raise _not_finite(name)
    return array


def whole_array(value: ArrayLike | Tensor, name: str, shape: Shape | None = None, rows: int = 0) -> np.ndarray:
    """As `real_array`, of `shape` or any shape, in int64. Raises ValueError also for floating numbers, Booleans, and
    what int64 cannot hold."""
    array = real_array(value, name, shape, rows)
    if array.dtype.kind not in "iu":
        raise ValueError(f"{name} must be whole numbers, not {array.dtype}")
    if array.size and array.max() > np.iinfo(np.int64).max:
        raise ValueError(f"{name} must fit into 64 bits with a sign; there is a {array.max()}")
    return array.astype(np.int64, copy=False)


def dense_tensor(value: Tensor, name: str) -> Tensor:
    """`value`, if it is a tensor, of any shape, that holds all its numbers; else raises ValueError."""
    if not isinstance(value, Tensor):
        raise ValueError(f"{name} must be a tensor, not {type(value).__name__}: torch.as_tensor({name})")
    if value.layout != torch.strided or value.is_quantized:
        raise ValueError(f"{name} must be a dense tensor, not {value.layout}: {name}.to_dense()")
    return value


def float_tensor(value: Tensor, name: str, shape: Shape | None = None, rows: int = 0, finite: bool = True,
                 whole: bool = True) -> Tensor:
    """A floating tensor, of `shape` or any shape, of at least 32 bits, with the gradient of `value`: whole numbers
    become float64.

    Args:
        value, name, shape, rows: as for `real_array`, but only a tensor will do.
        finite: False lets NaN and infinity pass.
        whole: False refuses whole numbers and Booleans.

    Raises:
        ValueError: no tensor, complex numbers, another shape, too few rows, NaN or infinity.
    """
    dense_tensor(value, name)
    if value.is_complex():
        raise ValueError(f"{name} must hold real numbers, not {value.dtype}")
    _require_shape(tuple(value.shape), name, shape, rows)
    if not value.is_floating_point():
        if not whole:
            raise ValueError(f"{name} must be of a floating type, not {value.dtype}: {name}.float()")
        value = value.double()
    elif value.dtype not in (torch.float32, torch.float64):
        value = value.float()
    if finite and not all_finite(value):
        raise _not_finite(name)
    return value


def float_tensors(shape: Shape | None = None, finite: bool = True, **values: Tensor) -> tuple[Tensor, ...]:
    """`float_tensor` of each argument, of `shape` or any shape, all in the widest type among them."""
    tensors = [float_tensor(value, name, shape, finite=finite) for name, value in values.items()]
    widest = torch.float64 if any(t.dtype == torch.float64 for t in tensors) else torch.float32
    return tuple(t.to(widest) for t in tensors)


def label_tensor(value: Tensor, name: str, shape: Shape, classes: int | None = None) -> Tensor:
    """Labels as int64, of this shape, such as `("n",)` for `[n]`. Raises ValueError for floating numbers, or labels
    outside 0 … classes − 1."""
    dense_tensor(value, name)
    if value.is_floating_point() or value.is_complex():
        raise ValueError(f"{name} must be whole numbers, not {value.dtype}: {name}.long()")
    _require_shape(tuple(value.shape), name, shape, 0)
    value = value.long()
    if classes is not None and value.numel() and not 0 <= value.min() <= value.max() < classes:
        raise ValueError(f"{name} must lie in 0 … {classes - 1}, these lie in {value.min()} … {value.max()}")
    return value


def mask_tensor(value: Tensor, name: str, *shapes: tuple[int, ...]) -> Tensor:
    """A mask as bool, of one of these shapes, such as `(n, D)` for `[n, D]`. Raises ValueError for others, and for
    other values than 0 and 1."""
    dense_tensor(value, name)
    if tuple(value.shape) not in shapes:
        raise ValueError(f"{name} must have shape {' or '.join(str(list(s)) for s in dict.fromkeys(shapes))}, "
                         f"not {list(value.shape)}")
    if value.dtype != torch.bool and not all_bits(value):
        raise ValueError(f"{name} must hold ones (seen) and zeros (hidden), or True and False")
    return value.bool()


def number(value: Any, name: str, above: float = -math.inf) -> float:
    """One finite number above a limit, as a float. Raises ValueError for anything else."""
    result = float(real_array(value, name, ()))
    if not (math.isfinite(result) and result > above):
        limit = {-math.inf: "finite", 0: "positive and finite"}.get(above, f"finite and above {above:g}")
        raise ValueError(f"{name} must be {limit}, not {value!r}")
    return result


def whole_number(value: Any, name: str, least: int = 1) -> int:
    """One whole number that is not below `least`. Raises ValueError for anything else."""
    try:
        result = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} must be a whole number, not {value!r}") from None
    if result < least:
        raise ValueError(f"{name} must be at least {least}, not {result}")
    return result


def finite_result(value: Any, what: str) -> Any:
    """`value`, a number, an array or a tensor that was computed from finite numbers.

    Raises:
        ValueError: it has become NaN or infinite on the way: sums or squares of numbers so large overflow.
    """
    fine = all_finite(value) if isinstance(value, Tensor) else bool(np.isfinite(value).all())
    if not fine:
        raise ValueError(f"{what} cannot be computed: the numbers are so large that it overflows, as those of a "
                         "diverged model are")
    return value


def require_spread(mean: Tensor, std: Tensor, name: str) -> None:
    """Raises ValueError where numbers of this mean `[…]` and standard deviation `[…]` lie too far from 0 for their type
    to hold how they are spread."""
    if (mean.detach().abs() * torch.finfo(mean.dtype).eps > 0.1 * std.detach()).any():
        raise ValueError(f"{name} lies so far from 0 that {mean.dtype} rounds its spread away: subtract the mean "
                         f"first, or use {name}.double()")


def possible(log_p: Tensor, what: str) -> Tensor:
    """Logarithms `[…, K]` of probabilities, or of what is proportional to them, that can be normalised.

    Raises:
        ValueError: a row in which all are 0, or one is NaN or infinitely likely: it has no share to give.
    """
    if not all_finite(log_p.detach().amax(dim=-1)):  # amax passes NaN on
        raise ValueError(f"{what} is impossible under every choice that the model has, or its parameters are NaN: "
                         "nothing is more probable than anything else")
    return log_p


def all_bits(x: Tensor) -> bool:
    """Whether all entries, of any shape, are 0 or 1; in parts, since each comparison is an array of its own."""
    return all(bool(((part == 0) | (part == 1)).all()) for part in x.flatten().split(1_000_000))


def all_finite(value: Tensor) -> bool:
    """Whether a floating tensor of any shape has neither NaN nor infinity."""
    value = value.detach()
    return bool(value.sum().isfinite() or value.isfinite().all())


def _require_shape(given: tuple[int, ...], name: str, shape: Shape | None, rows: int) -> None:
    if shape is not None:
        free = shape[:1] == ("...",)
        wanted = shape[1:] if free else shape
        tail = given[len(given) - len(wanted):] if free else given
        if len(tail) != len(wanted) or any(isinstance(w, int) and w != g for w, g in zip(wanted, tail, strict=True)):
            raise ValueError(f"{name} must have shape [{', '.join(map(str, shape))}], not {list(given)}")
    if rows and (not given or given[0] < rows):
        there = given[0] if given else 0
        raise ValueError(f"{name} must have at least {rows} row{'s' * (rows > 1)}, not {there}")


def _not_finite(name: str) -> ValueError:
    return ValueError(f"{name} has NaN or infinite numbers, as a diverged model makes them: they must be finite")
