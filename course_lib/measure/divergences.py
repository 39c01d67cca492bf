"""How far apart two densities are, by quadrature on a grid; and what the best discriminator between them says.

References:
    I. Goodfellow et al., Generative Adversarial Nets, NIPS 2014, section 4.1: Proposition 1 (the optimal D) and
        Theorem 1 (what the generator then minimises).
    J. Lin, Divergence measures based on the Shannon entropy, IEEE Trans. Information Theory 37(1), 1991.
"""

from __future__ import annotations

import numpy as np

from course_lib.validation import finite_result, float_array


def optimal_discriminator(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """D*(x) = p / (p + q), where p is the density of real and q that of generated numbers, each
    `[…]`; ½ where both are 0."""
    p, q = _densities(p, q)
    with np.errstate(over="ignore"):
        total = finite_result(p + q, "p / (p + q)")
    return np.divide(p, total, out=np.full_like(total, 0.5), where=total > 0)


@np.errstate(over="ignore", invalid="ignore")
def kl(p: np.ndarray, q: np.ndarray, grid: np.ndarray) -> float:
    """KL(p ‖ q) = ∫ p log(p/q) dx in nats of densities `[n]` on a grid `[n]`, by the trapezoid rule; infinite if q is 0
    where p is not.

    Far out in the tails a positive q is rounded to 0, so p must have more than 1e-12 of its mass there to count.

    Raises:
        ValueError: negative densities, NaN or infinite ones; unequal shapes; a grid that does not increase.
    """
    p, q, grid = _on_grid(p, q, grid)
    if np.trapezoid(np.where(q == 0, p, 0.0), grid) > 1e-12:
        return float("inf")
    log_ratio, inside = np.zeros_like(p), (p > 0) & (q > 0)
    log_ratio[inside] = np.log(p[inside]) - np.log(q[inside])  # the quotient itself may overflow
    return finite_result(float(np.trapezoid(p * log_ratio, grid)), "KL(p ‖ q)")


def js(p: np.ndarray, q: np.ndarray, grid: np.ndarray) -> float:
    """Jensen–Shannon divergence ½ KL(p ‖ m) + ½ KL(q ‖ m), m = (p + q)/2, in nats: from 0 (equal) to log 2 (disjoint).

    Densities and grid `[n]` as for `kl`. Raises ValueError as `kl` does.
    """
    p, q, grid = _on_grid(p, q, grid)
    m = p / 2 + q / 2
    return (kl(p, m, grid) + kl(q, m, grid)) / 2


def _densities(p: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    p, q = float_array(p, "p"), float_array(q, "q")
    if p.shape != q.shape:
        raise ValueError(f"the two densities must have one shape, not {p.shape} and {q.shape}")
    if not (np.all(p >= 0) and np.all(q >= 0)):
        raise ValueError("a density is nowhere negative")
    return p, q


def _on_grid(p: np.ndarray, q: np.ndarray, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    (p, q), grid = _densities(p, q), float_array(grid, "grid", ("n",), rows=2)
    if p.shape != grid.shape:
        raise ValueError(f"the densities need one number for each place of the grid, {list(grid.shape)}, not "
                         f"{list(p.shape)}")
    if not (np.diff(grid) > 0).all():
        raise ValueError("the grid must increase from one place to the next")
    return p, q, grid
