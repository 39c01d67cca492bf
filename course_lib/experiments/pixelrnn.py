"""Models that predict pixel by pixel, in training: on MNIST in black and white, and on sprites in 16 colours."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from course_lib.data import load_mnist
from course_lib.data.sprites import HALF, N_COLOURS, Sprites, to_rgb, whole
from course_lib.experiments.vae import held_out_images
from course_lib.measure import bits_per_dimension
from course_lib.models.layers import device_of
from course_lib.models.pixelcnn import GatedPixelCNN, PlainPixelCNN
from course_lib.models.pixelrnn import RowLSTM
from course_lib.models.pixels import PixelModel
from course_lib.seeds import seeded
from course_lib.training.batches import EpochSampler
from course_lib.training.experiment import SNAPSHOT_SEED, snapshot_generator
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.optim import adam, gradient_clip, length_of_training
from course_lib.training.precision import arithmetic
from course_lib.training.registry import register
from course_lib.training.step import LossExperiment, Metrics

SAMPLES = 16
MODELS: dict[str, type[RowLSTM] | type[GatedPixelCNN] | type[PlainPixelCNN]] = {
    "row_lstm": RowLSTM, "gated_pixelcnn": GatedPixelCNN, "plain_pixelcnn": PlainPixelCNN}
DATA = ("mnist", "sprites")
TEST_SPRITES = 10_000
AT_A_TIME = 50_000  # pixels whose likelihood is computed at a time: a Row LSTM holds some kB for each


@dataclass(frozen=True)
class PixelHyperparameters(Hyperparameters):
    """The hyperparameters of the models that predict pixel by pixel."""

    learning_rate: float = hyperparameter(
        3e-3, label="learning rate", low=1e-5, high=1e-1, log=True,
        help="How far Adam moves at each step.")
    batch_size: int = hyperparameter(
        16, label="batch size", low=1, high=1024, unit="images",
        help="How many images one step sees.")
    clip: float = gradient_clip("nats per pixel", why="through many rows an LSTM's can explode")
    total_steps: int = length_of_training()
    precision: str = arithmetic()
    data: str = hyperparameter(
        "mnist", label="data", choices=DATA, restart=True,
        help="MNIST: 28 x 28 pixels, ink or not, drawn anew at every step; sprites: 12 x 6 pixels in 16 colours.")
    model: str = hyperparameter(
        "row_lstm", label="model", choices=tuple(MODELS), restart=True,
        help="Row LSTM; PixelCNN with a vertical and a horizontal stack of gates; or a plain stack with a blind spot.")
    channels: int = hyperparameter(
        32, label="channels", low=2, high=128, restart=True,
        help="Numbers that describe each pixel in every layer.")
    layers: int = hyperparameter(
        1, label="layers", low=1, high=12, restart=True,
        help="Row LSTM layers, or convolutions after the first one.")
    first_mask: str = hyperparameter(
        "A", label="first mask", choices=("A", "B"), restart=True,
        help="A: the first layer sees what comes before the pixel; B: also the pixel itself, which is cheating.")


@register(
    "pixelrnn",
    summary="a model of MNIST or of sprites that predicts one pixel after the other",
    prints="Prints the mean −log p(x) of a batch in nats, the same in bits per pixel, and the length of the gradient.",
    ships={
        "pixelcnn_sprites": "pixelrnn --num-steps 8000 --set batch_size=32 --set data=sprites --set layers=4 --set "
                            "model=gated_pixelcnn --set total_steps=8000",
        "row_lstm": "pixelrnn --num-steps 40000 --set channels=48 --set layers=2 --set precision=bfloat16 --set "
                    "total_steps=40000",
    },
)
class PixelExperiment(LossExperiment):
    """A model of pixels, one after the other, learns MNIST or the sprites.

    Metrics, means over the batch: nll, −log p(x) in nats an image; bits_per_pixel, the same in bits and per pixel;
    gradient_norm, of the nats per pixel, before it is cut.

    Attributes:
        model: the `PixelModel`.
        network: the one that learns, here the model itself.
    """

    Hyperparameters = PixelHyperparameters

    def build(self, generator: torch.Generator) -> None:
        h = self.hyperparameters
        self.generator = generator
        size, n_classes = (28, 28) if h.data == "mnist" else HALF, 2 if h.data == "mnist" else N_COLOURS
        self.model: PixelModel = MODELS[h.model](size, n_classes, h.channels, h.layers, generator=generator,
                                                 first_mask=h.first_mask).to(self.device)
        self.network = self.model
        self.optimizer = adam(self.model)
        self.read_data(generator)

    def read_data(self, generator: torch.Generator) -> None:
        """Make ready what `next_batch` draws from."""
        h = self.hyperparameters
        self.images = load_mnist("train").images if h.data == "mnist" else None
        self.sprites = Sprites()
        self.batches = EpochSampler(1 if self.images is None else len(self.images), generator)

    def next_batch(self) -> Tensor:
        """The next training images, int64 `[batch_size, H, W]`: MNIST binarized anew, or sprites never seen before."""
        batch_size = self.hyperparameters.batch_size
        if self.images is None:
            return self.sprites.sample(batch_size, self.generator)
        grey = self.images[self.batches.next(batch_size)].to(torch.float32).div_(255)
        return (torch.rand(grey.shape, generator=self.generator) < grey).long()

    @property
    def longest_gradient(self) -> float:
        return self.hyperparameters.clip

    def loss(self, x: Tensor) -> tuple[Tensor, Metrics]:
        """−log p(x) in nats per pixel, mean over the batch of images `[n, H, W]`."""
        nll, pixels = -self.network.log_prob(x).mean(), x[0].numel()
        return nll / pixels, {"nll": nll, "bits_per_pixel": bits_per_dimension(nll.detach(), pixels)}

    def snapshot(self) -> dict[str, np.ndarray]:
        """samples: 16 fresh draws, `[16, 28, 28]`, or as colours `[16, 12, 12, 3]`, between 0 and 1.

        They are drawn from the same random numbers each time, so that what moves is the model. It takes about half a
        second on MNIST, a pass for each pixel, and a tenth of that on sprites.
        """
        images = self.model.sample(SAMPLES, snapshot_generator()).images.cpu()
        return {"samples": as_pictures(images, self.hyperparameters.data)}

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """test_nll and test_bits_per_pixel on held-out images, and their number; 1,000 unless `thorough`.

        MNIST: the test images, binarized once from a fixed seed; sprites: 10,000 from a fixed seed.
        """
        x = held_out(self.hyperparameters.data)
        x = x if thorough else x[:1000]
        nll = -log_prob_of(self.model, x).mean().item()
        return {"test_nll": nll, "test_bits_per_pixel": bits_per_dimension(nll, x[0].numel()), "test_images": len(x)}


def as_pictures(images: Tensor, data: str) -> np.ndarray:
    """Images `[n, H, W]` of a model as numbers from 0 to 1 to be shown: grey, or the whole sprite in colours."""
    return images.float().numpy() if data == "mnist" else to_rgb(whole(images)).numpy()


@functools.cache
def held_out(data: str) -> Tensor:
    """10,000 images that no run trains on, int64 `[10000, H, W]`, always the same; do not change them in place.

    MNIST: the test images, binarized as those of the VAE are (`held_out_images`), so that the two can be compared.
    """
    if data == "mnist":
        return held_out_images("binarized").long().view(-1, 28, 28)
    return Sprites().sample(TEST_SPRITES, seeded(SNAPSHOT_SEED + 1))


@torch.no_grad()
def log_prob_of(model: PixelModel, x: Tensor) -> Tensor:
    """log p(x) in nats of many images, float64 `[n]`, in float32 and in batches of about 60 MNIST images."""
    images = max(1, AT_A_TIME // x.shape[1:].numel())
    return torch.cat([model.log_prob(batch.to(device_of(model))).double() for batch in x.split(images)])
