"""How many times the true probability does a flow give to the middle of a circle, after how many steps?

    python benchmarks/flow_hole.py [--seeds 3] [--longest 4000] [--record]

Spline couplings, the settings of notebook 10, which were chosen for seed 0; the seeds here begin at 100. Time is the
CPU's, one thread. `--record` writes what the notebook shows.
"""

from __future__ import annotations

import argparse
import dataclasses
import time

import torch

from course_lib.commands.console import survive_any_encoding
from course_lib.comparisons.flow_hole import SETTING, RecordRow, record, train_and_measure

STEPS = (250, 500, 1000, 2000, 4000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds, from 100 on")
    parser.add_argument("--longest", type=int, default=STEPS[-1], help="no training longer than this")
    parser.add_argument("--record", action="store_true", help="keep the result in data/records")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows, seeds = [], list(range(100, 100 + arguments.seeds))
    for steps in (steps for steps in STEPS if steps <= arguments.longest):
        start = time.process_time()
        ratios, kls = zip(*(train_and_measure(steps, seed) for seed in seeds), strict=True)
        seconds = (time.process_time() - start) / len(seeds)
        rows.append(RecordRow(dataclasses.asdict(SETTING), steps, seeds, [round(ratio, 1) for ratio in ratios],
                              [round(kl, 4) for kl in kls], round(seconds, 1)))
        print(f"{steps:5} steps   times the truth in the middle {' '.join(f'{ratio:6.1f}' for ratio in ratios)}   KL "
              f"{' '.join(f'{kl:.4f}' for kl in kls)}   {seconds:.0f} CPU s a seed", flush=True)
    if arguments.record:
        record(rows)


if __name__ == "__main__":
    survive_any_encoding()
    main()
