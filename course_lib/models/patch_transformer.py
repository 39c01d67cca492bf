"""A transformer over the patches of an image, with an exact distribution of the pixels within each patch.

Tokens are patches, in raster order. What a token is made of are pixels of earlier patches, so that the blocks' state of
a patch knows all before it and nothing of it. Within the patch pixels go one after the other, by a small network that
sees the state and the patch's earlier pixels: the chain rule holds pixel by pixel, and log p(x) is exact.

References:
    N. Parmar et al., Image Transformer, ICML 2018: section 3, pixels as tokens and a neighbourhood of earlier ones.
    M. Chen et al., Generative Pretraining from Pixels, ICML 2020: a transformer over pixels, in raster order.
    H. Larochelle, I. Murray, The Neural Autoregressive Distribution Estimator, AISTATS 2011: the head within a patch,
        here with weights of its own for each pixel.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.models.layers import init_layer
from course_lib.models.pixels import PixelModel
from course_lib.models.transformer import Blocks, KeysAndValues


class PatchHead(nn.Module):
    """The pixels of a patch given its state h, one after the other. For pixel k, with one-hot x_j of those before it:
        a_k = ReLU(W_k h + Σ_{j<k} V_kj x_j),   logits = U_k a_k + S_k h + b_k.

    Args:
        channels: length of h.
        pixels: of a patch.
        n_classes: N.
        width: length of a_k.
    """

    def __init__(self, channels: int, pixels: int, n_classes: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.pixels, self.n_classes = pixels, n_classes
        self.W = init_layer(nn.Linear, channels, pixels * width, generator=generator)
        self.V = init_layer(nn.Linear, pixels * n_classes, pixels * width, generator=generator, bias=False)
        self.U = init_layer(nn.Linear, width, pixels * n_classes, generator=generator, bias=False)
        self.S = init_layer(nn.Linear, channels, pixels * n_classes, generator=generator)
        earlier = torch.ones(pixels, pixels).tril(-1)
        self.register_buffer("earlier", earlier.repeat_interleave(width, 0).repeat_interleave(n_classes, 1),
                             persistent=False)

    def forward(self, h: Tensor, patch: Tensor) -> Tensor:
        """Logits `[…, pixels, N]` from states h `[…, C]` and one-hot patches `[…, pixels · N]`."""
        a = (self.W(h) + F.linear(patch, self.V.weight * self.earlier)).relu().unflatten(-1, (self.pixels, -1))
        U = self.U.weight.view(self.pixels, self.n_classes, -1)
        return torch.einsum("...kr,knr->...kn", a, U.to(a.dtype)) + self.S(h).unflatten(-1, (self.pixels, -1))

    def steps(self, h: Tensor, patch: Tensor) -> Iterator[Tensor]:
        """Logits `[n, N]` of one pixel after the other, from states `[n, C]`; reads the one-hot `patch`
        `[n, pixels · N]` as it is by then."""
        from_state, straight = self.W(h), self.S(h)
        width, N = self.U.in_features, self.n_classes
        for k in range(self.pixels):
            here, out = slice(k * width, (k + 1) * width), slice(k * N, (k + 1) * N)
            a = (from_state[:, here] + F.linear(patch[:, :k * N], self.V.weight[here, :k * N])).relu()
            yield F.linear(a, self.U.weight[out]) + straight[:, out]


class PatchTransformer(PixelModel):
    """Patches → blocks of attention → pixels within each patch.

    A patch's token is a linear map of the patch before it and of a window of earlier pixels around it: `window` rows
    above, from `window` columns left of the patch to as many right of it, and as many columns to its left.

    Args:
        size: (H, W) of the images.
        n_classes: N, the number of values of a pixel.
        channels: C, the length of a token's vector.
        layers, heads: as in `Blocks`.
        patch: rows and columns of a patch.
        window: how far the token sees around its patch; 0 for not at all.
        positions: one of those of `Blocks`.
        look_ahead: of the mask. Only 0 is right; with 1 a patch sees itself.

    Raises:
        ValueError: images that are not made of whole patches.
    """

    def __init__(self, size: tuple[int, int], n_classes: int = 2, channels: int = 128, layers: int = 4,
                 heads: int = 4, patch: tuple[int, int] = (4, 4), window: int = 4, positions: str = "learned", *,
                 generator: torch.Generator, look_ahead: int = 0) -> None:
        super().__init__(size, n_classes)
        if size[0] % patch[0] or size[1] % patch[1]:
            raise ValueError(f"images of {size[0]} x {size[1]} pixels have no patches of {patch[0]} x {patch[1]}")
        self.patch, self.window = patch, window
        self.grid = size[0] // patch[0], size[1] // patch[1]
        pixels = patch[0] * patch[1]
        seen = window * (patch[1] + 2 * window) + patch[0] * window
        self.read = init_layer(nn.Linear, (pixels + seen) * n_classes, channels, generator=generator)
        self.blocks = Blocks(channels, layers, heads, self.grid[0] * self.grid[1], positions, generator, look_ahead)
        self.head = PatchHead(channels, pixels, n_classes, 32, generator)

    def order(self) -> list[tuple[int, int]]:
        """Patch after patch, each row by row."""
        (p, q), (rows, columns) = self.patch, self.grid
        return [(r * p + i, c * q + j) for r in range(rows) for c in range(columns)
                for i in range(p) for j in range(q)]

    def patches(self, image: Tensor) -> Tensor:
        """One-hot patches `[n, T, pixels · N]` of one-hot images `[n, N, H, W]`."""
        (p, q), (rows, columns) = self.patch, self.grid
        return image.view(-1, self.n_classes, rows, p, columns, q).permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)

    def tokens(self, image: Tensor) -> Tensor:
        """Tokens `[n, T, C]` of one-hot images `[n, N, H, W]`."""
        w, (p, q) = self.window, self.patch
        before = F.pad(self.patches(image), (0, 0, 1, 0))[:, :-1]
        if w == 0:
            return self.read(before)
        framed = F.pad(image, (w, w, w, 0))  # a frame of nothing: neither value
        around = framed.unfold(2, p + w, p).unfold(3, q + 2 * w, q)  # [n, N, rows, columns, p + w, q + 2w]
        around = around.permute(0, 2, 3, 4, 5, 1).flatten(1, 2)
        above, left = around[:, :, :w].flatten(2), around[:, :, w:, :w].flatten(2)
        return self.read(torch.cat([before, above, left], dim=2))

    def logits(self, image: Tensor) -> Tensor:
        (p, q), (rows, columns) = self.patch, self.grid
        told = self.head(self.blocks(self.tokens(image)), self.patches(image))  # [n, T, pixels, N]
        told = told.view(-1, rows, columns, p, q, self.n_classes)
        return told.permute(0, 5, 1, 3, 2, 4).reshape(-1, self.n_classes, *self.size)

    def weights(self, x: Tensor) -> list[Tensor]:
        """Of each layer, how much each patch of images x `[n, H, W]` looks at each: `[n, heads, T, T]`."""
        found: list[Tensor] = []
        self.blocks(self.tokens(self.one_hot(x)), weights=found)
        return found

    def steps(self, x: Tensor) -> Iterator[Tensor]:
        """Logits `[n, N]` as in `PixelModel`, but each patch passes through the blocks once, with a cache of the keys
        and values of those before it."""
        cache: list[KeysAndValues] = self.blocks.new_cache()
        image = torch.zeros_like(self.one_hot(x))
        (p, q), (_, columns) = self.patch, self.grid
        for t in range(self.grid[0] * columns):
            top, left = t // columns * p, t % columns * q
            h = self.blocks(self.tokens(image)[:, t:t + 1], cache)[:, 0]
            patch = self.patches(image)[:, t].clone()
            for k, told in enumerate(self.head.steps(h, patch)):
                yield told
                drawn = F.one_hot(x[:, top + k // q, left + k % q], self.n_classes).to(image)
                patch[:, k * self.n_classes:(k + 1) * self.n_classes] = drawn
                image[:, :, top + k // q, left + k % q] = drawn
