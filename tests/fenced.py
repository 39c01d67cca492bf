"""Fenced blocks of pages in Markdown."""

import re


def fenced(text: str) -> list[tuple[str, str]]:
    """(name of the block, what it holds) of all fenced blocks, in order."""
    return re.findall(r"^ *```([^\n`]*)\n(.*?)^ *```", text, re.M | re.S)
