"""The 1-D GAN in training: the model of `models.gan1d`, its data, its two optimisers, and many seeds at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.deprecated import old_members, old_names
from course_lib.measure import (
    histogram_density,
    normal_density,
    optimal_discriminator,
    smooth_density,
)
from course_lib.models.gan1d import (
    ACTIVATIONS,
    INITS,
    LOSSES,
    NOISES,
    REAL_MEAN,
    REAL_STD,
    Discriminator,
    Generator,
    discriminator_loss,
    generator_loss,
    noise,
    real_data,
)
from course_lib.seeds import seeded
from course_lib.training.experiment import SNAPSHOT_SEED
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.optim import adam
from course_lib.training.registry import register
from course_lib.training.step import AdversarialExperiment, Metrics

GRID = np.linspace(-8, 8, 321)
BANDWIDTH = 0.1
SNAPSHOT_SAMPLES, SNAPSHOT_REFERENCE = 4096, 128  # enough for a quiet curve, few enough for several pictures a second


@dataclass(frozen=True)
class GAN1DHyperparameters(Hyperparameters):
    """The hyperparameters of the 1-D GAN, with values that recover the data (benchmarks/gan1d_seeds.py).

    D learns three times as fast as G, so that it keeps up with what G does (two time scales: Heusel et al. 2017,
    GANs Trained by a Two Time-Scale Update Rule).
    """

    learning_rate_d: float = hyperparameter(
        3e-3, label="learning rate of D", low=1e-5, high=1e-1, log=True,
        help="How far the discriminator moves at each of its steps.")
    learning_rate_g: float = hyperparameter(
        1e-3, label="learning rate of G", low=1e-5, high=1e-1, log=True,
        help="How far the generator moves at each of its steps.")
    d_steps: int = hyperparameter(
        1, label="steps of D per step of G (K)", low=1, high=10,
        help="How many times the discriminator learns before the generator answers once.")
    batch_size: int = hyperparameter(
        32, label="batch size", low=1, high=256, unit="numbers",
        help="How many real and how many generated numbers one step sees.")
    beta1: float = hyperparameter(
        0.5, label="momentum (Adam's β₁)", low=0.0, high=0.95,
        help="How much of the past gradients each step keeps; near 0.9 the two networks tend to chase each other.")
    loss: str = hyperparameter(
        "non-saturating", label="loss of G", choices=LOSSES,
        help="Non-saturating: minimise −log D(G(z)); saturating: minimise log(1 − D(G(z))), flat where D is sure.")
    noise: str = hyperparameter(
        "normal", label="noise", choices=NOISES,
        help="Normal: z ~ N(0, 1); textbook: as many evenly spaced spikes from −8 to 8 as the batch has numbers.")
    minibatch: bool = hyperparameter(
        True, label="minibatch discrimination", restart=True,
        help="The discriminator also sees how close each number lies to the others of its batch.")
    hidden_size: int = hyperparameter(
        4, label="hidden size of G", low=1, high=64, unit="units", restart=True,
        help="Units in the generator's hidden layer; the discriminator's layers are twice as wide.")
    activation: str = hyperparameter(
        "leaky_relu", label="activation of D", choices=tuple(ACTIVATIONS), restart=True,
        help="The discriminator's nonlinearity; where a ReLU is flat, G gets no gradient.")
    init: str = hyperparameter(
        "pytorch", label="initial weights", choices=INITS, restart=True,
        help="PyTorch: uniform, smaller for wider layers; normal: N(0, 1) for every weight, as in the textbook.")


TEXTBOOK = GAN1DHyperparameters(learning_rate_d=1e-3, batch_size=8, beta1=0.9, noise="textbook", minibatch=False,
                                activation="relu", init="normal")


@register(
    "gan1d",
    summary="a GAN that learns N(4, 0.5²)",
)
@old_members(draw_real="real_batch", draw_noise="noise_batch")
class GAN1DExperiment(AdversarialExperiment):
    """One 1-D GAN in training. Metrics: loss_d and loss_g, in nats (2·log 2 and log 2 where D can tell nothing)."""

    Hyperparameters = GAN1DHyperparameters
    noise_first = False

    def build(self, generator: torch.Generator) -> None:
        h = self.hyperparameters
        self.generator = generator
        self.G = Generator(h.hidden_size, h.init, generator).to(self.device)
        self.D = Discriminator(2 * h.hidden_size, h.activation, h.minibatch, h.init, generator).to(self.device)
        self.optimizer_g = adam(self.G, lr=h.learning_rate_g, **self.optimizer_settings())
        self.optimizer_d = adam(self.D, lr=h.learning_rate_d, **self.optimizer_settings())

    def components(self) -> dict[str, nn.Module | torch.optim.Optimizer | torch.Generator]:
        return {"G": self.G, "D": self.D, "optimizer_g": self.optimizer_g, "optimizer_d": self.optimizer_d,
                "rng": self.generator}

    def optimizer_settings(self) -> dict[str, tuple[float, float]]:
        return {"betas": (self.hyperparameters.beta1, 0.999)}

    def real_batch(self) -> Tensor:
        """The next real numbers, `[batch_size, 1]`."""
        return real_data(self.hyperparameters.batch_size, self.generator)

    def noise_batch(self) -> Tensor:
        """The next noise, `[batch_size, 1]`."""
        return noise(self.hyperparameters.noise, self.hyperparameters.batch_size, self.generator)

    def fake_batch(self, noise: Tensor, real: Tensor | None = None) -> Tensor:
        """G(z), `[batch_size, 1]`."""
        return self.G(noise)

    def d_loss(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Metrics]:
        return discriminator_loss(*self.D(torch.stack([real, fake]))), {}  # two batches side by side, never mixed

    def g_loss(self, real: Tensor | None, fake: Tensor) -> tuple[Tensor, Metrics]:
        return generator_loss(self.D(fake), self.hyperparameters.loss), {}

    @torch.no_grad()
    def samples(self, count: int, seed: int = SNAPSHOT_SEED, as_trained: bool = False) -> np.ndarray:
        """Generated numbers, `[count]`. Textbook noise is drawn as one batch of `count`, so that z fills [−8, 8];
        `as_trained` draws it in batches of the training's size instead, which is what G was taught on."""
        generator, h = seeded(seed), self.hyperparameters
        if not as_trained:
            return self.G(noise(h.noise, count, generator).to(self.device)).squeeze(-1).cpu().numpy()
        batches = [noise(h.noise, h.batch_size, generator) for _ in range(-(-count // h.batch_size))]
        return self.G(torch.cat(batches)[:count].to(self.device)).squeeze(-1).cpu().numpy()

    @torch.no_grad()
    def decision(self, grid: np.ndarray, batches: int | None = None, seed: int = SNAPSHOT_SEED) -> np.ndarray:
        """D(x) `[n]` on a grid `[n]`, the mean over real batches that x is put into in place of one number.

        Only minibatch discrimination looks at those batches; without it this is simply D(x). By default there are as
        many batches as have 128 numbers in all.
        """
        x = torch.as_tensor(grid, dtype=torch.get_default_dtype(), device=self.device)[:, None]
        if self.D.minibatch is None:
            return torch.sigmoid(self.D(x)).cpu().numpy()
        generator, batch_size = seeded(seed), self.hyperparameters.batch_size
        batches = -(-SNAPSHOT_REFERENCE // batch_size) if batches is None else batches
        reference_batch = torch.stack([real_data(batch_size - 1, generator) for _ in range(batches)]).to(self.device)
        return torch.sigmoid(self.D(x.expand(batches, -1, -1), reference_batch)).mean(0).cpu().numpy()

    def snapshot(self) -> dict[str, np.ndarray]:
        """Arrays `[321]` on [−8, 8]: grid, real_density, generated_density (smoothed), decision (D(x))."""
        return {"grid": GRID, "real_density": normal_density(GRID, REAL_MEAN, REAL_STD),
                "generated_density": smooth_density(self.samples(SNAPSHOT_SAMPLES), GRID, BANDWIDTH),
                "decision": self.decision(GRID)}

    @torch.no_grad()
    def loss_of_d(self, count: int = 19_200, seed: int = SNAPSHOT_SEED) -> tuple[float, float]:
        """D's loss on fresh numbers, and the least that any D of single numbers could have against G as it is.

        Both in nats, on about `count` numbers in batches of the training's size. The second is that of p/(p + q), by
        quadrature, with a histogram for q.
        """
        generator, h = seeded(seed), self.hyperparameters
        batches = max(count // h.batch_size, 1)
        real = torch.stack([real_data(h.batch_size, generator) for _ in range(batches)]).to(self.device)
        made = self.G(torch.stack([noise(h.noise, h.batch_size, generator) for _ in range(batches)]).to(self.device))
        loss = discriminator_loss(self.D(real), self.D(made)).mean().item()
        x, q = histogram_density(made.cpu().numpy(), -8, 16, 480)
        p = normal_density(x, REAL_MEAN, REAL_STD)
        best = optimal_discriminator(p, q)
        cost = np.where(p > 0, -p * np.log(np.clip(best, 1e-300, 1)), 0)
        cost += np.where(q > 0, -q * np.log(np.clip(1 - best, 1e-300, 1)), 0)
        return loss, float(cost.sum() * (x[1] - x[0]))

    def generator_gradients(self, batches: int = 64, seed: int = SNAPSHOT_SEED) -> dict[str, float]:
        """Euclidean norm of the gradient that G would get now from each of the two losses; trains nothing."""
        generator, h = seeded(seed), self.hyperparameters
        z = torch.stack([noise(h.noise, h.batch_size, generator) for _ in range(batches)]).to(self.device)
        norms = {}
        for kind in LOSSES:
            gradients = torch.autograd.grad(generator_loss(self.D(self.G(z)), kind).mean(), list(self.G.parameters()))
            norms[kind] = float(torch.cat([g.ravel() for g in gradients]).norm())
        return norms


__getattr__ = old_names(__name__)
