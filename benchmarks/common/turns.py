"""What the benchmarks of training share: the images as tutorials load them, and runs that take turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

import course_lib  # noqa: F401 (before torchvision)
from course_lib.data import load_mnist
from course_lib.training import Experiment


class PlainMNIST(Dataset):
    """As torchvision.datasets.MNIST gives it: an image is made of its bytes, then turned into a tensor.

    Args:
        *then: further transforms of the tensor, whose pixels lie in [0, 1].
    """

    def __init__(self, *then: Callable[[Tensor], Tensor]) -> None:
        from torchvision import transforms

        self.data, self.transform = load_mnist("train"), transforms.Compose([transforms.ToTensor(), *then])

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = Image.fromarray(self.data.images[index].numpy())
        return self.transform(image), int(self.data.labels[index])


def steps_of(experiment: Experiment) -> Iterator[None]:
    """One step of an experiment at a time, for ever."""
    while True:
        experiment.step()
        yield


def seconds_a_step(steppers: Mapping[Any, Iterator[None]], steps: Mapping[Any, int], turns: int,
                   clock: Callable[[], float] = time.process_time) -> dict[Any, float]:
    """Seconds of one step of each, the median over turns; the first step sets up memory and is not counted.

    They take turns of `steps[name]` steps, so that other work on the machine slows all of them. `clock` reads seconds,
    by default the processor's.
    """
    times: dict[Any, list[float]] = {name: [] for name in steppers}
    for stepper in steppers.values():
        next(stepper)
    for _ in range(turns):
        for name, stepper in steppers.items():
            start = clock()
            for _ in range(steps[name]):
                next(stepper)
            times[name].append((clock() - start) / steps[name])
    return {name: statistics.median(seconds) for name, seconds in times.items()}
