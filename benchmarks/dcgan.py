"""The DCGAN experiment against a plain loop with the tutorial's network: images trained on a second.

    python benchmarks/dcgan.py [--turns 6]

The plain loop: a DataLoader that turns PIL images into tensors one by one; D on real images and on generated ones
apart, each with its own backward pass; G's loss sends gradients into D's weights too, where they are thrown away; Adam;
`.item()` of the losses at every batch. Ours, one change at a time: the same updates (the same networks, dropout, batch
of 256 and learning rates; the images in memory, one pass of D over both kinds, D frozen in G's step, fused Adam); then
bfloat16, where the processor has it; then what the course trains. They take turns, so that other work on the machine
slows all of them; times are the processor's, medians over turns, one thread.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import torch
from common.turns import PlainMNIST, seconds_a_step, steps_of  # course_lib, and so this, before torchvision
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torchvision.transforms import Normalize

from course_lib.experiments.dcgan import TUTORIAL, DCGANExperiment, DCGANHyperparameters
from course_lib.training.precision import fastest_precision

IMAGES_A_TURN = 1024


def plain_networks() -> tuple[nn.Module, nn.Module]:
    """G and D, 5x5 kernels and 64 channels, as tutorials write them."""
    G = nn.Sequential(
        nn.Linear(100, 7 * 7 * 256, bias=False), nn.Unflatten(1, (256, 7, 7)), nn.BatchNorm2d(256), nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(256, 64, 5, stride=2, padding=2, output_padding=1, bias=False), nn.BatchNorm2d(64),
        nn.LeakyReLU(0.2), nn.ConvTranspose2d(64, 1, 5, stride=2, padding=2, output_padding=1), nn.Tanh())
    D = nn.Sequential(
        nn.Conv2d(1, 64, 5, stride=2, padding=2), nn.LeakyReLU(0.2), nn.Dropout(0.3),
        nn.Conv2d(64, 128, 5, stride=2, padding=2), nn.LeakyReLU(0.2), nn.Dropout(0.3),
        nn.Flatten(), nn.Linear(7 * 7 * 128, 1))
    return G, D


def plain_steps(batch_size: int) -> Iterator[None]:
    """One step of the plain loop at a time, for ever."""
    G, D = plain_networks()
    optimizer_g, optimizer_d = (torch.optim.Adam(network.parameters(), lr=1e-4) for network in (G, D))
    bce, losses = F.binary_cross_entropy_with_logits, []
    while True:
        for real, _ in DataLoader(PlainMNIST(Normalize(0.5, 0.5)), batch_size, shuffle=True, drop_last=True):
            one, zero = torch.ones(batch_size, 1), torch.zeros(batch_size, 1)
            optimizer_d.zero_grad()
            loss_real = bce(D(real), one)
            loss_real.backward()
            fake = G(torch.randn(batch_size, 100))
            loss_fake = bce(D(fake.detach()), zero)
            loss_fake.backward()
            optimizer_d.step()
            optimizer_g.zero_grad()
            loss_g = bce(D(fake), one)
            loss_g.backward()
            optimizer_g.step()
            losses.append((loss_real.item() + loss_fake.item(), loss_g.item()))
            yield


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=6, help=f"of {IMAGES_A_TURN} images each")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    precision = fastest_precision()
    ours = {"same updates": TUTORIAL, f"  and {precision}": TUTORIAL.replace(precision=precision),
            "course, width 64": DCGANHyperparameters(precision=precision, width=64),
            "course": DCGANHyperparameters(precision=precision)}
    steppers = {"plain": plain_steps(TUTORIAL.batch_size), **{k: steps_of(DCGANExperiment(h)) for k, h in ours.items()}}
    batch_sizes = {"plain": TUTORIAL.batch_size, **{name: h.batch_size for name, h in ours.items()}}
    seconds = seconds_a_step(steppers, {k: IMAGES_A_TURN // n for k, n in batch_sizes.items()}, arguments.turns)
    first = seconds["plain"] / batch_sizes["plain"]
    print(f"{'':<20}{'batch':>7}{'ms/step':>10}{'images/s':>10}{'times as fast':>15}")
    for name, each in seconds.items():
        n = batch_sizes[name]
        print(f"{name:<20}{n:>7}{1000 * each:>10.1f}{n / each:>10.0f}{first * n / each:>15.2f}")


if __name__ == "__main__":
    main()
