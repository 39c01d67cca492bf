"""`python -m course_lib class DIR…`: a page that shows what a class predicts and where it stumbles, while it works."""

from __future__ import annotations

import argparse
from pathlib import Path

from course_lib.commands.errors import integer


def add_class(commands: argparse._SubParsersAction) -> None:
    """`class DIR… [--port N]`."""
    add = commands.add_parser("class", help="show on a page what a class predicts and where it stumbles",
                              description=__doc__)
    add.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="what COURSE_RECORD named for the notebooks")
    add.add_argument("--port", type=integer(0), default=8765, metavar="N", help="0 for any that is free (default 8765)")
    add.set_defaults(run=show_class)


def show_class(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    import asyncio

    from course_lib.grading.server import serve

    asyncio.run(serve(arguments.folders, arguments.port))
    return 0
