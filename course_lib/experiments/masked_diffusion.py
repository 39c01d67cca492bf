"""Masked diffusion in training: on sprites in 16 colours, and on noisy pictures of one bar."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.data.patterns import OneBar
from course_lib.data.sprites import HALF, N_COLOURS, Sprites, to_rgb, whole
from course_lib.experiments.transformer import BETAS, HEAD, LONGEST_AVERAGE, WEIGHT_DECAY
from course_lib.models.layers import device_of
from course_lib.models.masked_diffusion import (
    MaskedTransformer,
    even_numbers,
    hidden_nll,
    hide_number,
    shares,
    symbol_nll,
    unmask,
)
from course_lib.seeds import seeded
from course_lib.training.experiment import SNAPSHOT_SEED, snapshot_generator
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.image_gan import ema_keep
from course_lib.training.optim import adam, gradient_clip, length_of_training, weight_average
from course_lib.training.precision import arithmetic
from course_lib.training.registry import register
from course_lib.training.step import AveragedExperiment, Metrics

WARMUP = 100
SAMPLES, STAGES = 16, 9
HELD_OUT, MASKS = 1000, 4  # pictures, and masks of each, that a model is measured by
OBJECTIVES = ("bound", "no weight", "all symbols")


class Kind(NamedTuple):
    """Data with what a network must know of them."""

    data: Sprites | OneBar
    size: tuple[int, int]
    n_classes: int
    patch: tuple[int, int]


KINDS = {"sprites": Kind(Sprites(), HALF, N_COLOURS, (2, 6)), "bars": Kind(OneBar(), (3, 3), 2, (1, 1))}


@dataclass(frozen=True)
class MaskedDiffusionHyperparameters(Hyperparameters):
    """The hyperparameters of masked diffusion."""

    learning_rate: float = hyperparameter(
        3e-3, label="learning rate", low=1e-5, high=1e-1, log=True,
        help="How far AdamW moves at each step, once it has warmed up.")
    batch_size: int = hyperparameter(
        64, label="batch size", low=1, high=1024, unit="pictures",
        help="How many pictures one step sees.")
    clip: float = gradient_clip("nats per symbol")
    total_steps: int = length_of_training()
    precision: str = arithmetic()
    data: str = hyperparameter(
        "sprites", label="data", choices=tuple(KINDS), restart=True,
        help="Sprites: 12 x 6 pixels in 16 colours; bars: 3 x 3 pixels, one full row or column, and noise.")
    layers: int = hyperparameter(
        3, label="layers", low=1, high=8, restart=True,
        help="Blocks of attention and MLP, one on top of the other.")
    heads: int = hyperparameter(
        4, label="heads", low=1, high=8, restart=True,
        help="Of attention in each layer; a token's vector has 32 numbers for each.")
    objective: str = hyperparameter(
        "bound", label="loss", choices=OBJECTIVES,
        help="The bound weighs the hidden symbols' cross-entropy by one over their share; without the weight, or with "
             "the seen symbols in it, too, it is no bound.")
    mask_share: float = hyperparameter(
        0.0, label="hidden share", low=0.0, high=1.0,
        help="0: how many symbols are hidden is drawn anew for each picture, every number as likely; else always this "
             "share of them.")
    sampling_steps: int = hyperparameter(
        24, label="steps to draw", low=1, high=72,
        help="In how many steps the pictures shown are unmasked; the symbols of one step do not see each other.")


@register(
    "masked_diffusion",
    summary="masked diffusion on sprites, or on noisy bars",
    prints="Prints the loss in nats a picture, an upper bound on the mean −log p(x) unless the loss was changed; the "
           "exact −log p(x) of the same pictures, which it nears; and the length of the gradient.",
    ships={
        "masked_sprites": "masked_diffusion --num-steps 14000 --set precision=bfloat16 --set total_steps=14000",
    },
)
class MaskedDiffusionExperiment(AveragedExperiment):
    """A network learns to say what is under masks, in whatever order they are lifted.

    Metrics, means over the batch, in nats a picture: nll, the loss; floor, the exact −log p(x), which the bound of a
    perfect network has on average; gradient_norm, of the nats per symbol, before it is cut.

    Attributes:
        network: the `MaskedTransformer` that learns.
        model: the moving average of its weights, which draws and is measured.
    """

    Hyperparameters, warmup = MaskedDiffusionHyperparameters, WARMUP

    def build(self, generator: torch.Generator) -> None:
        h = self.hyperparameters
        self.generator, self.kind = generator, KINDS[h.data]
        self.network = MaskedTransformer(self.kind.size, self.kind.n_classes, HEAD * h.heads, h.layers, h.heads,
                                         self.kind.patch, generator=generator).to(self.device)
        self.average = weight_average(self.network, partial(ema_keep, longest=LONGEST_AVERAGE))
        self.optimizer = adam(self.network, betas=BETAS, weight_decay=WEIGHT_DECAY, decoupled_weight_decay=True)

    def components(self) -> dict[str, nn.Module | torch.optim.Optimizer | torch.Generator]:
        return super().components() | {"network": self.network}

    def next_batch(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Pictures never seen before int64 `[batch_size, H, W]`, the same with masks, how many of each are hidden, and
        their exact log p(x) in nats, `[batch_size]`."""
        h = self.hyperparameters
        x = self.kind.data.sample(h.batch_size, self.generator)
        D = math.prod(self.kind.size)
        k = even_numbers(len(x), D, self.generator)
        if h.mask_share:
            k = torch.full_like(k, max(1, round(h.mask_share * D)))
        return x, hide_number(x, k, self.kind.n_classes, self.generator), k, self.kind.data.log_prob(x).float()

    @property
    def longest_gradient(self) -> float:
        return self.hyperparameters.clip

    def loss(self, batch: tuple[Tensor, Tensor, Tensor, Tensor]) -> tuple[Tensor, Metrics]:
        """The loss in nats per symbol, mean over the batch, 0-d."""
        (x, z, k, log_p), D, objective = batch, math.prod(self.kind.size), self.hyperparameters.objective
        logits = self.network(z)
        nll = symbol_nll(logits, x).flatten(1).sum(1) if objective == "all symbols" else hidden_nll(logits, x, z)
        nll = (D / k * nll if objective == "bound" else nll).mean()
        return nll / D, {"nll": nll, "floor": -log_p.mean()}

    @torch.no_grad()
    def snapshot(self) -> dict[str, np.ndarray]:
        """samples: 16 fresh pictures; unmasking: one of them at nine moments, masks in grey. `[n, 3, 3]`, or as colours
        `[n, 12, 12, 3]`, from 0 to 1. The same random numbers each time."""
        h, (H, W) = self.hyperparameters, self.kind.size
        z = torch.full((SAMPLES, H, W), self.kind.n_classes, device=device_of(self.model))
        states = unmask(self.model, z, self.kind.n_classes, shares(H * W, min(h.sampling_steps, H * W)),
                        snapshot_generator()).cpu()
        moments = torch.linspace(0, len(states) - 1, STAGES).round().long()
        return {"samples": as_pictures(states[-1], h.data), "unmasking": as_pictures(states[moments, 0], h.data)}

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """test_excess, how far the bound lies above the exact −log p(x) in nats a picture, its standard error, and
        test_bound, on 1,000 held-out pictures; it takes a second, so `thorough` changes nothing."""
        x, generator = self.kind.data.sample(HELD_OUT, seeded(SNAPSHOT_SEED + 1)), seeded(SNAPSHOT_SEED + 3)
        over = excess(self.model, x, self.hyperparameters.data, generator, MASKS)
        return {"test_excess": over.mean().item(), "test_standard_error": over.std().item() / math.sqrt(len(x)),
                "test_bound": (over - self.kind.data.log_prob(x)).mean().item(), "test_images": len(x)}


