"""Small VAEs over seeds: rate and distortion over β, remedies against posterior collapse, two binarizations, fully
connected and convolutional layers.

    python benchmarks/vae_seeds.py [--seeds 5] [--scheduler ADDRESS] [--workers 1] [--results FILE] [--record]

About twenty minutes of one core. `--record` keeps each finished run in the record that notebook 04 reads, and goes on
from what is there.
"""

from __future__ import annotations

import argparse
import statistics

import torch

from course_lib.commands.console import survive_any_encoding
from course_lib.comparisons.runs import add_options, map_runs
from course_lib.comparisons.vae_seeds import RECORD, settings, train_and_measure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds of each setting")
    add_options(parser)
    parser.set_defaults(workers=1)
    parser.add_argument("--record", action="store_true", help="keep the result in data/records")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    asked = settings(arguments.seeds)
    results = map_runs(train_and_measure, asked, RECORD if arguments.record else arguments.results,
                       arguments.scheduler, arguments.workers)
    rows: dict[str, list[dict[str, float]]] = {}
    for setting, result in zip(asked, results, strict=True):
        rows.setdefault(" ".join(str(value) for key, value in setting.items() if key != "seed"), []).append(result)
    for name, row in rows.items():
        print(f"{name:<16}" + "   ".join(f"{key} {statistics.mean(found[key] for found in row):7.2f} ± "
                                         f"{statistics.stdev(found[key] for found in row):.2f}" for key in row[0]))


if __name__ == "__main__":
    survive_any_encoding()
    main()
