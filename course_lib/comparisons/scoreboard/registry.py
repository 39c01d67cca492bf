"""Which families there are on which data, and after how many steps they are measured.

Steps are fixed numbers, so that a run repeats on any machine. They were chosen so that training takes about one and
five minutes of one processor here (on the 8x8 digits, which are few, 12 seconds and one minute); what it took stands in
the record. The long time is left out where it would tell least, so that three seeds of all take four hours of two
cores.
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
    "VAE": {"sprites": Entry(latent.SmallVAE, 12_000, 60_000), "digits8": Entry(latent.SmallVAE, 6000, 30_000),
            "mnist": Entry(latent.MNISTVAE, 7500, 37_500)},
    "convolutional VAE": {"sprites": "its kernels are for pictures of one channel, these have sixteen colours",
                          "digits8": Entry(latent.ConvolutionalVAEFamily, 4000, 20_000),
                          "mnist": Entry(latent.ConvolutionalVAEFamily, 3000, 15_000)},
    "VQ-VAE": {"sprites": Entry(latent.SmallVQ, 6500, 32_500), "digits8": Entry(latent.SmallVQ, 2300, 11_500),
               "mnist": Entry(latent.MNISTVQ, 2300, 11_500)},
    "GAN": {"sprites": Entry(games.GAN, 13_000, None, NO_KL), "digits8": Entry(games.GAN, 2500, 12_500),
            "mnist": Entry(games.GAN, 1500, 7500)},
    "conditional GAN": {"sprites": Entry(games.ConditionalGAN, 12_000, None, NO_KL),
                        "digits8": Entry(games.ConditionalGAN, 2500, 12_500),
                        "mnist": Entry(games.ConditionalGAN, 1500, None, LIKE_THE_GAN)},
    "MADE": {"sprites": Entry(pixelwise.MADEFamily, 18_000, 90_000),
             "digits8": Entry(pixelwise.MADEFamily, 9000, 45_000), "mnist": NO_EXPERIMENT},
    "PixelCNN": {"sprites": Entry(pixelwise.PixelCNN, 2200, 11_000),
                 "digits8": Entry(pixelwise.SmallPixelCNN, 500, 2500), "mnist": Entry(pixelwise.PixelCNN, 900, 4500)},
    "Row LSTM": {"sprites": Entry(pixelwise.RowLSTMFamily, 5000, 25_000),
                 "digits8": Entry(pixelwise.SmallRowLSTM, 600, 3000),
                 "mnist": Entry(pixelwise.RowLSTMFamily, 1400, 7000)},
    "transformer": {"sprites": Entry(pixelwise.Transformer, 3800, 19_000),
                    "digits8": Entry(pixelwise.SmallTransformer, 500, 2500),
                    "mnist": Entry(pixelwise.Transformer, 700, 3500)},
    "masked diffusion": {"sprites": Entry(pixelwise.MaskedDiffusion, 2400, 12_000),
                         "digits8": Entry(pixelwise.SmallMaskedDiffusion, 600, 3000), "mnist": NO_EXPERIMENT},
    "flow": {"sprites": Entry(latent.FlowFamily, 5000, 25_000), "digits8": Entry(latent.FlowFamily, 1300, 6500),
             "mnist": NO_EXPERIMENT},
    "RBM": {"sprites": Entry(latent.LargeMachine, 35_000, None, UNCERTAIN),
            "digits8": Entry(latent.Machine, 16_000, 80_000), "mnist": NO_EXPERIMENT},
    "denoising chain": {"sprites": Entry(latent.Chain, 17_000, None, NO_KL),
                        "digits8": Entry(latent.Chain, 5000, 25_000), "mnist": NO_EXPERIMENT},
    "MMD": {"sprites": Entry(games.MMD, 3000, None, NO_KL), "digits8": Entry(games.MMD, 1300, 6500),
            "mnist": NO_EXPERIMENT},
    "diffusion": {"sprites": Entry(noise.BitsDiffusion, 10_000, 50_000),
                  "digits8": Entry(noise.BitsDiffusion, 3500, 17_500), "mnist": Entry(noise.MNISTDiffusion, 750, 3750)},
    "flow matching": {"sprites": Entry(noise.BitsFlowMatching, 10_000, 50_000),
                      "digits8": Entry(noise.BitsFlowMatching, 3500, 17_500),
                      "mnist": Entry(noise.MNISTFlowMatching, 750, 3750)},
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


def cell(family: str, data: str) -> Entry | str:
    """A family or control on a data set, or why there is none. Raises KeyError for no such family or data set."""
    for name, known in ((family, ALL), (data, PICTURES)):
        if name not in known:
            raise KeyError(f"the scoreboard has no {name!r}; known: {', '.join(known)}")
    return ALL[family][data]


def entry(family: str, data: str) -> Entry:
    """A family or control on a data set.

    Raises:
        KeyError: no such family or data set.
        ValueError: there is none, and why.
    """
    found = cell(family, data)
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
