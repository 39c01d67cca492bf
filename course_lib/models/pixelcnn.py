"""Convolutional networks that predict an image one pixel at a time: a plain stack with a blind spot, and gated stacks.

References:
    A. van den Oord, N. Kalchbrenner, K. Kavukcuoglu, Pixel Recurrent Neural Networks, ICML 2016, section 3.5: PixelCNN.
    A. van den Oord, N. Kalchbrenner, O. Vinyals, L. Espeholt, A. Graves, K. Kavukcuoglu, Conditional Image Generation
        with PixelCNN Decoders, NIPS 2016, sections 2.1 (gates) and 2.2 (the blind spot, two stacks), figure 2.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.deprecated import takes_rng
from course_lib.models.layers import init_layer
from course_lib.models.pixels import MaskedConv2d, PixelModel, raster_mask


@takes_rng
class PlainPixelCNN(PixelModel):
    """7 x 7 convolution with mask A → 3 x 3 convolutions with mask B and residual connections → two 1 x 1 layers.

    However many layers there are, pixels above and to the right are never seen beyond a slanted line: the blind spot.

    Args:
        size: (H, W) of the images.
        n_classes: N, the number of values of a pixel.
        channels: C, in all layers.
        layers: how many 3 x 3 layers.
        first_mask: of the 7 x 7 layer. Only 'A' is right; with 'B' the network sees the pixel that it predicts.
    """

    def __init__(self, size: tuple[int, int], n_classes: int = 2, channels: int = 32, layers: int = 5, *,
                 generator: torch.Generator, first_mask: str = "A") -> None:
        super().__init__(size, n_classes)
        self.first = MaskedConv2d(n_classes, channels, (7, 7), first_mask, generator)
        self.layers = nn.ModuleList(MaskedConv2d(channels, channels, (3, 3), "B", generator) for _ in range(layers))
        self.last = nn.Sequential(nn.ReLU(), init_layer(nn.Conv2d, channels, channels, 1, generator=generator),
                                  nn.ReLU(),
                                  init_layer(nn.Conv2d, channels, n_classes, 1, generator=generator))

    def logits(self, image: Tensor) -> Tensor:
        x = self.first(image)
        for layer in self.layers:
            x = x + layer(x.relu())
        return self.last(x)


def gate(a: Tensor) -> Tensor:
    """tanh(a_1) ⊙ σ(a_2) of the two halves of the channels `[n, 2C, …]`: `[n, C, …]` (2016b, eq. 2)."""
    one, two = a.chunk(2, dim=1)
    return one.tanh() * two.sigmoid()


class GatedLayer(nn.Module):
    """One layer of the two stacks (2016b, figure 2). No mask: each kernel is as small as what it may see.

    The vertical stack v at pixel (i, j) knows rows above i only, the horizontal one h also what is left of j in row i.
    The first layer reads the image: `above` rows and `left` pixels strictly before, mask A. Later ones read v and h,
    which know only the past already, and so may look at row i and pixel j themselves, mask B.
    """

    def __init__(self, n_in: int, channels: int, width: int, first: bool, mask: str,
                 generator: torch.Generator) -> None:
        super().__init__()
        self.first, self.side = first, width // 2
        rows = left = self.side if first else self.side + 1
        self.row_lag, self.column_lag = int(first), int(mask == "A")  # the nearest that is seen: so far up, so far left
        self.vertical = init_layer(nn.Conv2d, n_in, 2 * channels, (rows, width), generator=generator)
        self.horizontal = init_layer(nn.Conv2d, n_in, 2 * channels, (1, left), generator=generator)
        self.link = init_layer(nn.Conv2d, 2 * channels, 2 * channels, 1, generator=generator)
        self.out = init_layer(nn.Conv2d, channels, channels, 1, generator=generator)
        self.top, self.left = rows - 1 + self.row_lag, left - 1 + self.column_lag

    def forward(self, v: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """The stacks v and h `[n, C, H, W]` from those below; the first layer's are both the image `[n, N, H, W]`."""
        lagging = F.pad(v, (self.side, self.side, self.top, 0))[:, :, :v.shape[2] + self.top - self.row_lag]
        down = self.vertical(lagging)
        past = F.pad(h, (self.left, 0))[..., :h.shape[3] + self.left - self.column_lag]
        return gate(down), self.across(past, h, self.link(down))

    def across(self, past: Tensor, h: Tensor, from_above: Tensor) -> Tensor:
        """The new h `[n, C, H, W]`, from the old one, the pixels `past` `[n, C, H, W + k − 1]` that the horizontal
        kernel of k columns sees (N channels in the first layer), and what the vertical stack says, `[n, 2C, H, W]`."""
        new = self.out(gate(self.horizontal(past) + from_above))
        return new if self.first else h + new


@takes_rng
class GatedPixelCNN(PixelModel):
    """A gated layer of width 7 on the image, more of width 3, two 1 x 1 layers: every earlier pixel in reach is seen.

    Args:
        size: (H, W) of the images.
        n_classes: N, the number of values of a pixel.
        channels: C, in all layers.
        layers: how many gated layers after the first one.
        first_mask: of the first layer. Only 'A' is right; with 'B' the network sees the pixel that it predicts.
    """

    def __init__(self, size: tuple[int, int], n_classes: int = 2, channels: int = 16, layers: int = 5, *,
                 generator: torch.Generator, first_mask: str = "A") -> None:
        super().__init__(size, n_classes)
        raster_mask(1, 1, first_mask)  # raises for another kind
        self.layers = nn.ModuleList([GatedLayer(n_classes, channels, 7, True, first_mask, generator)])
        self.layers.extend(GatedLayer(channels, channels, 3, False, "B", generator) for _ in range(layers))
        self.last = nn.Sequential(nn.ReLU(), init_layer(nn.Conv2d, channels, channels, 1, generator=generator),
                                  nn.ReLU(),
                                  init_layer(nn.Conv2d, channels, n_classes, 1, generator=generator))

    def logits(self, image: Tensor) -> Tensor:
        v = h = image
        for layer in self.layers:
            v, h = layer(v, h)
        return self.last(h)

    def steps(self, x: Tensor) -> Iterator[Tensor]:
        """Logits `[n, N]` as in `PixelModel`, but the vertical stack is computed once a row, the horizontal one once a
        pixel."""
        first, *later = self.layers
        side, lag = first.side, first.column_lag
        canvas = F.pad(self.one_hot(x), (side, side, side, 0))  # a frame of nothing, as the convolutions have it
        nothing = canvas.new_zeros(len(x), self.last[1].in_channels, 1, x.shape[2])
        above = [nothing] * len(later)  # each later layer's v in the row above
        for i in range(x.shape[1]):
            down = first.vertical(canvas[:, :, i:i + side])
            links = [first.link(down)]
            for k, layer in enumerate(later):
                v = gate(down)
                down = layer.vertical(F.pad(torch.cat([above[k], v], dim=2), (1, 1)))
                links.append(layer.link(down))
                above[k] = v
            left = [nothing[..., :1]] * len(later)  # each later layer's h at the pixel before
            for j in range(x.shape[2]):
                seen = slice(j + 1 - lag, j + 1 - lag + side)
                h = first.across(canvas[:, :, i + side:i + side + 1, seen], nothing, links[0][..., j:j + 1])
                for k, layer in enumerate(later):
                    new = layer.across(torch.cat([left[k], h], dim=3), h, links[k + 1][..., j:j + 1])
                    left[k], h = h, new
                yield self.last(h)[:, :, 0, 0]
                canvas[:, :, i + side, j + side] = F.one_hot(x[:, i, j], self.n_classes).to(canvas)
