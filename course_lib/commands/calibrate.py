"""`python -m course_lib calibrate [04 …]`: how far each claim is from failing."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from course_lib.authoring.handout import COURSE, require_course
from course_lib.commands.errors import UsageError, integer

RECORD = COURSE / "data" / "claims.jsonl"
TABLE = COURSE / "docs" / "claims.md"


def add_calibrate(commands: argparse._SubParsersAction) -> None:
    """`calibrate [NOTEBOOK …] [--seeds N] [--broken HOW] [--workers N] [--scheduler ADDRESS]`."""
    add = commands.add_parser("calibrate", help="run notebooks with other seeds and as on other processors, and write "
                                                "the table of their claims", description=__doc__)
    add.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="such as 04; all if none is named")
    add.add_argument("--seeds", type=integer(1), metavar="N", help="how many seeds (default 8)")
    add.add_argument("--broken", choices=("untrained", "shuffled"), help="instead of that: break training, or shuffle "
                     "the data, and list the claims that still hold")
    add.add_argument("--workers", type=integer(1), default=2, metavar="N", help="notebooks at a time (default 2)")
    add.add_argument("--scheduler", metavar="ADDRESS", help="a dask scheduler that is there, tcp://HOST:PORT")
    add.set_defaults(run=calibrate)


def calibrate(arguments: argparse.Namespace) -> int:
    """Run what has changed, and write the table; or list what survives a break."""
    from course_lib.authoring import calibrate as calibration

    require_course()
    notebooks = named(arguments.notebooks)
    shared = {"workers": arguments.workers, "scheduler": arguments.scheduler}
    if arguments.broken:
        for key, text in calibration.survivors(notebooks, arguments.broken, **shared):
            print(f"{key}  {text}")
        return 0
    seeds = arguments.seeds or calibration.SEEDS
    runs = calibration.calibrate(notebooks, RECORD, seeds, **shared)
    for name, found in runs.items():
        for setting, result in found:
            if result["error"] and not setting["broken"]:
                print(f"{name}, seed {setting['seed']}, {setting['processor'] or 'here'}: {result['error']}",
                      file=sys.stderr)
    calibration.write_table(TABLE, RECORD, sorted((COURSE / "notebooks").glob("[0-9]*.ipynb")))
    failed = {path.stem: sum(row.failed > 0 for row in calibration.rows(path, runs[path.stem])) for path in notebooks}
    print(json.dumps({name: count for name, count in failed.items() if count}) if any(failed.values())
          else "no claim failed in any run")
    return 1 if any(failed.values()) else 0


def named(words: list[str]) -> list[Path]:
    """The students' notebooks of these numbers; all for none. Raises UsageError for a number that none has."""
    every = sorted((COURSE / "notebooks").glob("[0-9]*.ipynb"))
    unknown = [word for word in words if not any(path.stem.split("_")[0] == word for path in every)]
    if unknown:
        names = ", ".join(path.stem.split("_")[0] for path in every)
        raise UsageError(f"there is no notebook {unknown[0]}: they are {names}")
    return [path for path in every if not words or path.stem.split("_")[0] in words]
