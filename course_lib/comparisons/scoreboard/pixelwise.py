"""Families that say one pixel after the other: exact, slow to draw; and masked diffusion, in any order."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor

from course_lib.comparisons import digits8
from course_lib.comparisons.scoreboard.family import FAST, ExperimentFamily, Family, Fitted, in_parts
from course_lib.comparisons.scoreboard.pictures import Stream
from course_lib.experiments.masked_diffusion import MaskedDiffusionExperiment, MaskedDiffusionHyperparameters
from course_lib.experiments.pixelrnn import PixelExperiment, PixelHyperparameters, log_prob_of
from course_lib.experiments.transformer import TransformerExperiment, TransformerHyperparameters
from course_lib.models.made import MADE
from course_lib.models.masked_diffusion import MaskedTransformer, bound, shares, unmask
from course_lib.models.patch_transformer import PatchTransformer
from course_lib.models.pixelcnn import GatedPixelCNN
from course_lib.models.pixelrnn import RowLSTM
from course_lib.models.pixels import PixelModel
from course_lib.seeds import seeded
from course_lib.training import Experiment
from course_lib.training.step import minimize

SMALL_BATCH, SMALL_RATE = 64, 3e-3  # for the 8x8 digits
UNMASKED = {"sprites": 24, "digits8": 32}  # steps in which masks are lifted
MASKS = 32  # of each picture, in which its bound is measured


class Pixelwise(Family):
    """What all have in common whose network is a `PixelModel`."""

    density, completes = "exact", "exact"
    network: PixelModel

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        return torch.cat([self.network.sample(part, generator).images for part in in_parts(n)])

    def log_prob(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return log_prob_of(self.network, x)

    def complete(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        parts = self.repeated(x, count).split(500)
        drawn = [self.network.inpaint(part, self.pictures.seen, generator).images for part in parts]
        return torch.cat(drawn).view(count, *x.shape)

    @property
    def passes(self) -> int:
        return self.pictures.pixels


class OfPatches(Pixelwise):
    """What both have in common whose network is a `PatchTransformer`: a patch passes through its blocks once, and only
    the small head goes pixel by pixel."""

    network: PatchTransformer

    @property
    def passes(self) -> int:
        rows, columns = self.network.grid
        return rows * columns


class PixelRNNFamily(Pixelwise, ExperimentFamily):
    """PixelCNN or Row LSTM on MNIST or sprites, by `experiments.pixelrnn`."""

    options: ClassVar[dict[str, dict[str, object]]]  # of each data set

    def make(self) -> Experiment:
        return PixelExperiment(PixelHyperparameters(data=self.pictures.name, total_steps=self.steps, precision=FAST,
                                                    **self.options[self.pictures.name]), self.seed, "cpu")


class PixelCNN(PixelRNNFamily):
    """Gated PixelCNN: on sprites of the size of the shipped one, on MNIST of half as many channels, for more steps."""

    options: ClassVar[dict[str, dict[str, object]]] = {
        "sprites": {"model": "gated_pixelcnn", "layers": 4, "batch_size": 32},
        "mnist": {"model": "gated_pixelcnn", "layers": 4, "channels": 16}}


class RowLSTMFamily(PixelRNNFamily):
    """Row LSTM of one layer."""

    options: ClassVar[dict[str, dict[str, object]]] = {"sprites": {"model": "row_lstm"}, "mnist": {"model": "row_lstm"}}


class Transformer(OfPatches, ExperimentFamily):
    """A transformer over patches on MNIST or sprites, by `experiments.transformer`."""

    def make(self) -> Experiment:
        small = {"batch_size": 16, "heads": 3, "layers": 3, "learning_rate": 3e-3, "window": 2}
        options = small if self.pictures.name == "sprites" else {}
        return TransformerExperiment(TransformerHyperparameters(
            data=self.pictures.name, total_steps=self.steps, precision=FAST, **options), self.seed, "cpu")


class SmallPixelwise(Pixelwise):
    """A `PixelModel` of the 8x8 digits, by `minimize`. Its weights decay as notebook 10's MADE's, since the digits are
    few."""

    kind: Callable[..., PixelModel]

    def build(self, generator: torch.Generator) -> None:
        self.network = self.kind(generator=generator)

    def fit(self) -> None:
        def loss() -> Tensor:
            x, _ = self.pictures.batch(SMALL_BATCH, self.generator)
            return -self.network.log_prob(x).mean() / self.pictures.pixels

        minimize(self.network, loss, self.steps, SMALL_RATE, weight_decay=digits8.DECAY)


class SmallPixelCNN(SmallPixelwise):
    """Gated PixelCNN of the 8x8 digits."""

    def kind(self, generator: torch.Generator) -> PixelModel:
        """The network with its first weights."""
        return GatedPixelCNN(self.pictures.size, channels=16, layers=3, generator=generator)


class SmallRowLSTM(SmallPixelwise):
    """Row LSTM of the 8x8 digits."""

    def kind(self, generator: torch.Generator) -> PixelModel:
        """The network with its first weights."""
        return RowLSTM(self.pictures.size, channels=32, generator=generator)


class SmallTransformer(OfPatches, SmallPixelwise):
    """A transformer over the 2x2 patches of the 8x8 digits."""

    def kind(self, generator: torch.Generator) -> PixelModel:
        """The network with its first weights."""
        return PatchTransformer(self.pictures.size, channels=64, layers=2, heads=2, patch=(2, 2), window=2,
                                generator=generator)


class MADEFamily(Pixelwise, Fitted):
    """MADE, which says one bit after the other."""

    network: MADE

    def fitted(self, steps: int) -> MADE:
        decay = digits8.DECAY if self.pictures.truth is None else 0.0  # ever new pictures cannot be learned by heart
        return digits8.train_made(Stream(self.pictures), steps, seeded(self.seed), size=self._size, weight_decay=decay)

    @property
    def _size(self) -> tuple[int, int]:
        return self.pictures.size[0], self.pictures.size[1] * self.pictures.depth

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        return self.pictures.from_bits(super().draw(n, generator).flatten(1))

    def log_prob(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return log_prob_of(self.network, self.pictures.bits(x).view(-1, *self._size).long())

    def complete(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        bits = self.pictures.bits(self.repeated(x, count)).view(-1, *self._size)
        drawn = self.network.inpaint(bits, self.pictures.seen_bits.view(self._size), generator).images
        return self.pictures.from_bits(drawn.flatten(1)).view(count, *x.shape)

    @property
    def passes(self) -> int:
        return self.pictures.D


class Masked(Family):
    """What both have in common whose network is a `MaskedTransformer`."""

    density, completes = "bound", "approximate"
    network: MaskedTransformer

    @torch.no_grad()
    def log_prob(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return torch.cat([-sum(bound(self.network, part, self.pictures.n_classes, generator) for _ in range(MASKS))
                          / MASKS for part in x.split(500)]).double()

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        return torch.cat([self._unmasked(torch.full((part, *self.pictures.size), self.pictures.n_classes), generator)
                          for part in in_parts(n)])

    def complete(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        hidden = torch.where(self.pictures.seen, x, self.pictures.n_classes).repeat(count, 1, 1)
        return torch.cat([self._unmasked(part, generator) for part in hidden.split(500)]).view(count, *x.shape)

    def _unmasked(self, z: Tensor, generator: torch.Generator) -> Tensor:
        hidden = int((z[0] == self.pictures.n_classes).sum())
        shown = shares(hidden, min(hidden, self.passes))
        return unmask(self.network, z, self.pictures.n_classes, shown, generator)[-1]

    @property
    def passes(self) -> int:
        return UNMASKED[self.pictures.name]


class MaskedDiffusion(Masked, ExperimentFamily):
    """Masked diffusion of sprites, by `experiments.masked_diffusion`."""

    def make(self) -> Experiment:
        return MaskedDiffusionExperiment(
            MaskedDiffusionHyperparameters(total_steps=self.steps, precision=FAST), self.seed, "cpu")


class SmallMaskedDiffusion(Masked):
    """Masked diffusion of the 8x8 digits, by `minimize`."""

    def build(self, generator: torch.Generator) -> None:
        self.network = MaskedTransformer(self.pictures.size, self.pictures.n_classes, 64, 2, 2, (2, 2),
                                         generator=generator)

    def fit(self) -> None:
        data = self.pictures

        def loss() -> Tensor:
            x, _ = data.batch(SMALL_BATCH, self.generator)
            return bound(self.network, x, data.n_classes, self.generator).mean() / data.D

        minimize(self.network, loss, self.steps, SMALL_RATE, weight_decay=digits8.DECAY)
