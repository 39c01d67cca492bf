"""How many of the ring's eight modes do the 2-D GANs cover? The committed seeds, scored at the last step.

    python benchmarks/gan2d_seeds.py [--seeds 8] [--only WORD] [--record]

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
from pathlib import Path

import torch

from course_lib.commands.console import survive_any_encoding
from course_lib.comparisons.ring_seeds import RecordRow, record, score, train_and_record
from course_lib.experiments.gan2d import GAN2DHyperparameters
from course_lib.models.gan2d import VARIANTS

ROWS = {variant: GAN2DHyperparameters(variant=variant) for variant in VARIANTS}


def evaluation_seeds() -> list[int]:
    lines = (Path(__file__).parent / "evaluation_seeds_gan2d.txt").read_text(encoding="utf-8").splitlines()
    return [int(line) for line in lines if not line.startswith("#")]


def rounded(value: float) -> float | None:
    return round(value, 2) if math.isfinite(value) else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8, help="how many of the evaluation seeds")
    parser.add_argument("--only", default="", help="only this variant")
    parser.add_argument("--record", action="store_true", help="keep the result in data/records")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name, setting in ROWS.items():
        if arguments.only not in ("", name):
            continue
        seeds, start = evaluation_seeds()[:arguments.seeds], time.process_time()
        games = [train_and_record(setting, seed) for seed in seeds]
        seconds = (time.process_time() - start) / len(seeds)
        scores = [score(experiment) for experiment, _ in games]
        tracks = [rounded(course.tracks()) for _, course in games]
        late = [rounded(course.tracks(begin=0.5)) for _, course in games]
        frechet = [rounded(course.tracks("frechet")) for _, course in games]
        row = RecordRow(dataclasses.asdict(setting), seeds, [s.covered for s in scores], [round(s.near,
                                                                                                4) for s in scores],
                  tracks, late, frechet, round(seconds, 1))
        every, good = sum(s.covered == 8 for s in scores), sum(s.covered == 8 and s.near >= 0.9 for s in scores)
        print(f"{name:<9}all 8 and 90% near {good}/{len(seeds)}   all 8 {every}/{len(seeds)}   covered "
              f"{' '.join(map(str, row.covered))}   near {' '.join(f'{n:.2f}' for n in row.near)}   D's loss tracks JS "
              f"{' '.join(map(str, tracks))}   in the second half {' '.join(map(str, late))}   the Fréchet distance "
              f"{' '.join(map(str, frechet))}   {seconds:.0f} CPU s a seed", flush=True)
        if arguments.record:
            record(name, row)


if __name__ == "__main__":
    survive_any_encoding()
    main()
