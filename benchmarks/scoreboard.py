"""All families of the course on the same pictures, with the same measures, after the same time: tables and ranks.

    python benchmarks/scoreboard.py [--data sprites digits8] [--family "VAE" …] [--budget short] [--seeds 3]
                                    [--scheduler ADDRESS] [--workers 2] [--results FILE] [--record] [--time STEPS]

Without `--record` or `--results` it prints what the record has. `--record` runs what the record has not, a few hours
of two cores for all, and goes on from what is there: `make scoreboard`. `--limit MINUTES` begins no run after so long.
`--time 20` tells what a step of each takes on this machine, and all steps of all runs.
"""

from __future__ import annotations

import argparse
import functools
import time

import torch

from course_lib.commands.console import survive_any_encoding
from course_lib.comparisons.runs import add_options, map_runs
from course_lib.comparisons.scoreboard.pictures import PICTURES
from course_lib.comparisons.scoreboard.record import (
    RECORD,
    SEEDS,
    missing,
    of_data,
    rows,
    run,
    seconds_of_a_step,
    settings,
    table,
)
from course_lib.comparisons.scoreboard.registry import ALL, BUDGETS, Entry, steps_of
from course_lib.comparisons.scoreboard.weights import FOLDER

TABLES = (("nll", "kl", "anomaly"), ("frechet", "kid", "precision", "recall"), ("nearest", "copied", "surprise"),
          ("completion", "completion_surprise"),
          ("parameters", "train_seconds", "draw_seconds", "passes", "memory"))


def tell_times(arguments: argparse.Namespace) -> None:
    total = 0.0
    for data in arguments.data:
        for family in (name for name in arguments.family if isinstance(ALL[name][data], Entry)):
            seconds = seconds_of_a_step(data, family, arguments.time)
            steps = [steps_of(family, data, budget) or 0 for budget in arguments.budget]
            minutes = [seconds * number / 60 for number in steps]
            total += arguments.seeds * sum(minutes)
            print(f"{data:8}{family:17}{1000 * seconds:9.2f} ms a step"
                  + "".join(f"{number:9} steps {part:6.2f} min" for number, part in zip(steps, minutes, strict=True)),
                  flush=True)
    print(f"Training alone, {arguments.seeds} seeds: {total:.0f} minutes of one processor.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=tuple(PICTURES), default=list(PICTURES))
    parser.add_argument("--family", nargs="+", choices=tuple(ALL), default=list(ALL))
    parser.add_argument("--budget", nargs="+", choices=BUDGETS, default=list(BUDGETS))
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"how many (default {SEEDS})")
    parser.add_argument("--limit", type=float, metavar="MINUTES", help="begin no run after so much time")
    parser.add_argument("--time", type=int, metavar="STEPS", help="only tell what a step takes, from so few, and all")
    add_options(parser)
    parser.add_argument("--record", action="store_true", help="keep the result in data/records, and some weights")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.time:
        tell_times(arguments)
        return
    record = RECORD if arguments.record else arguments.results
    one = functools.partial(run, folder=FOLDER if arguments.record else None)
    if record is not None:
        asked, start = settings(arguments.data, arguments.family, arguments.budget, arguments.seeds), time.monotonic()
        if arguments.limit is None:
            map_runs(one, asked, record, arguments.scheduler, arguments.workers)
        for setting in asked if arguments.limit is not None else ():
            if time.monotonic() - start > 60 * arguments.limit:
                break
            map_runs(one, [setting], record, workers=1, progress=False)
    found = rows(record or RECORD)
    for data in arguments.data:
        for budget in arguments.budget:
            for measures in TABLES:
                some = [row for row in of_data(found, data, budget) if row.family in arguments.family]
                print(f"\n{data}, {budget} budget: mean of seeds ± standard error (rank)\n{table(some, measures)}")
    print(f"\n{len(missing(record or RECORD, arguments.seeds))} runs of all are missing.")


if __name__ == "__main__":
    survive_any_encoding()
    main()
