"""The ring with each game's own settings swept: the record that benchmarks/ring_sweep.py writes and notebook 09b shows.

Every variant meets the same learning rates and, where it has a penalty, the same weights of it, on a seed that is used
for nothing else. The setting with the smallest Jensen–Shannon divergence then plays the committed seeds, and R3GAN's
also without its loss of pairs.

Reference:
    Y. Huang et al., The GAN is dead; long live the GAN! A Modern GAN Baseline, NeurIPS 2024: section 2.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from course_lib.comparisons.ring_seeds import score
from course_lib.comparisons.runs import read_record
from course_lib.experiments.gan2d import GAN2DExperiment, GAN2DHyperparameters, run_with_decay
from course_lib.files import require_folder

RECORD = Path(__file__).resolve().parents[2] / "data" / "records" / "ring_sweep.jsonl"
VARIANTS = ("vanilla", "R1", "R3GAN")
RATES, PENALTIES, STEPS = (1e-3, 4e-3), (0.1, 1.0), 1500
TUNING_SEEDS = (0,)
Setting = dict[str, str | float]


def settings_of(variant: str) -> list[Setting]:
    """The settings that a variant is tried with: learning rates of both players, and weights of its penalty."""
    penalties = ({},) if variant == "vanilla" else tuple({"penalty": weight} for weight in PENALTIES)
    return [{"variant": variant, "learning_rate": rate, **penalty} for rate in RATES for penalty in penalties]


def play(variant: str, learning_rate: float, seed: int, steps: int = STEPS, **penalty: float) -> dict[str, float]:
    """One game, after `run_with_decay`: modes covered, the share near a mode, and js in nats, all of G with its
    averaged weights."""
    rates = {"learning_rate_d": learning_rate, "learning_rate_g": learning_rate}
    game = GAN2DExperiment(GAN2DHyperparameters(variant=variant, **rates, **penalty), seed)
    for _ in run_with_decay(game, steps):
        pass
    found = score(game)
    return {"covered": found.covered, "near": round(found.near, 4), "js": round(game.quality(averaged=True)["js"], 4)}


def recorded(setting: Setting) -> dict[str, np.ndarray]:
    """Of one setting what `play` returns, and `seed`, each an array `[seeds]`, seeds in order.

    Raises:
        CourseFileError: the record is not there.
        KeyError: no game of this setting is in it.
    """
    require_folder(RECORD.parent)
    found = {run["seed"]: result for run, result in read_record(RECORD)
             if {name: value for name, value in run.items() if name != "seed"} == setting}
    if not found:
        raise KeyError(f"no game of {setting} is in the record")
    rows = [{"seed": seed, **found[seed]} for seed in sorted(found)]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def tuning(setting: Setting) -> dict[str, np.ndarray]:
    """`recorded`, arrays `[seeds]`, of the seeds on which settings are chosen."""
    rows = recorded(setting)
    return {name: values[np.isin(rows["seed"], TUNING_SEEDS)] for name, values in rows.items()}


def evaluated(setting: Setting) -> dict[str, np.ndarray]:
    """`recorded`, arrays `[seeds]`, of the committed seeds; empty where the setting was not chosen."""
    rows = recorded(setting)
    return {name: values[~np.isin(rows["seed"], TUNING_SEEDS)] for name, values in rows.items()}


def chosen(variant: str) -> Setting:
    """The setting of a variant with the smallest mean JS on the seeds of tuning."""
    return min(settings_of(variant), key=lambda setting: tuning(setting)["js"].mean())


def without_pairs() -> Setting:
    """R3GAN's setting for R1+R2, which is R3GAN but for its loss of pairs; it was not swept for itself."""
    return {**chosen("R3GAN"), "variant": "R1+R2"}
