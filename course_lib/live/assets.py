"""The JavaScript and CSS beside these modules."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent


def joined(*names: str) -> str:
    """The text of these files of this folder, one after the other, as a widget takes it."""
    return "\n".join((HERE / name).read_text(encoding="utf-8") for name in names)
