"""Data-parallel training: several processes share each step of a run, each with a batch of its own.

Of W processes each computes the gradient of its n examples, and all follow the mean of these gradients. Where a loss is
a mean over examples, that is the gradient of one batch of W·n; so parameters that are equal stay equal. What looks at a
batch as a whole, such as batch normalisation, looks at a process's own; its running statistics are those of the first
process, as in PyTorch's DistributedDataParallel.

Within a step each process draws random numbers of its own, and between two steps all generators stand at the same
place. So the state of the first process is the state of the run, and its checkpoint can be resumed by any number of
processes. One process alone does nothing of this.

Reference: S. Li et al., PyTorch Distributed: Experiences on Accelerating Data Parallel Training, PVLDB 13(12), 2020.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, distributed, nn
from torch.optim import Optimizer

if TYPE_CHECKING:
    from course_lib.training.experiment import Experiment

PATIENCE = timedelta(minutes=5)  # for a process that does not answer; one that has ended is noticed at once

_rank, _processes = 0, 1  # of this process; asked for several times a step


class ProcessLost(RuntimeError):
    """Another process of the run has ended, or does not answer. Where it was in a step, the experiment is not whole."""


def processes() -> int:
    """How many share the run, 1 outside `together`."""
    return _processes


def rank() -> int:
    """Which of the processes this is, from 0 on."""
    return _rank


@contextmanager
def together() -> Iterator[None]:
    """Within it this process shares its steps with those that a launcher, such as torchrun, has started beside it.

    The first prints how many they are: some launchers start one alone, and say nothing. Without a launcher, which gives
    each process its RANK and WORLD_SIZE, nothing is done.

    Raises:
        ProcessLost: the others cannot be reached; also within it.
        ValueError: a launcher that does not say where they meet, MASTER_ADDR and MASTER_PORT.
    """
    global _rank, _processes
    if not {"RANK", "WORLD_SIZE"} <= os.environ.keys():
        yield
        return
    _answered(distributed.init_process_group, "gloo", timeout=PATIENCE)
    _rank, _processes = distributed.get_rank(), distributed.get_world_size()
    try:
        if rank() == 0:
            print(f"processes: {processes()}", flush=True)
        yield
    finally:
        _rank, _processes = 0, 1
        distributed.destroy_process_group()


def require_shareable(experiment: Experiment) -> None:
    """Raises ValueError where the processes cannot share this experiment's steps, or do not begin at the same state."""
    if processes() == 1:
        return
    if not experiment.shareable:
        raise ValueError("several processes can share only steps that follow the gradient of a loss: train this model "
                         "in one")
    if experiment.device.type != "cpu":
        raise ValueError(f"several processes share steps on the CPU alone, not on {experiment.device.type}")
    digests: list[Any] = [None] * processes()
    _answered(distributed.all_gather_object, digests, experiment.digest())
    if len(set(digests)) > 1:
        raise ValueError("the processes do not begin at the same state: give them the same options, the same "
                         "checkpoint and the same versions of all packages")


@contextmanager
def shared_step(experiment: Experiment) -> Iterator[None]:
    """Around a step: its generators draw this process's own numbers. Afterwards they stand where all processes' do, and
    buffers, such as running statistics, are the first process's."""
    if processes() == 1:
        yield
        return
    parts = experiment.components().values()
    generators = [part for part in parts if isinstance(part, torch.Generator)]
    seeds = [int(torch.randint(2**31, (), generator=generator)) for generator in generators]
    states = [generator.get_state() for generator in generators]
    for generator, seed in zip(generators, seeds, strict=True):
        generator.manual_seed(seed + rank())
    yield
    for generator, state in zip(generators, states, strict=True):
        generator.set_state(state)
    from_first([buffer for part in parts if isinstance(part, nn.Module) for buffer in part.buffers()
                if buffer.is_floating_point()])


def average_gradients(optimizer: Optimizer) -> None:
    """Replace the gradients of an optimiser's parameters by their means over all processes."""
    if processes() > 1:
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        _in_one_message(gradients, lambda whole: distributed.all_reduce(whole.div_(processes())))


def from_first(tensors: Sequence[Tensor]) -> None:
    """Replace tensors, each of any shape, by those of the first process."""
    if processes() > 1 and tensors:
        _in_one_message(tensors, lambda whole: distributed.broadcast(whole, 0))


def largest(number: int) -> int:
    """The largest of the processes' numbers."""
    if processes() == 1:
        return number
    told = torch.tensor(number)
    _answered(distributed.all_reduce, told, distributed.ReduceOp.MAX)
    return int(told)


@torch.no_grad()
def _in_one_message(tensors: Sequence[Tensor], exchange: Callable[[Tensor], Any]) -> None:
    whole = torch.cat([tensor.flatten() for tensor in tensors])
    _answered(exchange, whole)
    for tensor, part in zip(tensors, whole.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(part.view_as(tensor))


def _answered(exchange: Callable[..., Any], *arguments: Any, **named: Any) -> None:
    try:
        exchange(*arguments, **named)
    except RuntimeError as error:
        raise ProcessLost("another process of this run has ended, or does not answer") from error
