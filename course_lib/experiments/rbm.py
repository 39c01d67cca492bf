"""Restricted Boltzmann machines on bars and stripes, in training by three kinds of gradient, and judged exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.data import bars_and_stripes
from course_lib.models.rbm import RBM, all_states, bernoulli
from course_lib.seeds import seeded
from course_lib.training.experiment import Experiment
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.optim import length_of_training, linear_decay
from course_lib.training.registry import register

SIDE = 3
COPIES = 7  # chains for each of the 14 pictures: fewer make the gradient so noisy that nothing else is seen
SHOWN = 28  # of them in a snapshot
MEASURE_EVERY = 10  # steps: what is measured in between is what was measured last
METHODS = ("exact", "PCD", "CD")


@dataclass(frozen=True)
class RBMHyperparameters(Hyperparameters):
    """The hyperparameters of the RBM."""

    method: str = hyperparameter(
        "CD", label="gradient", choices=METHODS,
        help="Where the negative phase comes from. CD: k rounds from the data; PCD: k more rounds from where its "
             "chains were left; exact: the sum over all pictures.")
    k: int = hyperparameter(
        1, label="rounds a step (k)", low=1, high=50,
        help="Gibbs rounds of each chain between two steps.")
    learning_rate: float = hyperparameter(
        0.2, label="learning rate", low=1e-3, high=2.0, log=True,
        help="How far each step goes up the gradient.")
    total_steps: int = length_of_training()
    hidden_size: int = hyperparameter(
        16, label="hidden units", low=1, high=32, unit="units", restart=True,
        help="How many hidden units the machine has.")
    machines: int = hyperparameter(
        1, label="machines", low=1, high=64, restart=True,
        help="So many machines, each with weights and chains of its own, learn side by side.")


@register(
    "rbm",
    summary="restricted Boltzmann machines on bars and stripes",
    prints="Prints KL(data ‖ model) in nats and the squared error of a reconstruction, means over the machines.",
)
class RBMExperiment(Experiment):
    """RBMs learn the 14 bars and stripes of 3x3 pixels.

    Metrics: kl, KL(data ‖ model) by enumeration, in nats, and reconstruction, the mean squared error of p(x | h) for an
    h drawn from p(h | x); means over the machines, measured every 10 steps.

    Attributes:
        rbm: the machines, with leading dimension `machines`.
        chains: where each machine's chains are, `chains.x` `[machines, 98, 9]`.
    """

    Hyperparameters = RBMHyperparameters

    def build(self, generator: torch.Generator) -> None:
        h = self.hyperparameters
        self.generator = generator
        self.data = bars_and_stripes(SIDE).expand(h.machines, -1, -1).to(self.device)
        self.rbm = RBM(SIDE**2, h.hidden_size, generator, seeds=h.machines).to(self.device)
        self.chains = nn.Module()  # a module, so that its state is saved with the rest
        start = bernoulli(torch.full((h.machines, COPIES * self.data.shape[1], SIDE**2), 0.5), generator)
        self.chains.register_buffer("x", start.to(self.device))
        self.measured: dict[str, Tensor] = {}

    def components(self) -> dict[str, nn.Module | torch.optim.Optimizer | torch.Generator]:
        return {"model": self.rbm, "chains": self.chains, "rng": self.generator}

    def training_step(self) -> dict[str, Tensor]:
        """Gradient ascent on log p by hand, from two sets of moments: there is no loss to differentiate (G. Hinton,
        Training Products of Experts by Minimizing Contrastive Divergence, Neural Computation 14, 2002). Returns the
        0-d metrics."""
        h = self.hyperparameters
        if h.method == "exact":
            negative_phase = self.rbm.exact_moments()
        else:
            start = self.data.repeat(1, COPIES, 1) if h.method == "CD" else self.chains.x
            self.chains.x = self.rbm.gibbs(start, h.k, self.generator)
            negative_phase = self.rbm.moments(self.chains.x)
        self.rbm.gradient_step(self.rbm.moments(self.data), negative_phase, linear_decay(h.learning_rate, self.steps,
                                                                                         h.total_steps))
        if self.steps % MEASURE_EVERY == 0 or not self.measured:
            self.measured = {"kl": self.kl().mean(), "reconstruction": self.reconstruction().mean()}
        return self.measured

    @torch.no_grad()
    def kl(self) -> Tensor:
        """KL(data ‖ model) in nats of each machine, `[machines]`."""
        return -math.log(self.data.shape[1]) - self.rbm.log_prob(self.data).mean(-1)

    @torch.no_grad()
    def reconstruction(self) -> Tensor:
        """Mean squared error, `[machines]`, of the pictures that p(x | h) makes of h ~ p(h | x), with draws of its own.
        """
        generator = seeded(self.steps)
        rebuilt = self.rbm.p_x(bernoulli(self.rbm.p_h(self.data), generator))
        return (rebuilt - self.data).square().mean((-1, -2))

    @torch.no_grad()
    def shares(self) -> Tensor:
        """What the machines believe, `[machines, 15]`: the probability of each of the 14 pictures, and of all others.
        """
        p = self.rbm.log_prob(self.data).exp()
        return torch.cat([p, 1 - p.sum(-1, keepdim=True)], -1)

    @torch.no_grad()
    def snapshot(self) -> dict[str, np.ndarray]:
        """Of the first machine: chains `[28, 3, 3]`, where they are; weights `[hidden_size, 3, 3]`, from 0 (most
        negative) over ½ (none) to 1; model and data, probabilities `[15]` as in `shares`."""
        W = self.rbm.W[0]
        weights = 0.5 + 0.5 * W.T / W.abs().max()
        data = np.append(np.full(self.data.shape[1], 1 / self.data.shape[1]), 0.0)
        return {"chains": self.chains.x[0, :SHOWN].view(-1, SIDE, SIDE).cpu().numpy(),
                "weights": weights.view(-1, SIDE, SIDE).cpu().numpy(), "model": self.shares()[0].cpu().numpy(),
                "data": data}


def exact_probabilities(rbm: RBM) -> Tensor:
    """p(x) of every picture, `[*S, 2^D]`, in the order of `all_states`."""
    with torch.no_grad():
        return rbm.log_prob(all_states(rbm.W.shape[-2]).to(rbm.W)).exp()
