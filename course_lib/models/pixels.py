"""What all models share that predict an image one pixel at a time: exact log p(x), drawing, completing, looking.

Pixels are taken in raster order, row by row from the top left, unless a model has another. By the chain rule
    log p(x) = Σ_j log p(x_j | x_1 … x_{j−1}),
and each factor is a softmax over the N values (classes) that a pixel can take. A network that gives pixel j logits
which depend on earlier pixels only is therefore a normalised distribution over images, whatever its weights are.

References:
    A. van den Oord, N. Kalchbrenner, K. Kavukcuoglu, Pixel Recurrent Neural Networks, ICML 2016: sections 2.1 (the
        chain rule), 2.2 (discrete pixels), 3.4 (masks A and B).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.deprecated import old_members
from course_lib.models.layers import device_of, init_layer
from course_lib.validation import finite_result, mask_tensor


def raster_mask(rows: int, columns: int, kind: str) -> Tensor:
    """Ones where a kernel may look, float32 `[rows, columns]` (van den Oord et al. 2016, section 3.4).

    Its centre lies on the pixel that is predicted. Allowed are the rows above, the pixels left of the centre and, with
    mask B, the centre. The first layer must use A, because there the centre is the pixel itself; later ones use B.

    Raises:
        ValueError: a kernel without a centre, or another kind than 'A' and 'B'.
    """
    if rows % 2 == 0 or columns % 2 == 0:
        raise ValueError(f"a kernel needs odd sides to have a centre, not {rows} x {columns}")
    if kind not in ("A", "B"):
        raise ValueError(f"the mask must be 'A' or 'B', not {kind!r}")
    allowed = torch.zeros(rows, columns)
    allowed[:rows // 2] = 1
    allowed[rows // 2, :columns // 2 + (kind == "B")] = 1
    return allowed


class MaskedConv2d(nn.Module):
    """A convolution that keeps the image's size and never looks at later pixels. Images `[n, C, H, W]`."""

    def __init__(self, n_in: int, n_out: int, kernel: tuple[int, int], kind: str, generator: torch.Generator) -> None:
        super().__init__()
        self.conv = init_layer(nn.Conv2d, n_in, n_out, kernel, padding=(kernel[0] // 2, kernel[1] // 2),
                               generator=generator)
        self.register_buffer("mask", raster_mask(*kernel, kind), persistent=False)

    @property
    def weight(self) -> Tensor:
        """The kernel `[n_out, n_in, rows, columns]` with zeros where it may not look."""
        return self.conv.weight * self.mask

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, self.conv.bias, padding=self.conv.padding)


class PixelSample(NamedTuple):
    """Images `[n, H, W]` drawn pixel by pixel, and two log probabilities of each, `[n]`, in nats.

    Attributes:
        log_p: log p(x) of the whole image under the model, the factors of observed and of hidden pixels.
        log_q: log probability with which its hidden pixels were drawn, given the observed ones before them.
            log_p − log_q is the logarithm of the importance weight of a completion: of the factors of the observed
            pixels, and of temperature.
    """

    images: Tensor
    log_p: Tensor
    log_q: Tensor


