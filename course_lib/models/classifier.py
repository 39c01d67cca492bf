"""A small convolutional network that tells digits apart, and whose features measure likeness.

One trained classifier serves the whole course, so that 'how digit-like?' means the same in every notebook. Convolutions
and pooling after Y. LeCun et al., *Gradient-Based Learning Applied to Document Recognition*, Proc. IEEE 86 (1998).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from course_lib.models.layers import check_images, init_layer
from course_lib.validation import float_tensor, possible

FEATURES = 64
PART = 125  # images that are judged at a time: 16 planes of each are held at once, 50 kB


class Classifier(nn.Module):
    """Two times convolution 3x3 → ReLU → pooling 2x2, a hidden layer of 64 features, and logits of the ten digits.

    Images are 28x28 with pixels in [0, 1], as `[n, 784]`, `[n, 28, 28]` or `[n, 1, 28, 28]`. All methods raise
    ValueError for others.
    """

    def __init__(self, *, generator: torch.Generator) -> None:
        super().__init__()
        self.body = nn.Sequential(
            init_layer(nn.Conv2d, 1, 16, 3, padding=1, generator=generator), nn.ReLU(), nn.MaxPool2d(2),
            init_layer(nn.Conv2d, 16, 32, 3, padding=1, generator=generator), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), init_layer(nn.Linear, 32 * 7 * 7, FEATURES, generator=generator), nn.ReLU())
        self.head = init_layer(nn.Linear, FEATURES, 10, generator=generator)

    def features(self, x: Tensor) -> Tensor:
        """What the last layer sees, `[n, 64]`, not negative."""
        if x.shape[1:] in ((28, 28), (1, 28, 28)):
            x = x.flatten(1)
        check_images(x, 784)
        return self.body(x.reshape(-1, 1, 28, 28)).to(x.dtype)  # autocast may have computed in bfloat16

    def forward(self, x: Tensor) -> Tensor:
        """Logits `[n, 10]`."""
        return self.head(self.features(x)).to(x.dtype)

    def log_posterior(self, x: Tensor) -> Tensor:
        """log p(y | x), `[n, 10]`, as this network sees it: it is sure of itself even on what is no digit.

        Raises ValueError also for a network that has diverged.
        """
        return self._decided(x).log_softmax(-1)

    def predict(self, x: Tensor) -> Tensor:
        """The most probable digit of each image, int64 `[n]`. Raises as `log_posterior`."""
        return self._decided(x).argmax(-1)

    def _decided(self, x: Tensor) -> Tensor:
        x = float_tensor(x, "images", whole=False).to(self.head.weight.dtype)
        return possible(torch.cat([self(part) for part in x.split(PART)]), "a digit")
