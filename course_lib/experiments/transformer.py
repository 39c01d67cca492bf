"""A transformer over patches in training: on MNIST in black and white, and on sprites in 16 colours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import nn

from course_lib.data.sprites import HALF, N_COLOURS
from course_lib.experiments.pixelrnn import DATA, PixelExperiment, held_out
from course_lib.models.layers import device_of
from course_lib.models.patch_transformer import PatchTransformer
from course_lib.models.transformer import POSITIONS
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.image_gan import ema_keep
from course_lib.training.optim import adam, gradient_clip, length_of_training, weight_average
from course_lib.training.precision import arithmetic
from course_lib.training.registry import register
from course_lib.training.step import AveragedExperiment

BETAS = (0.9, 0.98)
WEIGHT_DECAY = 0.01
WARMUP = 200
LONGEST_AVERAGE = 0.998
HEAD = 32  # numbers of a token's vector that belong to one head


@dataclass(frozen=True)
class TransformerHyperparameters(Hyperparameters):
    """The hyperparameters of a transformer over patches."""

    learning_rate: float = hyperparameter(
        2e-3, label="learning rate", low=1e-5, high=1e-1, log=True,
        help="How far AdamW moves at each step, once it has warmed up.")
    batch_size: int = hyperparameter(
        32, label="batch size", low=1, high=1024, unit="images",
        help="How many images one step sees.")
    clip: float = gradient_clip("nats per pixel")
    total_steps: int = length_of_training()
    precision: str = arithmetic()
    data: str = hyperparameter(
        "mnist", label="data", choices=DATA, restart=True,
        help="MNIST: 28 x 28 pixels, ink or not, in patches of 4 x 4; sprites: 12 x 6 pixels in 16 colours, in patches "
             "of 2 x 2.")
    layers: int = hyperparameter(
        4, label="layers", low=1, high=8, restart=True,
        help="Blocks of attention and MLP, one on top of the other.")
    heads: int = hyperparameter(
        4, label="heads", low=1, high=8, restart=True,
        help="Of attention in each layer; a token's vector has 32 numbers for each.")
    window: int = hyperparameter(
        4, label="window", low=0, high=4, unit="pixels", restart=True,
        help="How far a token sees by itself around its patch; what lies further back only attention brings.")
    positions: str = hyperparameter(
        "learned", label="positions", choices=POSITIONS, restart=True,
        help="How a token knows where it is: not at all, a learned vector, a rotation, or a number for each distance.")
    look_ahead: int = hyperparameter(
        0, label="look ahead", low=0, high=2, unit="patches", restart=True,
        help="0: a patch looks back only; 1: it also sees itself, 2: and the next one, which is cheating.")


@register(
    "transformer",
    summary="a transformer over the patches of MNIST or of sprites",
    prints="Prints the mean −log p(x) of a batch in nats, the same in bits per pixel, and the length of the gradient.",
    ships={
        "transformer": "transformer --num-steps 22000 --set precision=bfloat16 --set total_steps=25000",
        "transformer_sprites": "transformer --num-steps 26000 --set batch_size=16 --set data=sprites --set heads=3 "
                               "--set layers=3 --set learning_rate=0.003 --set precision=bfloat16 --set "
                               "total_steps=26000 --set window=2",
    },
)
class TransformerExperiment(AveragedExperiment, PixelExperiment):
    """A transformer over patches learns MNIST or the sprites.

    Metrics as those of `PixelExperiment`, of the network that learns.

    Attributes:
        network: the `PatchTransformer` that learns.
        model: the moving average of its weights, which draws and is measured.
    """

    Hyperparameters, warmup = TransformerHyperparameters, WARMUP

    def build(self, generator: torch.Generator) -> None:
        h = self.hyperparameters
        self.generator = generator
        size, n_classes, patch = ((28, 28), 2, (4, 4)) if h.data == "mnist" else (HALF, N_COLOURS, (2, 2))
        self.network = PatchTransformer(size, n_classes, HEAD * h.heads, h.layers, h.heads, patch, h.window,
                                        h.positions, generator=generator, look_ahead=h.look_ahead).to(self.device)
        self.average = weight_average(self.network, partial(ema_keep, longest=LONGEST_AVERAGE))
        self.optimizer = adam(self.network, betas=BETAS, weight_decay=WEIGHT_DECAY, decoupled_weight_decay=True)
        self.read_data(generator)

    def components(self) -> dict[str, nn.Module | torch.optim.Optimizer | torch.Generator]:
        return super().components() | {"network": self.network}

    @torch.no_grad()
    def snapshot(self) -> dict[str, np.ndarray]:
        """samples as in `PixelExperiment`; attention: how much each patch of one held-out image looks at each, mean
        over the heads of the last layer, `[T, T]`."""
        x = held_out(self.hyperparameters.data)[:1].to(device_of(self.model))
        return super().snapshot() | {"attention": self.model.weights(x)[-1][0].mean(0).cpu().numpy()}
