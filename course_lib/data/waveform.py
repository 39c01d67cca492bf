"""A synthetic sound, a melody of plucked strings, and its amplitudes as classes by the μ-law.

References:
    ITU-T Recommendation G.711, Pulse Code Modulation of Voice Frequencies, 1988: the μ-law.
    A. van den Oord et al., WaveNet: A Generative Model for Raw Audio, 2016, section 2.2: its use here.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

RATE = 4000  # samples a second
NOTE_LENGTH = 800  # samples: a fifth of a second
SCALE = (0, 2, 4, 7, 9, 12)  # half tones above the lowest note
LOWEST = 220.0  # hertz


def melody(notes: int, generator: torch.Generator) -> Tensor:
    """A melody of so many notes, float32 `[800·notes]` within −1 and 1, at 4,000 samples a second.

    From note to note the melody stays or goes one step up or down a scale of six notes from 220 to 440 Hz. A note is
    four harmonics of random phase that fade away, and a little noise.
    """
    steps = torch.randint(-1, 2, (notes,), generator=generator).cumsum(0) + len(SCALE) // 2
    place = (steps % (2 * len(SCALE) - 2) - (len(SCALE) - 1)).abs()  # it turns round at both ends
    frequency = LOWEST * 2 ** (torch.tensor(SCALE)[place].to(torch.float64) / 12)
    harmonic = torch.arange(1, 5)
    phase = 2 * math.pi * torch.rand(notes, 1, len(harmonic), generator=generator, dtype=torch.float64)
    t = torch.arange(NOTE_LENGTH, dtype=torch.float64)[None, :, None] / RATE
    waves = torch.sin(2 * math.pi * frequency[:, None, None] * harmonic * t + phase)
    fading = torch.exp(-t * harmonic * 6) * harmonic.to(torch.float64) ** -1.0
    sound = 0.48 * (waves * fading).sum(2).flatten()  # 1 + 1/2 + 1/3 + 1/4 times this is 1
    noise = 0.002 * torch.randn(len(sound), generator=generator, dtype=torch.float64)
    return (sound + noise).clamp(-1, 1).to(torch.float32)


def mu_law_encode(x: Tensor, n_classes: int = 256) -> Tensor:
    """Amplitudes `[…]` from −1 to 1 as classes 0 … N−1, int64 `[…]`, finer around 0: with μ = N − 1,
        y = sign(x) · log(1 + μ|x|) / log(1 + μ),  cut into N equal intervals of [−1, 1].

    Raises:
        ValueError: amplitudes beyond −1 and 1.
    """
    if x.numel() and not x.abs().max() <= 1:
        raise ValueError(f"amplitudes must lie within -1 and 1, these reach {x.abs().max():.4g}")
    mu = n_classes - 1
    y = x.sign() * torch.log1p(mu * x.abs()) / math.log1p(mu)
    return ((y + 1) / 2 * n_classes).long().clamp(max=n_classes - 1)


def mu_law_decode(k: Tensor, n_classes: int = 256) -> Tensor:
    """The amplitudes in the middle of the intervals of classes `[…]`, float32 `[…]`: the inverse of `mu_law_encode` up
    to rounding."""
    mu = n_classes - 1
    y = (2 * k.to(torch.float32) + 1) / n_classes - 1
    return y.sign() * torch.expm1(y.abs() * math.log1p(mu)) / mu
