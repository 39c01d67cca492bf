"""What a GPU would refuse, found on a machine without one: tensors of two devices in one operation.

Torch's meta device computes shapes only, and mixes silently with the CPU; `OneDevice` makes it as strict as a GPU.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten
JOINING = (aten.cat, aten.stack)  # take no number from elsewhere, as sums do
INDEXING = (aten.index, aten.index_put, aten.index_put_, aten._index_put_impl_)  # their indices may lie on the CPU


class MixedDevices(RuntimeError):
    """An operation on tensors, or with a generator, of different devices."""


class OneDevice(TorchDispatchMode):
    """Within it, an operation raises MixedDevices if its tensors lie on different types of device.

    Allowed is what torch allows between the CPU and a GPU: moving a tensor, a 0-d tensor of the CPU beside others that
    it does not take the result of, and indices of the CPU. Random numbers come from a generator of their own device. A
    meta tensor that is moved to the CPU, or read as a number, is full of ones there, so that metrics can be told and
    pictures drawn; and what a check asks for is true of it: all() and comparisons hold, any() finds nothing.
    """

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if func is aten._local_scalar_dense.default and args[0].is_meta:
            return False if hasattr(args[0], "found") else torch.ones((), dtype=args[0].dtype).item()
        if func is aten._to_copy.default:
            x, target = args[0], torch.device(kwargs.get("device") or args[0].device)
            if x.is_meta and target.type != "meta":
                return torch.ones(x.shape, dtype=kwargs.get("dtype") or x.dtype, device=target)
        elif func is aten.copy_.default:
            if args[1].is_meta and not args[0].is_meta:
                return args[0].fill_(1)
        else:
            refuse_mixed(func, args, kwargs)
        result = func(*args, **kwargs)
        if func is aten.any.default:
            result.found = None
        return result


def leaves(values: Iterable[Any]) -> Iterator[Any]:
    """What is in a list of values and of lists of them."""
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from leaves(value)
        else:
            yield value


def refuse_mixed(func: Any, args: tuple, kwargs: dict[str, Any]) -> None:
    """Raises MixedDevices, and says of which operation and of which tensors."""
    given = list(leaves((args, tuple(kwargs.values()))))
    tensors = [value for value in given if isinstance(value, Tensor)]
    generators = [value for value in given if isinstance(value, torch.Generator)]
    made = [torch.device(kwargs["device"]).type] if generators and kwargs.get("device") is not None else []
    if len({value.device.type for value in tensors + generators} | set(made)) < 2:
        return
    written = [value for argument, value in zip(func._schema.arguments, args, strict=False)
               if argument.alias_info is not None and argument.alias_info.is_write]
    of_indices = list(leaves(args[1])) if func.overloadpacket in INDEXING else []

    def may_lie_elsewhere(x: Tensor) -> bool:
        if x.device.type != "cpu" or any(x is value for value in leaves(written)):
            return False
        return any(x is index for index in of_indices) or (x.ndim == 0 and func.overloadpacket not in JOINING)

    fixed = [x for x in tensors if not may_lie_elsewhere(x)]
    if len({value.device.type for value in fixed + generators} | set(made)) > 1:
        told = ", ".join(f"{x.device.type}{list(x.shape)}" for x in tensors)
        raise MixedDevices(f"{func} of {told or 'no tensors'}" + (" with a generator of the CPU" if generators else ""))
