"""Where to compute: the CPU unless another device is asked for."""

from __future__ import annotations

import functools
import os

import torch

DEVICES = ("cpu", "cuda", "mps", "auto")


def resolve_device(name: str | torch.device | None = None) -> torch.device:
    """The device of this name; None for that of `COURSE_DEVICE`, or else the CPU.

    Raises:
        ValueError: a name that torch does not know, or a device that this machine does not have.
    """
    if isinstance(name, torch.device) and name.type in ("cpu", "meta"):
        return name
    given = str(name or os.environ.get("COURSE_DEVICE") or "cpu")
    if given == "auto":
        return probe()
    try:
        device = torch.device(given)
    except RuntimeError:
        raise ValueError(f"the device must be one of {', '.join(DEVICES)}, not {given!r}") from None
    if device.type not in ("cpu", "meta") and not works(device):
        raise ValueError(f"this machine has no {given} that torch can use: choose cpu, or auto to have one found")
    return device


@functools.cache
def probe() -> torch.device:
    """The fastest kind of device that works here: CUDA, then MPS, then the CPU. Looks once and prints what it chose."""
    device = next((d for d in map(torch.device, ("cuda", "mps")) if works(d)), torch.device("cpu"))
    print(f"device: {device.type}" + ("" if device.type != "cpu" else " (neither CUDA nor MPS works here)"), flush=True)
    return device


def works(device: torch.device) -> bool:
    """Whether a small product comes out right there: a driver that is too old says no only when it is used."""
    try:
        return float((torch.ones(2, 2, device=device) @ torch.ones(2, 2, device=device)).sum()) == 8.0
    except (RuntimeError, AssertionError, NotImplementedError):  # built without it, no driver, or no such number
        return False
