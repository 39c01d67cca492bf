"""The Row LSTM against the way it is usually written, one conv1d per row, and what a sample costs.

    python benchmarks/pixelrnn.py [--steps 60]

The plain loop: a DataLoader that binarizes PIL images one by one, a masked 7 x 7 convolution, then for each row a
masked conv1d of the input and a conv1d of the state, sigmoid, binary cross-entropy, Adam, gradient clip, `.item()` at
every batch. Ours: the same mathematics, with one product of matrices a row, images in memory, fused Adam; and then with
bfloat16, where the processor has it. They take turns, 10 steps each, so that other work on the machine slows all of
them; times are the processor's, medians over turns, one thread.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import torch
from common.turns import PlainMNIST, seconds_a_step, steps_of
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from course_lib.experiments.pixelrnn import MODELS, PixelExperiment, PixelHyperparameters
from course_lib.training.precision import fastest_precision

BATCH, CHANNELS, TURN = 16, 32, 10


class PlainRowLSTM(nn.Module):
    """One layer of 32 channels, row by row."""

    def __init__(self) -> None:
        super().__init__()
        C = CHANNELS
        self.first, self.last = nn.Conv2d(1, C, 7, padding=3), nn.Sequential(nn.Conv2d(C, C, 1), nn.ReLU(),
                                                                             nn.Conv2d(C, 1, 1))
        mask = torch.ones(7, 7)
        mask[3, 3:], mask[4:] = 0, 0
        self.register_buffer("mask_a", mask)
        self.input_to_state = nn.Conv1d(C, 4 * C, 3, padding=1)
        self.state_to_state = nn.Conv1d(C, 4 * C, 3, padding=1, bias=False)
        self.register_buffer("mask_b", torch.tensor([1.0, 1.0, 0.0]))

    def forward(self, x: Tensor) -> Tensor:
        self.first.weight.data *= self.mask_a
        self.input_to_state.weight.data *= self.mask_b
        x = self.first(x)
        h = c = torch.zeros_like(x[:, :, 0])
        rows = []
        for i in range(x.shape[2]):
            gates = self.input_to_state(x[:, :, i]) + self.state_to_state(h)
            o, f, i_, g = gates.chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i_) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            rows.append(h)
        return torch.sigmoid(self.last(F.relu(x + torch.stack(rows, dim=2))))


def plain_steps() -> Iterator[None]:
    """One step of the usual loop at a time, for ever."""
    model = PlainRowLSTM()
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    loader = DataLoader(PlainMNIST(torch.bernoulli), BATCH, shuffle=True)
    train_loss = 0.0
    while True:
        for x, _ in loader:
            optimizer.zero_grad()
            loss = F.binary_cross_entropy(model(x), x, reduction="sum") / len(x)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 100.0)
            optimizer.step()
            train_loss += loss.item()
            yield


def training(steps: int) -> None:
    precisions = ["float32", "bfloat16"] if fastest_precision() == "bfloat16" else ["float32"]
    ours = {f"ours, {precision}": PixelExperiment(PixelHyperparameters(
        batch_size=BATCH, channels=CHANNELS, precision=precision)) for precision in precisions}
    steppers = {"plain": plain_steps(), **{name: steps_of(experiment) for name, experiment in ours.items()}}
    seconds = seconds_a_step(steppers, dict.fromkeys(steppers, TURN), steps // TURN)
    plain = seconds["plain"]
    print(f"{'training, batches of 16':<26}{'ms/step':>9}{'images/s':>10}{'times as fast':>15}")
    for name, each in seconds.items():
        print(f"{name:<26}{1000 * each:>9.1f}{BATCH / each:>10.0f}{plain / each:>15.2f}")


def sampling() -> None:
    print(f"\n{'16 images of 28 x 28':<26}{'s':>9}{'naive, s':>10}{'times as fast':>15}")
    for name, model in MODELS.items():
        network = model((28, 28), generator=torch.Generator().manual_seed(0))
        seconds = []
        for cached in (True, False):
            start = time.process_time()
            network.sample(16, torch.Generator().manual_seed(0), cached=cached)
            seconds.append(time.process_time() - start)
        print(f"{name:<26}{seconds[0]:>9.2f}{seconds[1]:>10.1f}{seconds[1] / seconds[0]:>15.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=60, help="of each, in turns of 10")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    training(arguments.steps)
    sampling()


if __name__ == "__main__":
    main()
