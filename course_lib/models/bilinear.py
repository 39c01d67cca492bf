"""The smallest game: x wants V(x, y) = x·y small, y wants it large. Its one Nash equilibrium is (0, 0).

Each player descends with step size η and each update is linear, so with w = x + iy everything is known exactly:

    simultaneous   w ← (1 + iη) w                            |w|² grows by 1 + η² a step, for every η
    alternating    x moves, then y answers the new x         x² + y² − ηxy never changes: an ellipse if η < 2
    extragradient  look one step ahead, step from here       |w|² shrinks by 1 − η² + η⁴ if 0 < η < 1, best at η² = ½

References:
    G. Korpelevich, The extragradient method for finding saddle points and other problems, 1976.
    I. Goodfellow, NIPS 2016 Tutorial: Generative Adversarial Networks, section 8.2 (this game).
    G. Gidel et al., A Variational Inequality Perspective on GANs, ICLR 2019, section 2 (the three methods on it).
"""

from __future__ import annotations

import numpy as np

METHODS = ("simultaneous", "alternating", "extragradient")


def step(x: float, y: float, eta: float, method: str) -> tuple[float, float]:
    """Both players' next place. Raises ValueError for an unknown method."""
    if method == "simultaneous":
        return x - eta * y, y + eta * x
    if method == "alternating":
        x = x - eta * y
        return x, y + eta * x
    if method == "extragradient":
        ahead_x, ahead_y = x - eta * y, y + eta * x
        return x - eta * ahead_y, y + eta * ahead_x
    raise ValueError(f"method must be one of {', '.join(METHODS)}, not {method!r}")


def path(x: float, y: float, eta: float, method: str, steps: int) -> np.ndarray:
    """The places visited from (x, y) on, `[steps + 1, 2]`."""
    places = [(x, y)]
    for _ in range(steps):
        places.append(step(*places[-1], eta, method))
    return np.array(places)
