"""Does a mapping network z → w straighten the latent space of a generator? Over seeds and learning rates.

    python benchmarks/mapping_network.py [--seeds 8] [--scheduler ADDRESS] [--workers 1] [--results FILE] [--record]

About three minutes of one core. `--record` keeps each finished run in the record that notebook 06 reads, and goes on
from what is there.
"""

from __future__ import annotations

import argparse

import torch

from course_lib.commands.console import survive_any_encoding
from course_lib.comparisons.mapping_network import RECORD, settings, train_and_measure
from course_lib.comparisons.runs import add_options, map_runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8, help="how many seeds of each setting")
    add_options(parser)
    parser.set_defaults(workers=1)
    parser.add_argument("--record", action="store_true", help="keep the result in data/records")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    asked = settings(arguments.seeds)
    results = map_runs(train_and_measure, asked, RECORD if arguments.record else arguments.results,
                       arguments.scheduler, arguments.workers)
    for setting, result in zip(asked, results, strict=True):
        print("   ".join(f"{name} {value}" for name, value in {**setting, **result}.items()))


if __name__ == "__main__":
    survive_any_encoding()
    main()
