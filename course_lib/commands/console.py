"""Printing on a terminal, or into a pipe, that knows fewer characters than the course uses."""

from __future__ import annotations

import codecs
import contextlib
import os
import sys

PLAIN = str.maketrans({"−": "-", "–": "-", "—": "-", "·": "*", "×": "x", "…": "...", "→": "->", "²": "^2", "±": "+-",
                       "≤": "<=", "≥": ">=", "’": "'", "‘": "'", "“": '"', "”": '"', "√": "sqrt", "∞": "inf"})


def _plain(error: UnicodeError) -> tuple[str, int]:
    """For characters that cannot be printed: a plain spelling of them, or else their number."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start:error.end]
    spelled = (t if (t := c.translate(PLAIN)).isascii() else c.encode("ascii", "backslashreplace").decode()
               for c in text)
    return "".join(spelled), error.end


def survive_any_encoding() -> None:
    """From now on no print fails because of a character, whatever the locale says: cp437 shows -log p for −log p."""
    codecs.register_error("course.plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not where somebody put another object in its place, or None
            stream.reconfigure(errors="course.plain")


def tell(line: str) -> None:
    """Print to stderr; where nobody listens any more, such as on a closed terminal, that is no error."""
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        drop_output()


def drop_output() -> None:
    """What is still to be printed goes nowhere: nobody reads it, or there is no room for it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with contextlib.suppress(OSError):  # no file behind it
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        except AttributeError:  # None, as under pythonw
            pass
