"""FastICA: sources found up to order and sign, as scikit-learn finds them; none found among Gaussians."""

import math

import pytest
import torch
from sklearn.decomposition import FastICA

from course_lib.measure import amari_error
from course_lib.models.ica import decorrelate, fast_ica, whitening


def mixed(seed, n=10_000, gaussian=False):
    generator = torch.Generator().manual_seed(seed)
    u = 2 * torch.rand(n, 4, generator=generator, dtype=torch.float64) - 1
    z = torch.stack([u[:, 0], u[:, 1] ** 3, torch.sin(math.pi * u[:, 2]), torch.atanh(u[:, 3])], dim=1)
    if gaussian:
        z = torch.randn(n, 4, generator=generator, dtype=torch.float64)
    A = torch.randn(4, 4, generator=generator, dtype=torch.float64)
    return z, A, z @ A.T + 3


@pytest.mark.parametrize("seed", range(5))
def test_sources_are_found_as_by_scikit_learn(seed):
    z, A, x = mixed(seed)
    found = fast_ica(x, torch.Generator().manual_seed(seed))
    peer = FastICA(4, whiten="unit-variance", tol=1e-6, max_iter=500, random_state=seed).fit(x.numpy())
    assert found.converged and amari_error(found.W, A) < 0.02
    assert amari_error(found.W, torch.linalg.pinv(torch.from_numpy(peer.components_))) < 1e-3
    sources = found.sources(x)
    assert torch.allclose(sources.T.cov(correction=0), torch.eye(4, dtype=x.dtype), atol=1e-8)
    assert torch.corrcoef(torch.cat([z, sources], dim=1).T)[:4, 4:].abs().amax(dim=1).min() > 0.995


def test_gaussian_sources_are_not_found():
    errors = [amari_error(fast_ica(x, torch.Generator().manual_seed(0), rounds=60).W, A)
              for _, A, x in (mixed(seed, gaussian=True) for seed in range(5))]
    assert sorted(errors)[2] > 0.2


def test_whitening_makes_the_covariance_the_identity_or_says_why_it_cannot():
    _, _, x = mixed(0)
    white = (x - x.mean(dim=0)) @ whitening(x - x.mean(dim=0)).T
    assert torch.allclose(white.T.cov(correction=0), torch.eye(4, dtype=x.dtype), atol=1e-9)
    with pytest.raises(ValueError, match="fewer dimensions than they have coordinates"):
        fast_ica(torch.cat([x, x[:, :1]], dim=1), torch.Generator())
    with pytest.raises(ValueError, match=r"shape \[n, D\], not \[4\]"):
        fast_ica(torch.zeros(4), torch.Generator())


def test_decorrelating_is_the_inverse_root():
    W = torch.randn(5, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    values, E = torch.linalg.eigh(W @ W.T)
    assert torch.allclose(decorrelate(W), E @ (E / values.sqrt()).T @ W)
    assert torch.allclose(decorrelate(W) @ decorrelate(W).T, torch.eye(5, dtype=W.dtype), atol=1e-10)


def test_too_few_rounds_are_told():
    assert not fast_ica(mixed(0)[2], torch.Generator().manual_seed(0), rounds=1).converged
