"""The VQ-VAE: an image as a few symbols out of an alphabet, and what these symbols cost.

An encoder gives T vectors z_1 … z_T of length D. Each is replaced by the nearest of K learned vectors, the entries
e_1 … e_K of a codebook, so that an image's code is T whole numbers from 0 to K − 1; a decoder makes p(x | z) of the
entries. The loss of one image x is

    −log p(x | e)  +  Σ_t ‖sg[z_t] − e(t)‖²  +  β Σ_t ‖z_t − sg[e(t)]‖²,

where e(t) is the entry nearest to z_t and sg[·] stops the gradient. The first term's gradient is copied from e(t) to
z_t, as if nothing had been replaced: the straight-through estimator.

References:
    A. van den Oord, O. Vinyals, K. Kavukcuoglu, Neural Discrete Representation Learning, NIPS 2017: eq. 1 to 3, and
        appendix A.1, the codebook as moving averages.
    Y. Bengio, N. Léonard, A. Courville, Estimating or Propagating Gradients Through Stochastic Neurons for Conditional
        Computation, 2013: the straight-through estimator.
    A. Łańcucki et al., Robust Training of Vector Quantized Bottleneck Models, IJCNN 2020: entries that are not used
        begin anew at data.
    F. Mentzer et al., Finite Scalar Quantization: VQ-VAE Made Simple, ICLR 2024: section 3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.models.layers import init_layer, mlp

BOOKS = ("gradient", "averages", "finite scalar")
UNUSED = 0.03  # of an equal share: an entry that is used less begins anew


def straight_through(z: Tensor, z_q: Tensor) -> Tensor:
    """z_q, whose gradient is handed on to z as it is, of any shape (Bengio et al. 2013)."""
    return z + (z_q - z).detach()


def nearest(z: Tensor, entries: Tensor) -> Tensor:
    """Which of the entries `[K, D]` is nearest to each vector of z `[…, D]`: int64 `[…]`; of equally near ones one."""
    z, entries = z.detach().to(entries.dtype), entries.detach()  # in 16 bits near entries would be the same
    return torch.cdist(z.flatten(0, -2), entries).argmin(1).view(z.shape[:-1])


def shares(codes: Tensor, n_entries: int) -> Tensor:
    """The share of each entry among codes of any shape, `[K]`."""
    ones = torch.ones(codes.numel(), device=codes.device)
    return torch.zeros(n_entries, device=codes.device).index_add(0, codes.flatten(), ones) / codes.numel()


def code_perplexity(codes: Tensor, n_entries: int) -> Tensor:
    """exp of the entropy of the shares of entries among codes of any shape, 0-d: from 1, only one is used, to K, all
    are used alike."""
    return torch.special.entr(shares(codes, n_entries)).sum().exp()


class Quantized(NamedTuple):
    """What became of the encoder's vectors z `[n, T, D]`.

    Attributes:
        codes: int64 `[n, T]`, 0 … K − 1.
        z_q: entries in their place, `[n, T, D]`; the gradient goes on to z.
        codebook_loss: Σ_t ‖sg[z_t] − e(t)‖², `[n]`; 0 where the entries do not learn by gradients.
        commitment: Σ_t ‖z_t − sg[e(t)]‖², `[n]`.
    """

    codes: Tensor
    z_q: Tensor
    codebook_loss: Tensor
    commitment: Tensor


class Codebook(nn.Module):
    """K entries of length D that learn by the gradient, or are moving averages of the vectors that chose them.

    Args:
        n_entries: K.
        size: D.
        averages: whether entries are moving averages.
        generator: decides the first entries, N(0, I).
    """

    def __init__(self, n_entries: int, size: int, averages: bool, *, generator: torch.Generator) -> None:
        super().__init__()
        self.n_entries, self.averages = n_entries, averages
        first = torch.randn(n_entries, size, generator=generator)
        if averages:
            self.register_buffer("entries", first)
            self.register_buffer("counts", torch.ones(n_entries))  # N_i, how often each is chosen in a batch
        else:
            self.entries = nn.Parameter(first)

    def forward(self, z: Tensor) -> Quantized:
        """The nearest entries in the place of vectors z `[n, T, D]`, and the terms of the loss."""
        z = z.to(self.entries.dtype)
        codes = nearest(z, self.entries)
        e = self.entries[codes]
        codebook_loss = (z.detach() - e).square().sum(dim=(1, 2))
        commitment = (z - e.detach()).square().sum(dim=(1, 2))
        return Quantized(codes, straight_through(z, e), 0 * codebook_loss if self.averages else codebook_loss,
                         commitment)

    @torch.no_grad()
    def follow(self, z: Tensor, codes: Tensor, decay: float, restarts: bool, generator: torch.Generator) -> None:
        """Move the averages by one batch of vectors z `[n, T, D]` and the codes `[n, T]` that they chose.

            N_i ← γ N_i + (1 − γ) n_i,    m_i ← γ m_i + (1 − γ) Σ z,    e_i = m_i / N_i

        (van den Oord et al. 2017, appendix A.1), n_i of the batch's vectors having chosen entry i.

        Args:
            decay: γ.
            restarts: whether entries that are used less than `UNUSED` of an equal share begin anew at a vector of the
                batch.
            generator: picks that vector; it is asked at each step, so that the same random numbers follow.
        """
        z, codes = z.detach().to(self.entries.dtype).flatten(0, 1), codes.flatten()
        n = torch.zeros_like(self.counts).index_add(0, codes, torch.ones_like(z[:, 0]))
        sums = torch.zeros_like(self.entries).index_add(0, codes, z)
        counts = decay * self.counts + (1 - decay) * n
        moved = (decay * self.counts[:, None] * self.entries + (1 - decay) * sums) / counts[:, None].clamp_min(1e-5)
        picked = z[torch.randint(len(z), (self.n_entries,), generator=generator).to(z.device)]
        if restarts:
            share = counts.mean()
            unused = counts < UNUSED * share
            moved = torch.where(unused[:, None], picked, moved)
            counts = torch.where(unused, share, counts)
        self.entries.copy_(moved)
        self.counts.copy_(counts)


class FiniteScalar(nn.Module):
    """Finite scalar quantization: each number of z is squashed into a range and rounded to one of a few levels.

    Number i becomes one of L_i even levels from −1 to 1; together they are the digits of a code from 0 to Π L_i − 1.
    There is no codebook to learn, and nothing to collapse to one entry (Mentzer et al. 2024, section 3; here the
    squashing is a logistic function onto [0, L − 1], the same for odd and even L).

    Args:
        levels: L_1 … L_D.
    """

    averages = False

    def __init__(self, levels: Sequence[int]) -> None:
        super().__init__()
        self.n_entries = math.prod(levels)
        self.register_buffer("levels", torch.tensor(levels, dtype=torch.float32), persistent=False)
        steps = [math.prod(levels[:i]) for i in range(len(levels))]
        self.register_buffer("steps", torch.tensor(steps), persistent=False)

    @property
    def entries(self) -> Tensor:
        """All entries, `[K, D]`, in the order of their codes."""
        digits = torch.arange(self.n_entries, device=self.steps.device)[:, None] // self.steps % self.levels.long()
        return 2 * digits / (self.levels - 1) - 1

    def forward(self, z: Tensor) -> Quantized:
        """The nearest levels in the place of vectors z `[n, T, D]`; both terms of the loss are 0."""
        squashed = (self.levels - 1) * z.to(self.levels.dtype).sigmoid()
        rounded = squashed.round()
        z_q = 2 * straight_through(squashed, rounded) / (self.levels - 1) - 1
        nothing = 0 * z_q.sum(dim=(1, 2)).detach()
        return Quantized((rounded.long() * self.steps).sum(dim=2), z_q, nothing, nothing)


class VQVAE(nn.Module):
    """Encoder → quantizer → decoder, for binary images.

    Args:
        encoder: from images `[n, H, W]` in [0, 1] to T vectors of length D, `[n, T, D]`.
        quantizer: a `Codebook`, or `FiniteScalar`.
        decoder: from vectors `[n, T, D]` to the logits of ink `[n, H, W]`.
        places: T.
    """

    def __init__(self, encoder: nn.Module, quantizer: Codebook | FiniteScalar, decoder: nn.Module, places: int) -> None:
        super().__init__()
        self.encoder, self.quantizer, self.decoder, self.places = encoder, quantizer, decoder, places

    def forward(self, x: Tensor) -> tuple[Tensor, Quantized, Tensor]:
        """−log p(x | e) in nats `[n]`, what became of the vectors, and the vectors z `[n, T, D]`, of images
        `[n, H, W]`."""
        z = self.encoder(x)
        q = self.quantizer(z)
        return self.distortion(x, q.z_q), q, z

    def distortion(self, x: Tensor, z_q: Tensor) -> Tensor:
        """−log p(x | z_q), a sum over pixels in nats, `[n]`, of images `[n, H, W]` and entries `[n, T, D]`."""
        logits = self.decoder(z_q)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))  # 16 bits are too few for a sum of 784
        return F.binary_cross_entropy_with_logits(logits, x.to(logits), reduction="none").sum(dim=(1, 2))

    def codes(self, x: Tensor) -> Tensor:
        """The code of each image `[n, H, W]`: int64 `[n, T]`, T places row by row."""
        return self.quantizer(self.encoder(x)).codes

    def images(self, codes: Tensor) -> Tensor:
        """The probability of ink of each pixel, `[n, H, W]`, of codes `[n, T]`."""
        return self.decoder(self.quantizer.entries[codes]).sigmoid()


class ToVectors(nn.Module):
    """Images `[n, 28, 28]` through strided convolutions to a vector at each place of a grid, `[n, T, D]`.

    Args:
        size: D.
        channels: of the inner layers; the first has half of them.
        coarse: whether the grid has 4 x 4 places, else 7 x 7.
    """

    def __init__(self, size: int, channels: int, coarse: bool, *, generator: torch.Generator) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            init_layer(nn.Conv2d, 1, channels // 2, 4, 2, 1, generator=generator), nn.ReLU(),
            init_layer(nn.Conv2d, channels // 2, channels, 4, 2, 1, generator=generator), nn.ReLU(),
            init_layer(nn.Conv2d, channels, channels, 3, 2 if coarse else 1, 1, generator=generator), nn.ReLU(),
            init_layer(nn.Conv2d, channels, size, 1, generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.to(self.layers[0].weight.dtype)[:, None]).flatten(2).mT


class FromVectors(nn.Module):
    """A vector at each place, `[n, T, D]`, through transposed convolutions to logits `[n, 28, 28]`: the mirror of
    `ToVectors`, whose arguments it has."""

    def __init__(self, size: int, channels: int, coarse: bool, *, generator: torch.Generator) -> None:
        super().__init__()
        self.side = 4 if coarse else 7
        self.layers = nn.Sequential(
            init_layer(nn.Conv2d, size, channels, 3, 1, 1, generator=generator), nn.ReLU(),
            init_layer(nn.ConvTranspose2d, channels, channels, 3, 2 if coarse else 1, 1, generator=generator),
            nn.ReLU(),
            init_layer(nn.ConvTranspose2d, channels, channels // 2, 4, 2, 1, generator=generator), nn.ReLU(),
            init_layer(nn.ConvTranspose2d, channels // 2, 1, 4, 2, 1, generator=generator))

    def forward(self, z_q: Tensor) -> Tensor:
        return self.layers(z_q.mT.unflatten(2, (self.side, self.side)))[:, 0]


def image_vqvae(quantizer: Codebook | FiniteScalar, size: int, channels: int = 64, coarse: bool = True, *,
                generator: torch.Generator) -> VQVAE:
    """A VQ-VAE of images of 28 x 28 pixels, by convolutions."""
    return VQVAE(ToVectors(size, channels, coarse, generator=generator), quantizer,
                 FromVectors(size, channels, coarse, generator=generator), 16 if coarse else 49)


def small_vqvae(quantizer: Codebook | FiniteScalar, size: int, places: int = 4, side: int = 8, width: int = 64, *,
                generator: torch.Generator) -> VQVAE:
    """A VQ-VAE of images of side x side pixels, a hidden layer on each side: quick, and with few enough codes to add
    them all up.

    Args:
        size: D.
        places: T.
        width: of the hidden layers.
    """
    pixels = side * side
    return VQVAE(nn.Sequential(nn.Flatten(), mlp([pixels, width, places * size], generator),
                               nn.Unflatten(1, (places, size))), quantizer,
                 nn.Sequential(nn.Flatten(), mlp([places * size, width, pixels], generator),
                               nn.Unflatten(1, (side, side))), places)
