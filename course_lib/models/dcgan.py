"""A generative adversarial network of convolutions for 28x28 images: the DCGAN.

    G: z ~ N(0, I)  →  dense to 7x7 → transposed convolution to 14x14 → transposed convolution to 28x28 → tanh
    D: image        →  convolution to 14x14 → convolution to 7x7 → one logit a, D(x) = σ(a)

Images are `[n, 1, 28, 28]` with pixels in [−1, 1], which is what a tanh can reach. G is never shown an image: all that
it gets is the gradient of D with respect to the pixels that it made.

References:
    A. Radford, L. Metz, S. Chintala, Unsupervised Representation Learning with Deep Convolutional Generative
        Adversarial Networks, ICLR 2016, section 3: strides instead of pooling, batch normalisation, leaky ReLU, tanh;
        section 4: first weights from N(0, 0.02²), images scaled to [−1, 1], slope 0.2.
    T. Salimans et al., Improved Techniques for Training GANs, NIPS 2016, section 3.4: one-sided label smoothing.
    T. Miyato et al., Spectral Normalization for Generative Adversarial Networks, ICLR 2018, Algorithm 1.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize, skip_init

from course_lib.models.layers import device_of, joined

LATENT_SIZE = 100
SLOPE = 0.2  # of the leaky ReLU where its input is negative


@dataclass(frozen=True)
class Preset:
    """What tells one DCGAN from another.

    Attributes:
        kernel: side of all kernels. At stride 2 a side of 4 reaches every pixel equally often; a side of 5 does not,
            and takes 1.6 times the work.
        weight_std: first weights are from N(0, weight_std²); if it is 0, uniform after Glorot and Bengio (2010).
        deep: one 3x3 convolution more in each network: in G at 7x7, in D from 7x7 to 4x4. Strokes that are far apart
            can then be fitted to each other in G, and held against each other in D.
    """

    kernel: int
    weight_std: float
    deep: bool = False


PRESETS = {"course": Preset(kernel=4, weight_std=0.02), "deep": Preset(kernel=4, weight_std=0.02, deep=True),
           "tutorial": Preset(kernel=5, weight_std=0.0)}


class Generator(nn.Module):
    """G(z): noise `[n, latent_size]` → images `[n, 1, 28, 28]` in [−1, 1].

    Args:
        preset: a name in `PRESETS`.
        width: channels at 14x14; at 7x7 there are four times as many.
        batch_norm: whether to normalise each channel over the batch.
        latent_size: numbers in z.
        generator: decides the first weights.

    Raises:
        ValueError: unknown preset; in use, noise of another shape.
    """

    def __init__(self, preset: str = "course", width: int = 64, batch_norm: bool = True,
                 latent_size: int = LATENT_SIZE, *, generator: torch.Generator) -> None:
        super().__init__()
        self.latent_size = latent_size
        kernel, bias = _preset(preset).kernel, not batch_norm  # a bias before batch norm would be subtracted again
        norm = nn.BatchNorm2d if batch_norm else nn.Identity
        doubling = {"stride": 2, "padding": (kernel - 1) // 2, "output_padding": kernel % 2}
        mixing = OrderedDict(
            mix=skip_init(nn.Conv2d, 4 * width, 4 * width, 3, padding=1, bias=bias),
            norm_mix=norm(4 * width), relu_mix=nn.LeakyReLU(SLOPE)) if PRESETS[preset].deep else {}
        self.layers = nn.Sequential(OrderedDict(
            dense=skip_init(nn.Linear, latent_size, 4 * width * 7 * 7, bias=bias), image=nn.Unflatten(1, (-1, 7, 7)),
            norm1=norm(4 * width), relu1=nn.LeakyReLU(SLOPE), **mixing,
            up1=skip_init(nn.ConvTranspose2d, 4 * width, width, kernel, bias=bias, **doubling),
            norm2=norm(width), relu2=nn.LeakyReLU(SLOPE),
            up2=skip_init(nn.ConvTranspose2d, width, 1, kernel, **doubling), tanh=nn.Tanh()))
        _initialise(self, preset, generator)

    def forward(self, z: Tensor) -> Tensor:
        check_noise(z, self.latent_size)
        return self.layers(z).to(z.dtype)  # autocast may have computed in bfloat16

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """n images `[n, 28, 28]`, made in the mode that G is in, with pixels in [0, 1] as in the rest of the course."""
        device = device_of(self)
        images = (self(noise(len(part), generator, self.latent_size).to(device)) for part in torch.arange(n).split(500))
        return joined_in_unit_range(images, n)


def joined_in_unit_range(parts: Iterable[Tensor], n: int) -> Tensor:
    """Images of a tanh, `[n, 1, 28, 28]` in parts, as `[n, 28, 28]` in [0, 1]; the parts stay as they are."""
    return joined(parts, n).squeeze(1).add_(1).div_(2)  # in place: ten thousand images are 31 MB a copy


class Discriminator(nn.Module):
    """The logit of D(x): images `[n, 1, 28, 28]` in [−1, 1] → `[n]`.

    Args:
        preset: a name in `PRESETS`.
        width: channels at 14x14; at 7x7 there are twice as many.
        dropout: which part of the activations is left out in training mode.
        spectral_norm: whether to divide the weights of each convolution by their largest singular value. The last layer
            stays free to scale the logit: bounded too, D could not be as sure as it should be, and G learns slower.
        generator: decides the first weights, and what dropout leaves out.

    Raises:
        ValueError: unknown preset; in use, images of another shape or outside [−1, 1].
    """

    def __init__(self, preset: str = "course", width: int = 64, dropout: float = 0.0, spectral_norm: bool = False, *,
                 generator: torch.Generator) -> None:
        super().__init__()
        kernel = _preset(preset).kernel
        halving = {"stride": 2, "padding": (kernel - 1) // 2}
        deeper = OrderedDict(
            down3=skip_init(nn.Conv2d, 2 * width, 4 * width, 3, stride=2, padding=1),
            relu3=nn.LeakyReLU(SLOPE), dropout3=Dropout(dropout, generator)) if PRESETS[preset].deep else {}
        self.layers = nn.Sequential(OrderedDict(
            down1=skip_init(nn.Conv2d, 1, width, kernel, **halving),
            relu1=nn.LeakyReLU(SLOPE), dropout1=Dropout(dropout, generator),
            down2=skip_init(nn.Conv2d, width, 2 * width, kernel, **halving),
            relu2=nn.LeakyReLU(SLOPE), dropout2=Dropout(dropout, generator), **deeper,
            flat=nn.Flatten(), logit=skip_init(nn.Linear, 4 * width * 4 * 4 if deeper else 2 * width * 7 * 7, 1)))
        _initialise(self, preset, generator)
        if spectral_norm:
            for layer in self.layers:
                if isinstance(layer, nn.Conv2d):
                    parametrize.register_parametrization(layer, "weight", SpectralNorm(layer.weight, generator))

    def checked(self, x: Tensor) -> Tensor:
        """x itself, if it is a batch of images that D takes, `[n, 1, 28, 28]`; else raises ValueError."""
        if x.ndim != 4 or x.shape[1:] != (1, 28, 28):
            raise ValueError(f"images must have shape [n, 1, 28, 28], not {list(x.shape)}")
        low, high = (value.item() for value in x.aminmax())
        if not (low >= -1 and high <= 1):  # NaN compares false
            raise ValueError(f"images must lie in [−1, 1], as G's tanh makes them; these reach from {low:.4g} to "
                             f"{high:.4g}: use MNIST.floats(-1, 1), or x / 127.5 − 1 for bytes")
        return x

    def features(self, x: Tensor) -> Tensor:
        """What the last layer sees of each image, `[n, 2·width·7·7]`; with one layer more `[n, 4·width·4·4]`."""
        return self.layers[:-1](self.checked(x))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers.logit(self.features(x)).squeeze(1).to(x.dtype)


class Dropout(nn.Module):
    """In training mode sets a random part p of the numbers, of any shape, to 0 and divides the others by 1 − p.

    nn.Dropout does the same, but draws from torch's global generator, and so a run could not be repeated.
    """

    def __init__(self, p: float, generator: torch.Generator) -> None:
        super().__init__()
        self.p, self.generator = p, generator

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        kept = torch.rand(x.shape, generator=self.generator).to(x.device) >= self.p
        return x * kept / (1 - self.p)


class SpectralNorm(nn.Module):
    """W / σ(W), where σ(W) is the largest singular value of W `[outputs, …]` as a matrix of one row an output.

    Power iteration: v ← Wᵀu / ‖Wᵀu‖, u ← Wv / ‖Wv‖ turn towards the singular vectors, and σ = uᵀWv. As W moves little
    in a step, one round each time that W is used in training mode is enough. The layer then stretches no input by
    more than a small factor, so how fast D's features can change is bounded.
    """

    def __init__(self, weight: Tensor, generator: torch.Generator, first_rounds: int = 15) -> None:
        super().__init__()
        self.register_buffer("u", F.normalize(torch.randn(len(weight), generator=generator), dim=0))
        self.register_buffer("v", torch.empty(weight[0].numel()))
        for _ in range(first_rounds):
            self.turn(weight.detach().flatten(1))

    def turn(self, W: Tensor) -> None:
        """One round of power iteration on W `[outputs, inputs]`; new tensors, since an earlier forward pass may still
        need the old ones."""
        self.v = F.normalize(torch.mv(W.T, self.u), dim=0)
        self.u = F.normalize(torch.mv(W, self.v), dim=0)

    def forward(self, weight: Tensor) -> Tensor:
        W = weight.flatten(1)
        if self.training:
            self.turn(W.detach())
        return weight / torch.dot(self.u, torch.mv(W, self.v))


class LayerShape(NamedTuple):
    """What leaves a layer (without the batch), and how many parameters the layer has."""

    name: str
    shape: tuple[int, ...]
    parameters: int


@torch.no_grad()
def shapes(network: Generator | Discriminator) -> list[LayerShape]:
    """Name, output shape and number of parameters of each layer, in order, starting with the input."""
    shape = (1, network.latent_size) if isinstance(network, Generator) else (1, 1, 28, 28)
    x = torch.zeros(shape, device=device_of(network))
    training = network.training
    network.eval()  # so that looking leaves batch norm's statistics alone
    rows = [LayerShape("input", tuple(x.shape[1:]), 0)]
    for name, layer in network.layers.named_children():
        x = layer(x)
        rows.append(LayerShape(name, tuple(x.shape[1:]), sum(p.numel() for p in layer.parameters())))
    network.train(training)
    return rows


def noise(n: int, generator: torch.Generator, latent_size: int = LATENT_SIZE) -> Tensor:
    """z ~ N(0, I), `[n, latent_size]`."""
    return torch.randn(n, latent_size, generator=generator)


def check_noise(z: Tensor, latent_size: int) -> None:
    """Raises ValueError unless z has shape `[n, latent_size]`."""
    if z.ndim != 2 or z.shape[1] != latent_size:
        raise ValueError(f"noise must have shape [n, {latent_size}], not {list(z.shape)}")


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor, smoothing: float = 0.0) -> Tensor:
    """Mean over the batch of the cross-entropy of 'real' and of 'generated', added, in nats; 2·log 2 at logits of 0.

    Logits `[n]`, loss 0-d.

    With `smoothing` ε the target for real images is 1 − ε: then being ever surer of them no longer pays for D, as
        −(1 − ε) log σ(a) − ε log(1 − σ(a)) = softplus(−a) + ε·a
    is least where σ(a) = 1 − ε. Generated images keep the target 0.
    """
    return (F.softplus(-real_logits) + smoothing * real_logits + F.softplus(fake_logits)).mean()


def generator_loss(fake_logits: Tensor) -> Tensor:
    """Mean over a batch of logits `[n]` of −log D(G(z)), 0-d in nats: the non-saturating loss; log 2 at logits of 0."""
    return F.softplus(-fake_logits).mean()


def _preset(name: str) -> Preset:
    if name not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, not {name!r}")
    return PRESETS[name]


def _initialise(network: nn.Module, preset: str, generator: torch.Generator) -> None:
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            if PRESETS[preset].weight_std:
                nn.init.normal_(layer.weight, std=PRESETS[preset].weight_std, generator=generator)
            else:
                nn.init.xavier_uniform_(layer.weight, generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
