"""How many of the ring's eight modes do the 2-D GANs cover? The committed seeds, scored at the last step.

    python benchmarks/gan2d_seeds.py [--seeds 8] [--only WORD] [--record] [--results FILE] [--scheduler ADDRESS]

A mode is covered if at least 1/24 of the samples lie within 3σ of it; a perfect sampler has .989 near a mode. The seeds
in evaluation_seeds_gan2d.txt were committed before anything was tuned; the settings were chosen on seeds 0 to 9. Each
seed is scored on 10,000 samples of G with its averaged weights. Time is the CPU's, one thread. `--record` writes what
notebook 09b shows.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import time
from typing import Any

import torch
from common.seeds import evaluation_seeds

from course_lib.commands.console import survive_any_encoding
from course_lib.comparisons.ring_seeds import RecordRow, record, score, train_and_record
from course_lib.comparisons.runs import add_options, map_runs
from course_lib.experiments.gan2d import GAN2DHyperparameters

ROWS = {variant: GAN2DHyperparameters(variant=variant) for variant in ("vanilla", "R1", "WGAN", "WGAN-GP")}


def rounded(value: float) -> float | None:
    return round(value, 2) if math.isfinite(value) else None


def play(variant: str, seed: int) -> dict[str, Any]:
    """One game, scored: what a `RecordRow` has of a seed."""
    torch.set_num_threads(1)
    start = time.process_time()
    experiment, course = train_and_record(ROWS[variant], seed)
    scores = score(experiment)
    return {"covered": scores.covered, "near": round(scores.near, 4), "tracks": rounded(course.tracks()),
            "late": rounded(course.tracks(begin=0.5)), "frechet": rounded(course.tracks("frechet")),
            "seconds": time.process_time() - start}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8, help="how many of the evaluation seeds")
    parser.add_argument("--only", default="", help="only this variant")
    parser.add_argument("--record", action="store_true", help="keep the result in data/records")
    add_options(parser)
    arguments = parser.parse_args()
    seeds = evaluation_seeds("evaluation_seeds_gan2d.txt")[:arguments.seeds]
    names = [name for name in ROWS if arguments.only in ("", name)]
    games = map_runs(play, [{"variant": name, "seed": seed} for name in names for seed in seeds], arguments.results,
                     arguments.scheduler, arguments.workers)
    for i, name in enumerate(names):
        column = {key: [game[key] for game in games[i * len(seeds):(i + 1) * len(seeds)]] for key in games[0]}
        seconds = sum(column.pop("seconds")) / len(seeds)
        row = RecordRow(dataclasses.asdict(ROWS[name]), seeds, *column.values(), round(seconds, 1))
        every = sum(covered == 8 for covered in row.covered)
        good = sum(covered == 8 and near >= 0.9 for covered, near in zip(row.covered, row.near, strict=True))
        print(f"{name:<9}all 8 and 90% near {good}/{len(seeds)}   all 8 {every}/{len(seeds)}   covered "
              f"{' '.join(map(str, row.covered))}   near {' '.join(f'{n:.2f}' for n in row.near)}   D's loss tracks JS "
              f"{' '.join(map(str, column['tracks']))}   in the second half {' '.join(map(str, column['late']))}   the "
              f"Fréchet distance {' '.join(map(str, column['frechet']))}   {seconds:.0f} CPU s a seed", flush=True)
        if arguments.record:
            record(name, row)


if __name__ == "__main__":
    survive_any_encoding()
    main()
