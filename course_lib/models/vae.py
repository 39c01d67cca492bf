"""The variational autoencoder: p(x) = ∫ p(x | z) p(z) dz, trained through a bound on log p(x).

    p(z) = N(0, I)                                 prior
    p(x | z): pixels independent given z           decoder, the generative model
    q(z | x) = N(z; m(x), diag s²(x))              encoder, the approximate posterior

    log p(x) ≥ E_q log p(x | z) − KL(q(z | x) ‖ p(z))                                   the ELBO
    log p(x) ≥ E log 1/k Σ_i p(x, z_i) / q(z_i | x), z_1 … z_k ~ q(z | x)               tighter for every larger k

All logarithms are natural and all bounds are in nats: sums over pixels, one number for each image.

References:
    D. P. Kingma, M. Welling, Auto-Encoding Variational Bayes, ICLR 2014: the bound (eq. 3), z = m + s·ε (section 2.4,
        where they are μ and σ), the closed form of KL (appendix B), both kinds of decoder (appendix C).
    D. J. Rezende, S. Mohamed, D. Wierstra, Stochastic Backpropagation, ICML 2014: filling in missing pixels.
    Y. Burda, R. Grosse, R. Salakhutdinov, Importance Weighted Autoencoders, ICLR 2016: eq. 8, theorem 1.
    D. P. Kingma et al., Improved Variational Inference with Inverse Autoregressive Flow, NIPS 2016: free bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.deprecated import old_keywords, old_members
from course_lib.models.layers import check_images, mlp

LIKELIHOODS = ("bernoulli", "gaussian")


@old_members(m="mu")
class Elbo(NamedTuple):
    """The terms of the bound for each image, in nats.

    Attributes:
        reconstruction: log p(x | z) at one z ~ q(z | x), summed over pixels, `[n]`.
        kl_per_dimension: KL(q(z_i | x) ‖ p(z_i)) of each latent dimension, `[n, latent_size]`.
        mu, log_var: m and log s² of q(z | x), `[n, latent_size]`.
    """

    reconstruction: Tensor
    kl_per_dimension: Tensor
    mu: Tensor
    log_var: Tensor

    @property
    def kl(self) -> Tensor:
        """KL(q(z | x) ‖ p(z)), `[n]`: q and p are products over the dimensions, so their KLs add up."""
        return self.kl_per_dimension.sum(-1)

    @property
    def value(self) -> Tensor:
        """The bound, reconstruction − KL, `[n]`. Its mean over images is what is reported."""
        return self.reconstruction - self.kl


def weighted_loss(terms: Elbo, beta: float = 1.0, free_nats: float = 0.0) -> Tensor:
    """−reconstruction + β Σ_i max(KL_i, free_nats), 0-d, where each term is first averaged over the images.

    β = 1 without free nats is −ELBO. A dimension whose mean KL lies below `free_nats` costs the same whatever it is, so
    nothing presses it further down (free bits, Kingma et al., 2016).
    """
    return beta * terms.kl_per_dimension.mean(0).clamp(min=free_nats).sum() - terms.reconstruction.mean()


@old_members(draw_z="reparameterize", complete="inpaint", pixels="n_pixels")
@old_keywords(pixels="n_pixels")
class VAE(nn.Module):
    """Encoder D → widths → (m, log s²), ReLU between; the decoder is its mirror.

    Args:
        latent_size: dimensions of z.
        widths: units of the encoder's hidden layers; without any, encoder and decoder are linear.
        likelihood: 'bernoulli', p(x_j = 1 | z) = sigmoid(a_j), for images of zeros and ones; or 'gaussian',
            p(x_j | z) = N(a_j, σ_x²), with one learned variance for all pixels. a is the decoder's output.
        n_pixels: D, numbers in an image.
        generator: decides the first weights.

    Raises:
        ValueError: unknown likelihood. Methods raise it for images of another shape, with NaN, or (for 'bernoulli')
            outside [0, 1].
    """

    def __init__(self, latent_size: int, widths: Sequence[int] = (512, 256), likelihood: str = "bernoulli",
                 n_pixels: int = 784, *, generator: torch.Generator) -> None:
        super().__init__()
        if likelihood not in LIKELIHOODS:
            raise ValueError(f"likelihood must be one of {', '.join(LIKELIHOODS)}, not {likelihood!r}")
        self.latent_size, self.n_pixels, self.likelihood = latent_size, n_pixels, likelihood
        self.encoder, self.decoder = self._networks(widths, generator)
        if likelihood == "gaussian":
            self.log_var_x = nn.Parameter(torch.zeros(()))

    def _networks(self, widths: Sequence[int], generator: torch.Generator) -> tuple[nn.Module, nn.Module]:
        """`[n, D]` → `[n, 2 latent_size]`, and `[…, latent_size]` → `[…, D]`."""
        return (mlp([self.n_pixels, *widths, 2 * self.latent_size], generator),
                mlp([self.latent_size, *reversed(widths), self.n_pixels], generator))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """m and log s² of q(z | x), each `[n, latent_size]`, for images `[n, D]`."""
        check_images(x, self.n_pixels, unit_range=self.likelihood == "bernoulli")
        mu, log_var = self.encoder(x).to(x.dtype).chunk(2, dim=-1)  # autocast may have computed in bfloat16
        return mu, log_var

    def reparameterize(self, mu: Tensor, log_var: Tensor, generator: torch.Generator) -> Tensor:
        """z = m + s·ε, ε ~ N(0, I), `[…]` as mu and log_var: a draw from q(z | x) through which gradients reach m and
        s."""
        eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype).to(mu.device)
        return mu + (log_var / 2).exp() * eps

    def decode(self, z: Tensor) -> Tensor:
        """E[x | z] `[…, D]` for z `[…, latent_size]`: probabilities of ink, or means of a Gaussian."""
        a = self.decoder(z).to(z.dtype)
        return torch.sigmoid(a) if self.likelihood == "bernoulli" else a

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x | z), summed over pixels: `[…, n]` for x `[n, D]` and z `[…, n, latent_size]`."""
        a = self.decoder(z).to(z.dtype)
        if self.likelihood == "bernoulli":  # x log p + (1 − x) log(1 − p) at p = sigmoid(a), but p is never rounded
            return (x * a - F.softplus(a)).sum(-1)
        return -0.5 * ((x - a) ** 2 / self.log_var_x.exp() + self.log_var_x + math.log(2 * math.pi)).sum(-1)

    def elbo(self, x: Tensor, generator: torch.Generator) -> Elbo:
        """The ELBO of images `[n, D]`, its terms apart: one z an image, KL in closed form."""
        mu, log_var = self.encode(x)
        z = self.reparameterize(mu, log_var, generator)
        kl_per_dimension = 0.5 * (mu**2 + log_var.exp() - 1 - log_var)
        return Elbo(self.log_likelihood(x, z), kl_per_dimension, mu, log_var)

    def log_weights(self, x: Tensor, k: int, generator: torch.Generator) -> Tensor:
        """log p(x, z_i) − log q(z_i | x) for k draws z_i ~ q(z | x) of each image `[n, D]`: `[k, n]`.

        Each is an unbiased, noisy look at p(x): the mean of exp(log weight) is p(x).
        """
        mu, log_var = (t.expand(k, *t.shape) for t in self.encode(x))
        z = self.reparameterize(mu, log_var, generator)
        eps2 = (z - mu) ** 2 / log_var.exp()
        log_prior_over_q = 0.5 * (eps2 + log_var - z**2).sum(-1)  # both have the same (2π)^(−d/2)
        return self.log_likelihood(x, z) + log_prior_over_q

    def iw_bound(self, x: Tensor, k: int, generator: torch.Generator) -> Tensor:
        """log 1/k Σ_i p(x, z_i) / q(z_i | x) for k draws, `[n]`: its expectation is a bound on log p(x) `[n, D]`.

        With k = 1 that is the ELBO, with its KL estimated from the draw; it rises with k towards log p(x).
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}")
        return self.log_weights(x, k, generator).logsumexp(0) - math.log(k)

    def draw_x(self, z: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """x ~ p(x | z), and the mean E[x | z] that it was drawn from, each `[…, D]`, for z `[…, latent_size]`."""
        mean = self.decode(z)
        if self.likelihood == "bernoulli":
            return torch.bernoulli(mean.cpu(), generator=generator).to(mean.device), mean
        eps = torch.randn(mean.shape, generator=generator, dtype=mean.dtype).to(mean.device)
        return mean + (self.log_var_x / 2).exp() * eps, mean

    def sample(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Ancestral sampling: z ~ p(z), then x ~ p(x | z).

        Returns:
            x `[n, D]`, and the mean E[x | z] `[n, D]` that it was drawn from, which is what most papers show.
        """
        weight = next(self.decoder.parameters())
        z = torch.randn(n, self.latent_size, generator=generator, dtype=weight.dtype).to(weight.device)
        return self.draw_x(z, generator)

    def inpaint(self, x: Tensor, observed: Tensor, rounds: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Fill in hidden pixels by going round: z ~ q(z | x), hidden pixels of x ~ p(x | z), and so on.

        Were q the exact posterior this were Gibbs sampling of p(hidden | observed); so it is only near it.

        Args:
            x: images `[n, D]`; what stands in hidden pixels is where the walk begins.
            observed: mask `[D]` or `[n, D]`, one or True where a pixel is seen.
            rounds: how often to go round, at least once.

        Returns:
            the last x `[n, D]`, and the last E[x | z] in its hidden pixels with x in the seen ones.

        Raises:
            ValueError: a mask of another shape, or no rounds.
        """
        if observed.shape not in ((self.n_pixels,), x.shape):
            raise ValueError(f"observed must have shape [{self.n_pixels}] or {list(x.shape)}, "
                             f"not {list(observed.shape)}")
        if rounds < 1:
            raise ValueError(f"rounds must be at least 1, not {rounds}")
        seen = observed.bool()
        for _ in range(rounds):
            drawn, mean = self.draw_x(self.reparameterize(*self.encode(x), generator), generator)
            x, mean = torch.where(seen, x, drawn), torch.where(seen, x, mean)
        return x, mean
