"""Coupled GANs: two DCGANs for two kinds of images of the same things, tied together by shared layers.

    z → shared first layers → tail 1 → image of the first kind
                            → tail 2 → image of the second kind

    image of the first kind  → front 1 → shared last layers → logit
    image of the second kind → front 2 →

The first layers of G decide what is shown and its last layers how it looks, so what is shared is *what*. In D it is the
other way round: it starts with how things look. No pair of images is ever given.

Reference:
    M.-Y. Liu, O. Tuzel, Coupled Generative Adversarial Networks, NIPS 2016: section 3, the sharing; section 4,
        that the digits of a pair agree the more often, the more layers of G are shared.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from course_lib.models.dcgan import LATENT_SIZE, Discriminator, Generator, check_noise, joined_in_unit_range, noise
from course_lib.models.layers import device_of

BLOCKS = 3  # of G: the dense layer and two transposed convolutions, each with what follows it
FIRST_OF_BLOCK = ("dense", "up1", "up2")  # names of the layers that a block starts with


class CoupledGenerator(nn.Module):
    """z `[n, 100]` → two batches of images `[n, 1, 28, 28]` in [−1, 1], one of each kind.

    Args:
        shared: how many of the three blocks of a DCGAN's G the two have in common: 0, 1 or 2.
        preset, width, batch_norm: of a DCGAN's G.
        generator: decides the first weights.

    Raises:
        ValueError: another number of blocks (all three shared, the two images would be the same), or an unknown preset;
            in use, noise of another shape.
    """

    def __init__(self, shared: int, preset: str, width: int, batch_norm: bool = True, *,
                 generator: torch.Generator) -> None:
        super().__init__()
        if not 0 <= shared < BLOCKS:
            raise ValueError(f"0 to {BLOCKS - 1} blocks can be shared, not {shared}")
        first, second = (Generator(preset, width, batch_norm, generator=generator).layers for _ in range(2))
        cut = [name for name, _ in first.named_children()].index(FIRST_OF_BLOCK[shared])
        self.shared, self.tails = first[:cut], nn.ModuleList([first[cut:], second[cut:]])

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        check_noise(z, LATENT_SIZE)
        what = self.shared(z)
        return tuple(tail(what).to(z.dtype) for tail in self.tails)

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """n pairs of images, each `[n, 28, 28]` in [0, 1]; row i of both is made from one z."""
        made = [self(noise(len(part), generator).to(device_of(self))) for part in torch.arange(n).split(500)]
        return tuple(joined_in_unit_range(kind, n) for kind in zip(*made, strict=True))


class CoupledDiscriminator(nn.Module):
    """Two batches of images `[n, 1, 28, 28]` in [−1, 1] → their logits, each `[n]`.

    Args:
        shared: whether all but the first convolution is common to both kinds.
        preset, width, dropout, spectral_norm, generator: of a DCGAN's D.

    Raises:
        ValueError: unknown preset.
    """

    def __init__(self, shared: bool, preset: str, width: int, dropout: float = 0.0, spectral_norm: bool = False, *,
                 generator: torch.Generator) -> None:
        super().__init__()
        first, second = (Discriminator(preset, width, dropout, spectral_norm,
                                       generator=generator).layers for _ in range(2))
        cut = [name for name, _ in first.named_children()].index("down2")
        self.fronts = nn.ModuleList([first[:cut], second[:cut]])
        self.backs = nn.ModuleList([first[cut:], first[cut:] if shared else second[cut:]])

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return tuple(back(front(images)).squeeze(1).to(images.dtype)
                     for front, back, images in zip(self.fronts, self.backs, (x, y), strict=True))
