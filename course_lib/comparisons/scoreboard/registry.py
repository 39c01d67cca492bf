"""Which families there are on which data, and after how many steps they are measured.

Steps are fixed numbers, so that a run repeats on any machine. They were chosen so that training takes about one and
five minutes of one processor here (on the 8x8 digits, which are few, 12 seconds and one minute); what it took stands in
the record.
"""

from __future__ import annotations

from typing import NamedTuple

from course_lib.comparisons.scoreboard import controls, counted, games, latent, noise, pixelwise
from course_lib.comparisons.scoreboard.family import Family
from course_lib.comparisons.scoreboard.pictures import PICTURES

BUDGETS = ("short", "long")


class Entry(NamedTuple):
    """A family on one data set.

    Attributes:
        kind: what it is there.
        short, long: steps; None where the budget is left out.
        why_not_long: if it is, why.
    """

    kind: type[Family]
    short: int
    long: int | None = None
    why_not_long: str = ""


NO_EXPERIMENT = "the course has no experiment of it on pictures of 28x28 pixels"
COUNTED = "it counts the training set once"
CONVERGED = "EM has come to rest"
NO_KL = "what time buys on sprites is told by the KL to the truth, which it has not"
UNCERTAIN = "its log p is an estimate, which is ever less certain the longer it is trained"
LIKE_THE_GAN = "what time does to a game is told by that without labels"
NOTHING = "there is nothing to train"

FAMILIES: dict[str, dict[str, Entry | str]] = {  # by name and data; a string says why there is none
    "naive Bayes": dict.fromkeys(PICTURES, Entry(counted.NaiveBayes, 1, None, COUNTED)),
    "mixture": dict.fromkeys(PICTURES, Entry(counted.Mixture, 30, None, CONVERGED)),
    "VAE": {"sprites": Entry(latent.SmallVAE, 20_000, 100_000), "digits8": Entry(latent.SmallVAE, 8000, 40_000),
            "mnist": Entry(latent.MNISTVAE, 7000, 35_000)},
    "VQ-VAE": {"sprites": Entry(latent.SmallVQ, 10_000, 50_000), "digits8": Entry(latent.SmallVQ, 4000, 20_000),
               "mnist": Entry(latent.MNISTVQ, 5000, 25_000)},
    "GAN": {"sprites": Entry(games.GAN, 10_000, 50_000), "digits8": Entry(games.GAN, 3000, 15_000),
            "mnist": Entry(games.GAN, 2500, 12_500)},
    "conditional GAN": {"sprites": Entry(games.ConditionalGAN, 10_000, 50_000),
                        "digits8": Entry(games.ConditionalGAN, 3000, 15_000),
                        "mnist": Entry(games.ConditionalGAN, 3000, 15_000)},
    "MADE": {"sprites": Entry(pixelwise.MADEFamily, 12_000, 60_000),
             "digits8": Entry(pixelwise.MADEFamily, 6000, 30_000), "mnist": NO_EXPERIMENT},
    "PixelCNN": {"sprites": Entry(pixelwise.PixelCNN, 1500, 7500),
                 "digits8": Entry(pixelwise.SmallPixelCNN, 1500, 7500),
                 "mnist": Entry(pixelwise.PixelCNN, 300, 1500)},
    "Row LSTM": {"sprites": Entry(pixelwise.RowLSTMFamily, 4000, 20_000),
                 "digits8": Entry(pixelwise.SmallRowLSTM, 1500, 7500),
                 "mnist": Entry(pixelwise.RowLSTMFamily, 2000, 10_000)},
    "transformer": {"sprites": Entry(pixelwise.Transformer, 4000, 20_000),
                    "digits8": Entry(pixelwise.SmallTransformer, 1000, 5000),
                    "mnist": Entry(pixelwise.Transformer, 1500, 7500)},
    "masked diffusion": {"sprites": Entry(pixelwise.MaskedDiffusion, 3000, 15_000),
                         "digits8": Entry(pixelwise.SmallMaskedDiffusion, 1000, 5000), "mnist": NO_EXPERIMENT},
    "flow": {"sprites": Entry(latent.FlowFamily, 5000, 25_000), "digits8": Entry(latent.FlowFamily, 1500, 7500),
             "mnist": NO_EXPERIMENT},
    "RBM": {"sprites": Entry(latent.Machine, 15_000, 75_000), "digits8": Entry(latent.Machine, 10_000, 50_000),
            "mnist": NO_EXPERIMENT},
    "denoising chain": {"sprites": Entry(latent.Chain, 12_000, 60_000), "digits8": Entry(latent.Chain, 6000, 30_000),
                        "mnist": NO_EXPERIMENT},
    "MMD": {"sprites": Entry(games.MMD, 5000, 25_000), "digits8": Entry(games.MMD, 2000, 10_000),
            "mnist": NO_EXPERIMENT},
    "diffusion": {"sprites": Entry(noise.BitsDiffusion, 12_000, 60_000),
                  "digits8": Entry(noise.BitsDiffusion, 5000, 25_000),
                  "mnist": Entry(noise.MNISTDiffusion, 600, 3000)},
    "flow matching": {"sprites": Entry(noise.BitsFlowMatching, 12_000, 60_000),
                      "digits8": Entry(noise.BitsFlowMatching, 5000, 25_000),
                      "mnist": Entry(noise.MNISTFlowMatching, 600, 3000)},
}
CONTROLS: dict[str, dict[str, Entry | str]] = {
    "truth": {"sprites": Entry(controls.Truth, 0, None, NOTHING),
              **dict.fromkeys(("digits8", "mnist"), "nobody knows the distribution of real digits")},
    "held out": {"sprites": "fresh draws of the truth are held out",
                 "digits8": "all that are held out are the reference",
                 "mnist": Entry(controls.HeldOut, 0, None, NOTHING)},
    **{name: dict.fromkeys(PICTURES, Entry(kind, 0, None, NOTHING)) for name, kind in (
        ("copier", controls.Copier), ("shifted copier", controls.ShiftedCopier),
        ("mean picture", controls.MeanPicture), ("exact denoiser", controls.ExactDenoiser))},
}
ALL = FAMILIES | CONTROLS


def entry(family: str, data: str) -> Entry:
    """A family or control on a data set.

    Raises:
        KeyError: no such family or data set.
        ValueError: there is none, and why.
    """
    found = ALL[family][data]
    if isinstance(found, str):
        raise ValueError(f"there is no {family} on {data}: {found}")
    return found


def steps_of(family: str, data: str, budget: str) -> int | None:
    """Steps of training; None where this budget is left out. Raises as `entry`, and ValueError for another budget."""
    if budget not in BUDGETS:
        raise ValueError(f"a budget is one of {', '.join(BUDGETS)}, not {budget!r}")
    return getattr(entry(family, data), budget)


def made(family: str, data: str, steps: int, seed: int) -> Family:
    """A family or control with its first weights. Raises as `entry`."""
    return entry(family, data).kind(PICTURES[data], steps, seed)
