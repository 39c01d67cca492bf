"""The ring with each game's own learning rate and penalty swept, then played on the committed seeds.

    python benchmarks/ring_sweep.py [--seeds 8] [--scheduler ADDRESS] [--workers 1] [--results FILE] [--record]

Settings are chosen on seed 0; seeds of evaluation_seeds_gan2d.txt are played with the chosen one only. About six
minutes of one core. `--record` keeps each finished game in the record that notebook 09b reads, and goes on from
what is there; without it nothing is chosen, so it only plays.
"""

from __future__ import annotations

import argparse

import torch
from common.seeds import evaluation_seeds

from course_lib.commands.console import survive_any_encoding
from course_lib.comparisons.ring_sweep import (
    RECORD,
    TUNING_SEEDS,
    VARIANTS,
    chosen,
    play,
    settings_of,
    without_pairs,
)
from course_lib.comparisons.runs import add_options, map_runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8, help="how many of the evaluation seeds")
    add_options(parser)
    parser.set_defaults(workers=1)
    parser.add_argument("--record", action="store_true", help="keep the result in data/records")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    games = [{**setting, "seed": seed} for seed in TUNING_SEEDS for name in VARIANTS for setting in settings_of(name)]
    record = RECORD if arguments.record else arguments.results
    results = map_runs(play, games, record, arguments.scheduler, arguments.workers)
    if arguments.record:
        last = [*(chosen(name) for name in VARIANTS), without_pairs()]
        seeds = evaluation_seeds("evaluation_seeds_gan2d.txt")[:arguments.seeds]
        final = [{**setting, "seed": seed} for seed in seeds for setting in last]
        results += map_runs(play, final, record, arguments.scheduler, arguments.workers)
        games += final
    for game, result in zip(games, results, strict=True):
        print("   ".join(f"{name} {value}" for name, value in {**game, **result}.items()))


if __name__ == "__main__":
    survive_any_encoding()
    main()
