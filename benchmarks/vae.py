"""The VAE experiment against the loop of a usual tutorial: same network, batch, objective and number of steps.

    python benchmarks/vae.py [--steps 1200]

The plain loop: a DataLoader that turns PIL images into tensors one by one, nn.Linear layers, sigmoid outputs, binary
cross-entropy summed over pixels plus KL, Adam, `.item()` at every batch. Ours: the same with the images in memory,
logits, and fused Adam; and then with bfloat16, where the processor has it. Both train on grey pixels, as tutorials do.
They take turns, 100 steps each, so that other work on the machine slows all of them; times are the processor's, medians
over turns, one thread. Result: bound on the test images (grey, so a loss and no likelihood), nats.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import torch
from common.turns import PlainMNIST, seconds_a_step, steps_of
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from course_lib.experiments.vae import VAEExperiment, VAEHyperparameters, elbo_of, held_out_images
from course_lib.training.precision import fastest_precision

BATCH, LATENT, TURN = 100, 2, 100


class PlainVAE(nn.Module):
    """784-512-256-2 and its mirror, as tutorials write it."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(784, 512), nn.Linear(512, 256)
        self.mu, self.log_var = nn.Linear(256, LATENT), nn.Linear(256, LATENT)
        self.fc4, self.fc5, self.fc6 = nn.Linear(LATENT, 256), nn.Linear(256, 512), nn.Linear(512, 784)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = F.relu(self.fc2(F.relu(self.fc1(x.view(-1, 784)))))
        mu, log_var = self.mu(h), self.log_var(h)
        z = mu + torch.exp(0.5 * log_var) * torch.randn_like(mu)
        return torch.sigmoid(self.fc6(F.relu(self.fc5(F.relu(self.fc4(z)))))), mu, log_var


def plain_loss(model: PlainVAE, x: Tensor) -> Tensor:
    rebuilt, mu, log_var = model(x)
    bce = F.binary_cross_entropy(rebuilt, x.view(-1, 784), reduction="sum")
    return bce - 0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp())


def plain_steps(model: PlainVAE) -> Iterator[None]:
    """One step of the tutorial's loop at a time, for ever."""
    optimizer, loader = torch.optim.Adam(model.parameters()), DataLoader(PlainMNIST(), BATCH, shuffle=True)
    train_loss = 0.0
    while True:
        for x, _ in loader:
            optimizer.zero_grad()
            loss = plain_loss(model, x)
            loss.backward()
            train_loss += loss.item()
            optimizer.step()
            yield


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1200, help="of each, in turns of 100")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    plain_vae = PlainVAE()
    names = {"ours, float32": "float32"}
    if fastest_precision() == "bfloat16":
        names["ours, bfloat16"] = "bfloat16"
    ours = {name: VAEExperiment(VAEHyperparameters(latent_size=LATENT, batch_size=BATCH, pixels="grey", precision=p))
            for name, p in names.items()}
    steppers = {"plain": plain_steps(plain_vae), **{name: steps_of(experiment) for name, experiment in ours.items()}}
    seconds = seconds_a_step(steppers, dict.fromkeys(steppers, TURN), arguments.steps // TURN)

    x = held_out_images("grey")
    with torch.no_grad():
        bounds = {"plain": -plain_loss(plain_vae, x).item() / len(x)}
    bounds |= {name: elbo_of(experiment.model, x).value.mean().item() for name, experiment in ours.items()}
    plain = seconds["plain"]
    print(f"{'':<16}{'ms/step':>9}{'images/s':>10}{'times as fast':>15}{'bound':>9}")
    for name, each in seconds.items():
        print(f"{name:<16}{1000 * each:>9.2f}{BATCH / each:>10.0f}{plain / each:>15.2f}{bounds[name]:>9.2f}")
    if len(ours) == 1:
        print("bfloat16 is no faster on this processor")


if __name__ == "__main__":
    main()
