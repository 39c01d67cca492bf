"""Recurrent networks that predict an image one pixel at a time: the Row LSTM, and a plain RNN along the pixels.

References:
    A. van den Oord, N. Kalchbrenner, K. Kavukcuoglu, Pixel Recurrent Neural Networks, ICML 2016: section 3.1 (Row
        LSTM, eq. 3), 3.3 (residual connections), 3.4 (masks), 4 and table 1 (the first 7 x 7 layer, the last two).
    J. L. Elman, Finding Structure in Time, Cognitive Science 14 (1990): the plain RNN.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.deprecated import takes_rng
from course_lib.models.layers import init_layer
from course_lib.models.pixels import MaskedConv2d, PixelModel


class RowLSTMLayer(nn.Module):
    """An LSTM that goes down the rows, all columns of a row at once (section 3.1).

    For row i, with x_i its input and h_{i−1} the state of the row above,
        [o, f, i, g] = [σ, σ, σ, tanh](K_is ⊛ x_i + K_ss ⊛ h_{i−1} + b),
        c_i = f ⊙ c_{i−1} + i ⊙ g,   h_i = o ⊙ tanh(c_i).
    K_is is 1 x 3 with mask B, so it has two taps: the left neighbour and the pixel itself. K_ss has three: all of
    h_{i−1} belongs to the past. Both convolutions together are one product of matrices a row: [K_is K_ss] times the
    five columns of neighbours, one on top of the other. Rows are `[C, W·n]`, all images' first pixels, then all second
    ones …, so that a neighbour is found n places to the side, and gates lie in one piece of memory.
    """

    def __init__(self, channels: int, generator: torch.Generator) -> None:
        super().__init__()
        self.input_to_state = init_layer(nn.Linear, 2 * channels, 4 * channels, generator=generator)
        self.state_to_state = init_layer(nn.Linear, 3 * channels, 4 * channels, generator=generator, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """States h of all rows, from the layer's input x; both `[H, C, W, n]`."""
        n = x.shape[3]
        K = torch.cat([self.input_to_state.weight, self.state_to_state.weight], dim=1).to(x.dtype)
        b = self.input_to_state.bias[:, None].to(x.dtype)
        neighbours = torch.cat([F.pad(x, (0, 0, 1, 0))[:, :, :-1], x], dim=1).flatten(2)
        h = torch.zeros_like(x[0]).flatten(1)
        c = h.float() if h.dtype == torch.bfloat16 else h  # a sum over rows needs more than 8 bits
        rows = []
        for row in neighbours.unbind():  # the only loop: over H rows
            h, c = self.cell(torch.addmm(b, K, torch.cat([row, self.beside(h, n)])), c)
            rows.append(h)
        return torch.stack(rows).view_as(x)

    @staticmethod
    def beside(h: Tensor, n: int) -> Tensor:
        """The left neighbours of a row h `[C, W·n]`, the row itself, and the right ones: `[3C, W·n]`."""
        wide = F.pad(h, (n, n))
        return torch.cat([wide[:, :-2 * n], h, wide[:, 2 * n:]])

    @staticmethod
    def cell(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """The new h and c, `[C, …]`, from the gates before their nonlinearities `[4C, …]` and the old c."""
        C = len(c)
        o, f, i = gates[:3 * C].sigmoid().chunk(3)
        c = f * c + i * gates[3 * C:].tanh()
        return o * c.tanh().to(o.dtype), c


@takes_rng
class RowLSTM(PixelModel):
    """7 x 7 masked convolution → Row LSTM layers with residual connections → two 1 x 1 layers → softmax over N.

    A pixel sees a triangle that opens upwards, by one column a row and side, not everything before it.

    Args:
        size: (H, W) of the images.
        n_classes: N, the number of values of a pixel.
        channels: C, in all layers.
        layers: how many Row LSTM layers.
        first_mask: of the 7 x 7 layer. Only 'A' is right; with 'B' the network sees the pixel that it predicts.
    """

    def __init__(self, size: tuple[int, int], n_classes: int = 2, channels: int = 32, layers: int = 1, *,
                 generator: torch.Generator, first_mask: str = "A") -> None:
        super().__init__(size, n_classes)
        self.first = MaskedConv2d(n_classes, channels, (7, 7), first_mask, generator)
        self.layers = nn.ModuleList(RowLSTMLayer(channels, generator) for _ in range(layers))
        self.last = nn.Sequential(nn.ReLU(), init_layer(nn.Linear, channels, channels, generator=generator), nn.ReLU(),
                                  init_layer(nn.Linear, channels, n_classes, generator=generator))

    def logits(self, image: Tensor) -> Tensor:
        x = self.first(image).permute(2, 1, 3, 0)  # [H, C, W, n]
        for layer in self.layers:
            x = x + layer(x)
        return self.last(x.permute(3, 0, 2, 1)).permute(0, 3, 1, 2)

    def steps(self, x: Tensor) -> Iterator[Tensor]:
        """Logits `[n, N]` as in `PixelModel`, but every state is computed once: what comes from the row above, once a
        row."""
        n, H, W = x.shape
        canvas = F.pad(self.one_hot(x), (3, 3, 3, 0))  # a frame of nothing, as the convolution has it
        kernel, b = self.first.weight[:, :, :4].flatten(1), self.first.conv.bias  # the rows that may be looked at
        nothing = canvas.new_zeros(len(kernel), n)
        above = [canvas.new_zeros(2, len(kernel), W * n) for _ in self.layers]  # h and c of the row above
        for i in range(H):
            from_above = [layer.state_to_state.weight @ layer.beside(h, n)
                          for layer, (h, _) in zip(self.layers, above, strict=True)]
            rows = [torch.empty_like(hc) for hc in above]
            left = [nothing] * len(self.layers)  # each layer's input at the pixel before
            for j in range(W):
                here = slice(j * n, (j + 1) * n)
                features = F.linear(canvas[:, :, i:i + 4, j:j + 7].flatten(1), kernel, b).T
                for k, layer in enumerate(self.layers):
                    gates = layer.input_to_state(torch.cat([left[k], features]).T).T + from_above[k][:, here]
                    left[k] = features
                    h, rows[k][1, :, here] = layer.cell(gates, above[k][1, :, here])
                    rows[k][0, :, here] = h
                    features = features + h
                yield self.last(features.T)
                canvas[:, :, i + 3, j + 3] = F.one_hot(x[:, i, j], self.n_classes).to(canvas)
            above = rows


@takes_rng
class RasterRNN(PixelModel):
    """A plain RNN that reads the pixels one after the other: it sees all before it, and takes H·W steps in a row.

    With x_0 nothing (all zeros) and h_0 = 0, for j = 1 … H·W:
        h_j = tanh(U x_{j−1} + W h_{j−1} + b),   logits of x_j = V h_j + a.

    Args:
        size: (H, W) of the images.
        n_classes: N, the number of values of a pixel.
        channels: length of h.
    """

    def __init__(self, size: tuple[int, int], n_classes: int = 2, channels: int = 32, *,
                 generator: torch.Generator) -> None:
        super().__init__(size, n_classes)
        self.U = init_layer(nn.Linear, n_classes, channels, generator=generator)
        self.W = init_layer(nn.Linear, channels, channels, generator=generator, bias=False)
        self.V = init_layer(nn.Linear, channels, n_classes, generator=generator)

    def logits(self, image: Tensor) -> Tensor:
        pixels = image.flatten(2).permute(2, 0, 1)  # [H·W, n, N]
        before = self.U(torch.cat([torch.zeros_like(pixels[:1]), pixels[:-1]]))
        h, states = torch.zeros_like(before[0]), []
        for from_pixel in before:
            h = torch.tanh(from_pixel + self.W(h))
            states.append(h)
        return self.V(torch.stack(states)).permute(1, 2, 0).unflatten(2, self.size)

    def steps(self, x: Tensor) -> Iterator[Tensor]:
        """Logits `[n, N]` as in `PixelModel`, but with the state h kept from pixel to pixel."""
        before = torch.zeros_like(self.one_hot(x)[:, :, 0, 0])
        h = before.new_zeros(len(x), self.W.in_features)
        for i in range(x.shape[1]):
            for j in range(x.shape[2]):
                h = torch.tanh(self.U(before) + self.W(h))
                yield self.V(h)
                before = F.one_hot(x[:, i, j], self.n_classes).to(before)
