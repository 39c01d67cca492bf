"""InfoGAN on MNIST in training: what is different from the DCGAN."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from course_lib.data import load_mnist
from course_lib.deprecated import old_names
from course_lib.experiments.dcgan import DCGANExperiment, DCGANHyperparameters, beliefs
from course_lib.measure import counts, mutual_information, purity, slant, thickness
from course_lib.models.dcgan import discriminator_loss, generator_loss
from course_lib.models.infogan import (
    CATEGORIES,
    CONTINUOUS,
    Code,
    InfoDiscriminator,
    InfoGenerator,
    draw_code,
    log_q,
    noise,
)
from course_lib.models.penalties import r1_penalty
from course_lib.seeds import seeded
from course_lib.training.experiment import SNAPSHOT_SEED
from course_lib.training.hyperparameters import hyperparameter
from course_lib.training.image_scores import IMAGES, classifier, scores
from course_lib.training.registry import register
from course_lib.training.step import Metrics


def sample_codes(G: InfoGenerator, n: int, seed: int) -> tuple[Code, Tensor, np.ndarray]:
    """n codes from their prior, the images `[n, 28, 28]` in [0, 1] that G makes of them, and what the classifier names
    these, `[n]`."""
    generator = seeded(seed)
    code = draw_code(n, generator)
    x = G.sample(code, generator).cpu()
    return code, x, torch.cat([classifier().predict(part) for part in x.split(500)]).numpy()


def traversal_effect(G: InfoGenerator, n: int, seed: int) -> dict[str, np.ndarray]:
    """What each number of the code does to slant and thickness, `[2]` by name.

    n images are made twice, with the number at −1 and at +1 and all else the same. The mean of what changed is given in
    standard deviations of the test images: a stroke's whole variety, over all digits.
    """
    generator, real = seeded(seed), load_mnist("test").floats().numpy()
    code, z = draw_code(n, generator), generator.get_state()
    effects: dict[str, list[float]] = {"slant": [], "thickness": []}
    for i in range(CONTINUOUS):
        ends = []
        for value in (-1.0, 1.0):
            u = code.u.clone()
            u[:, i] = value
            generator.set_state(z)
            ends.append(G.sample(Code(code.k, u), generator).cpu().numpy())
        for name, measure in (("slant", slant), ("thickness", thickness)):
            effects[name].append(float((measure(ends[1]) - measure(ends[0])).mean() / measure(real).std()))
    return {name: np.array(values) for name, values in effects.items()}


@dataclass(frozen=True)
class InfoGANHyperparameters(DCGANHyperparameters):
    """The hyperparameters of the DCGAN, and what a nat of information is worth."""

    width: int = hyperparameter(
        20, label="width", low=4, high=128, unit="channels", restart=True,
        help="Channels of both networks at 14x14.")
    information: float = hyperparameter(
        1.0, label="weight of the category's information", low=0.0, high=10.0,
        help="What a nat of information on the category is worth to both networks.")
    information_u: float = hyperparameter(
        0.05, label="weight of the two numbers' information", low=0.0, high=10.0,
        help="The same for the two continuous codes.")


@register(
    "infogan",
    summary="an InfoGAN on MNIST, whose code can be read from its images",
    prints="Prints what dcgan prints; both losses hold the information term.",
    ships={
        "infogan": "infogan --num-steps 12000 --set precision=bfloat16 --set preset=deep --set r1=0.3 --set "
                   "total_steps=12000",
    },
)
class InfoGANExperiment(DCGANExperiment):
    """InfoGAN learns the 60,000 training images of MNIST; labels it never sees.

    D's layers, Q and G all lower the same term, −log q(c | x) of the codes that G's images were made from. Metrics as
    of the DCGAN, with what the two losses have of that term in them.

    Attributes:
        model: the moving average of G, an `InfoGenerator`.
    """

    Hyperparameters = InfoGANHyperparameters

    def networks(self) -> tuple[InfoGenerator, InfoDiscriminator]:
        h = self.hyperparameters
        return (InfoGenerator(h.preset, h.width, batch_norm=h.fault != "no batch norm", generator=self.generator),
                InfoDiscriminator(h.preset, h.width, h.dropout, h.spectral_norm, generator=self.generator))

    def noise_batch(self, n: int | None = None, generator: torch.Generator | None = None) -> tuple[Tensor, ...]:
        """Noise z `[n, 88]`, and a code: categories k `[n]` and numbers u `[n, 2]`."""
        n, generator = self.size_and_generator(n, generator)
        code = draw_code(n, generator)
        return noise(n, generator), *code

    def fake_batch(self, noise: tuple[Tensor, ...], real: tuple[Tensor, ...] | None = None) -> tuple[Tensor, ...]:
        """Images `[n, 1, 28, 28]`, and the codes that they were made from."""
        z, *code = noise
        return self.G(z, Code(*code)), *code

    def info_loss(self, code: Code, read: tuple[Tensor, ...]) -> Tensor:
        """−log q(c | x) in nats, weighted, mean over the batch, 0-d."""
        category, numbers = log_q(code, read)
        return -(self.hyperparameters.information * category.mean()
                 + self.hyperparameters.information_u * numbers.sum(1).mean())

    def logits(self, real: tuple[Tensor, ...], fake: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        return self.D(torch.cat([*real, fake[0]]))[0].chunk(2)

    def d_loss(self, real: tuple[Tensor, ...], fake: tuple[Tensor, ...]) -> tuple[Tensor, Metrics]:
        x, *code = fake
        logits, read = self.D(torch.cat([*real, x]))
        logits = logits.chunk(2)
        info = self.info_loss(Code(*code), type(read)(*(part[len(x):] for part in read)))
        return discriminator_loss(*logits, self.hyperparameters.label_smoothing) + info, beliefs(*logits)

    def r1_term(self, real: tuple[Tensor, ...]) -> Tensor:
        return r1_penalty(lambda x: self.D(x)[0], *real)  # of the verdict; Q may be steep

    def g_loss(self, real: tuple[Tensor, ...] | None, fake: tuple[Tensor, ...]) -> tuple[Tensor, Metrics]:
        x, *code = fake
        logits, read = self.D(x)
        return generator_loss(logits) + self.info_loss(Code(*code), read), {}

    def samples(self, count: int, seed: int = SNAPSHOT_SEED) -> Tensor:
        """Images of the average of G, `[count, 28, 28]` in [0, 1], for the categories 0 to 9 in turn."""
        generator = seeded(seed)
        code = draw_code(count, generator)
        return self.model.sample(code._replace(k=torch.arange(count) % CATEGORIES), generator).cpu()

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """Of 10,000 images: the scores of `image_scores.scores`; purity of the category against the classifier's
        digits, their mutual information in nats; largest_slant and largest_thickness, the larger effect of the two
        numbers, see `traversal_effect`."""
        code, images, digits = sample_codes(self.model, IMAGES, SNAPSHOT_SEED)
        effects = traversal_effect(self.model, 1000, SNAPSHOT_SEED)
        return {**scores(images), "purity": purity(code.k.numpy(), digits),
                "digit_information": mutual_information(counts(code.k.numpy(), digits)),
                **{f"largest_{name}": float(np.abs(effect).max()) for name, effect in effects.items()}}


__getattr__ = old_names(__name__)
