"""What each device of this machine makes of five families: images trained on a second, and how good they are then.

    python benchmarks/device.py [--seconds 20] [--models vae transformer]

Each family trains from seed 0 with the course's own values, for so many seconds on each of cpu, cuda and mps that works
here. bfloat16 and channels_last are taken where a probe, a few steps each way by turns, finds them 1.15 times as fast;
the ratios are printed, with a star where it did. On the CPU, times are the processor's, one thread; elsewhere they are
the clock's, once the device has done all that it was given. Measures are those of `Experiment.evaluate`, and for flow
matching, whose own take minutes on a CPU, the squared error of the velocity on 1,000 test images.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
from common.turns import seconds_a_step, steps_of
from torch import nn

from course_lib.data import load_mnist
from course_lib.experiments.flow_matching import FlowMatchingExperiment
from course_lib.models.flow_matching import PATH, even_times, flow_matching_loss
from course_lib.seeds import seeded
from course_lib.training import Experiment
from course_lib.training.device import works
from course_lib.training.image_gan import scaled
from course_lib.training.precision import WORTHWHILE
from course_lib.training.registry import experiment_class

MODELS = ("vae", "dcgan", "pixelrnn", "flow_matching", "transformer")
TURNS, TURN = 3, 5  # of a probe, and steps in each
AT_ONCE = 10  # steps between two looks at the clock
TEST_IMAGES = 1000


def devices_here() -> list[torch.device]:
    """Of cpu, cuda and mps those that work."""
    return [device for device in map(torch.device, ("cpu", "cuda", "mps")) if works(device)]


def clock_of(device: torch.device) -> Callable[[], float]:
    """Reads seconds: the processor's on the CPU; elsewhere the clock's, once the device has nothing left to do."""
    if device.type == "cpu":
        return time.process_time

    def read() -> float:
        getattr(torch, device.type).synchronize()
        return time.perf_counter()

    return read


def networks_of(experiment: Experiment) -> list[nn.Module]:
    return [part for part in experiment.components().values() if isinstance(part, nn.Module)]


def made(name: str, device: torch.device, precision: str, channels_last: bool) -> Experiment:
    """A family's experiment; if `channels_last`, the weights of its convolutions lie so, and what they give does, too.
    """
    kind = experiment_class(name)
    experiment = kind(kind.Hyperparameters().replace(precision=precision), device=device)
    for network in networks_of(experiment) if channels_last else ():
        network.to(memory_format=torch.channels_last)
    return experiment


def may_change_layout(experiment: Experiment) -> bool:
    """Whether it has weights of convolutions that do not lie channels_last already."""
    return any(p.ndim == 4 and not p.is_contiguous(memory_format=torch.channels_last)
               for network in networks_of(experiment) for p in network.parameters())


def times_as_fast(usual: Experiment, other: Experiment, clock: Callable[[], float]) -> float:
    """How many times as fast the steps of `other` are; 0 where the device cannot do them."""
    steppers = {"usual": steps_of(usual), "other": steps_of(other)}
    try:
        seconds = seconds_a_step(steppers, dict.fromkeys(steppers, TURN), TURNS, clock)
    except (RuntimeError, NotImplementedError):
        return 0.0
    return seconds["usual"] / seconds["other"]


def velocity_error(experiment: FlowMatchingExperiment) -> float:
    """The averaged network's loss on test images, with the same noise and the same times on every device."""
    test, generator = load_mnist("test"), seeded(0)
    x = scaled(test.images[:TEST_IMAGES].unsqueeze(1))
    eps, t = torch.randn(x.shape, generator=generator), even_times(len(x), generator)
    x, eps, t, y = (part.to(experiment.device) for part in (x, eps, t, test.labels[:TEST_IMAGES]))
    with torch.no_grad():
        return flow_matching_loss(experiment.model(PATH.noised(x, t, eps), t, y), x, eps).item()


def measures(experiment: Experiment) -> dict[str, float]:
    if isinstance(experiment, FlowMatchingExperiment):
        return {"velocity_error": velocity_error(experiment)}
    return experiment.evaluate(thorough=False)


def row(name: str, device: torch.device, seconds: float) -> str:
    """The line of the table for a family on a device, once it has been trained there."""
    clock = clock_of(device)
    ratios, taken = {}, {"precision": "float32", "channels_last": False}
    for column, way in (("bf16", {"precision": "bfloat16"}), ("ch_last", {"channels_last": True})):
        usual, other = made(name, device, **taken), made(name, device, **{**taken, **way})
        if column == "ch_last" and not may_change_layout(usual):
            ratios[column] = "-"
            continue
        ratio = times_as_fast(usual, other, clock)
        ratios[column] = f"{ratio:.2f}{'*' if ratio > WORTHWHILE else ' '}"
        if ratio > WORTHWHILE:
            taken |= way
    experiment = made(name, device, **taken)
    experiment.step()  # sets up memory
    start = clock()
    while (spent := clock() - start) < seconds:
        for _ in range(AT_ONCE):
            experiment.step()
    images = (experiment.steps - 1) * experiment.hyperparameters.batch_size / spent
    told = "  ".join(f"{measure} {value:.4g}" for measure, value in measures(experiment).items())
    return (f"{name:<15}{device.type:<6}{ratios['bf16']:>7}{ratios['ch_last']:>9}{experiment.steps:>8}{images:>11.0f}"
            f"  {told}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="of training for each family on each device")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS, metavar="NAME", help=", ".join(MODELS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'':<15}{'device':<6}{'bf16':>7}{'ch_last':>9}{'steps':>8}{'images/s':>11}  measures")
    for device in devices_here():
        for name in arguments.models:
            print(row(name, device, arguments.seconds), flush=True)


if __name__ == "__main__":
    main()