@old_members(complete="inpaint")
class PixelModel(nn.Module):
    """Base of the models of images `[n, H, W]` whose pixels are whole numbers, 0 … N−1.

    A subclass defines `logits`, and may define `steps` to remember what does not change from pixel to pixel.

    Attributes:
        size: (H, W).
        n_classes: N.
    """

    def __init__(self, size: tuple[int, int], n_classes: int) -> None:
        super().__init__()
        self.size, self.n_classes = size, n_classes

    def logits(self, image: Tensor) -> Tensor:
        """Logits of p(x_j = k | x_1 … x_{j−1}), `[n, N, H, W]`, from one-hot images `[n, N, H, W]`."""
        raise NotImplementedError

    def order(self) -> list[tuple[int, int]]:
        """The places (i, j) of all pixels in the order of the chain rule: raster order, unless a subclass has another.
        """
        return [(i, j) for i in range(self.size[0]) for j in range(self.size[1])]

    def steps(self, x: Tensor) -> Iterator[Tensor]:
        """Logits `[n, N]` of one pixel after the other, in its order; reads x `[n, H, W]` as it is by then.

        This is the naive way: all of the image anew for every pixel.
        """
        for i, j in self.order():
            yield self(x)[:, :, i, j]

    def forward(self, x: Tensor) -> Tensor:
        """Logits `[n, N, H, W]` of images `[n, H, W]`. Raises ValueError for other images than `size`, `n_classes`."""
        return self.logits(self.one_hot(x))

    def log_prob(self, x: Tensor) -> Tensor:
        """Exact log p(x) in nats, `[n]`, of images `[n, H, W]`: a sum over pixels. Raises ValueError for other images,
        and for a network that has diverged."""
        logits = self(x)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))  # 16 bits are too few for a sum of 784
        return finite_result(-F.cross_entropy(logits, x.long(), reduction="none").flatten(1).sum(1), "log p(x)")

    def one_hot(self, x: Tensor) -> Tensor:
        """Images `[n, H, W]` as `[n, N, H, W]` of zeros and ones, of the parameters' type; checks them."""
        if x.ndim != 3 or tuple(x.shape[1:]) != self.size:
            raise ValueError(f"images must have shape [n, {self.size[0]}, {self.size[1]}], not {list(x.shape)}")
        if x.is_floating_point() or x.dtype == torch.bool:
            raise ValueError(f"pixels must be whole numbers, not {x.dtype}: binarize or cluster them, then x.long()")
        if x.numel() and not (x.min() >= 0 and x.max() < self.n_classes):
            raise ValueError(f"pixels must lie in 0 … {self.n_classes - 1}, these reach from {x.min()} to {x.max()}")
        return F.one_hot(x.long(), self.n_classes).permute(0, 3, 1, 2).to(next(self.parameters()).dtype)

    @torch.no_grad()
    def inpaint(self, x: Tensor, observed: Tensor, generator: torch.Generator, temperature: float = 1.0,
                 cached: bool = True) -> PixelSample:
        """Draw the hidden pixels of x one after the other, each given all before it, observed or drawn.

        Where all hidden pixels come after the observed ones (the lower half), these are exact draws from p(hidden |
        observed). Elsewhere they know nothing of observed pixels that come later; weights exp(log_p − log_q) correct
        that.

        Args:
            x: `[n, H, W]`; what stands in hidden pixels does not matter.
            observed: mask `[H, W]` or `[n, H, W]`, True where the pixel is given.
            temperature: divides the logits; below 1 the likely becomes likelier still.
            cached: False computes the whole network anew for every pixel, to the same images.

        Raises:
            ValueError: a temperature that is not positive, images that do not fit or are no whole numbers where they
                are observed, or a network that has diverged.
        """
        if not temperature > 0:
            raise ValueError(f"temperature must be positive, not {temperature}")
        observed = mask_tensor(observed, "observed", self.size, tuple(x.shape))
        if x.is_floating_point() and not torch.where(observed, x == x.round(), True).all():
            raise ValueError("pixels must be whole numbers where they are observed: binarize or cluster them")
        x = torch.where(observed, x.long(), 0)
        hidden = ~observed.expand_as(x)
        u = torch.rand(x.shape, generator=generator).to(x.device)
        log_p, log_q = x.new_zeros(2, len(x), dtype=torch.float64)
        steps = self.steps(x) if cached else PixelModel.steps(self, x)
        for (i, j), logits in zip(self.order(), steps, strict=True):
            log_probs = logits.double().log_softmax(1)
            drawn_from = log_probs if temperature == 1 else (logits.double() / temperature).log_softmax(1)
            # the first value whose cumulated probability exceeds u; the last one is left out, it may round to below 1
            drawn = (u[:, i, j, None] > drawn_from[:, :-1].exp().cumsum(1)).sum(1)
            here = hidden[:, i, j]
            x[:, i, j] = torch.where(here, drawn, x[:, i, j])
            chosen = x[:, i, j, None]
            log_p += log_probs.gather(1, chosen)[:, 0]
            log_q += torch.where(here, drawn_from.gather(1, chosen)[:, 0], 0)
        return PixelSample(x, finite_result(log_p, "log p(x)"), log_q)

    def sample(self, n: int, generator: torch.Generator, temperature: float = 1.0, cached: bool = True) -> PixelSample:
        """`n` images with nothing given; otherwise as `inpaint`. With temperature 1, log_p and log_q are the same."""
        x = torch.zeros(n, *self.size, dtype=torch.int64, device=device_of(self))
        return self.inpaint(x, torch.zeros_like(x[0], dtype=torch.bool), generator, temperature, cached)

    def receptive_field(self, i: int, j: int, generator: torch.Generator, images: int = 8) -> Tensor:
        """How strongly the logits of pixel (i, j) react to each pixel, `[H, W]`: exactly 0 where they do not look.

        Measured: the sum of the absolute gradients of random mixtures of the logits with respect to one-hot inputs,
        over random images.
        """
        shape = (images, self.n_classes, *self.size)
        image = torch.rand(shape, generator=generator).to(next(self.parameters())).requires_grad_()
        mixture = torch.randn(shape[:2], generator=generator).to(image)
        (gradient,) = torch.autograd.grad((self.logits(image)[:, :, i, j] * mixture).sum(), image)
        return gradient.abs().sum((0, 1))