@torch.no_grad()
def excess(model: MaskedTransformer, x: Tensor, data: str, generator: torch.Generator, masks: int = 1) -> Tensor:
    """Of pictures x `[n, H, W]` the bound less that of the exact conditionals at the same masks, float64 `[n]`, each
    the mean over so many masks: an estimate of E over orders of log p(x) − log p_model(x), with little noise."""
    kind, D = KINDS[data], math.prod(KINDS[data].size)
    parts = []
    for part in x.split(250):
        over = torch.zeros(len(part), dtype=torch.float64)
        for _ in range(masks):
            k = even_numbers(len(part), D, generator)
            z = hide_number(part, k, kind.n_classes, generator)
            logits = model(z.to(device_of(model))).cpu().double()
            over += D / k * (hidden_nll(logits, part, z) - hidden_nll(kind.data.conditionals(z).log(), part, z))
        parts.append(over / masks)
    return torch.cat(parts)


def as_pictures(z: Tensor, data: str) -> np.ndarray:
    """Pictures with masks `[n, H, W]` as numbers from 0 to 1 to be shown, masks in grey: bars `[n, 3, 3]`, whole
    sprites in colours `[n, 12, 12, 3]`."""
    if data == "bars":
        return torch.where(z == 2, 0.5, z.float()).numpy()
    z = whole(z)
    return torch.where((z == N_COLOURS)[..., None], 0.5, to_rgb(z.clamp(max=N_COLOURS - 1))).numpy()
