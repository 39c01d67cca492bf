"""`python -m course_lib site`: the course as a web site, in `dist/site`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from course_lib.authoring.handout import COURSE, require_course
from course_lib.commands.errors import UsageError


def add_site(commands: argparse._SubParsersAction) -> None:
    """`site [NUMBER…] [--teacher] [--out PATH]`."""
    add = commands.add_parser("site", help="build the course as a web site, which needs no server", description=__doc__)
    add.add_argument("numbers", nargs="*", metavar="NUMBER", help="notebooks that get a page, as 05 07 (default: all)")
    add.add_argument("--teacher", action="store_true", help="with the pages for teachers, docs/teaching")
    add.add_argument("--out", type=Path, default=Path("dist/site"), metavar="PATH", help="default dist/site")
    add.set_defaults(run=site)


def site(arguments: argparse.Namespace) -> int:
    """Run what has changed, write the pages."""
    require_course()
    if not (COURSE / "web").is_dir() or not (COURSE / "notebooks/source").is_dir():
        raise UsageError("the students' copy of the course builds no site: take the whole one")
    if arguments.out.is_file():
        raise UsageError(f"{arguments.out} is a file: name a folder")
    try:
        import furo  # noqa: F401
        import myst_nb  # noqa: F401
    except ImportError as error:
        raise UsageError(f"{error.name} is missing: `python install.py --dev`, or `pip install -c constraints.txt -e "
                         "'.[site]'`") from None
    from course_lib.authoring.site.build import SiteError, build_site
    from course_lib.authoring.site.execute import NotebookFailed
    from course_lib.authoring.site.katex import WebToolsMissing

    notebooks = {path.stem.split("_")[0]: path for path in sorted((COURSE / "notebooks").glob("*.ipynb"))}
    if unknown := [number for number in arguments.numbers if number not in notebooks]:
        raise UsageError(f"there is no notebook {', '.join(unknown)}; there are {', '.join(notebooks)}")
    chosen = [path for number, path in notebooks.items() if not arguments.numbers or number in arguments.numbers]
    try:
        build_site(arguments.out, chosen, teacher=arguments.teacher)
    except (WebToolsMissing, NotebookFailed, SiteError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0
