"""How three shells split a command into words, for commands that need nothing but words.

Each function takes one line as a person types or pastes it and returns the words that the program gets. It raises
Special where the shell would do something else with a character than pass it on: then the line is not for that shell.
"""

import re
from collections.abc import Callable


class Special(ValueError):
    """A character that this shell does not pass on as it stands."""


def _words(line: str, quotes: str, special: str, escape: str = "", special_inside: str = "") -> list[str]:
    """Words split at blanks; `special` counts outside quotes, `special_inside` between double ones too."""
    words: list[str] = []
    word: str | None = None
    quote = ""
    for character in line:
        if quote:
            if character == quote:
                quote = ""
                continue
            if quote == '"' and character in special_inside + escape:
                raise Special(f"{character} between quotes: {line}")
        elif character in quotes:
            quote, word = character, word or ""
            continue
        elif character in special or character in escape or character in special_inside:
            raise Special(f"{character}: {line}")
        elif character in " \t":
            words += [] if word is None else [word]
            word = None
            continue
        word = (word or "") + character
    if quote:
        raise Special(f"an open quote: {line}")
    return words + ([] if word is None else [word])


def sh(line: str) -> list[str]:
    """bash and zsh at their prompts. zsh takes `#` for a word there, and complains of [ ] * ? that match no file."""
    words = _words(line, quotes="\"'", special=";&|<>(){}*?[]~!#^", escape="\\", special_inside="$`")
    if any(word.startswith("=") for word in words):
        raise Special(f"= before a word is zsh's: {line}")
    return words


def cmd(line: str) -> list[str]:
    """Windows' Command Prompt, and programs that split as Microsoft's C library does. `#` and `'` mean nothing here."""
    words = _words(line, quotes='"', special="&|<>()^", special_inside="%!")
    if words and "/" in words[0]:
        raise Special(f"/ in a command's name starts an option: {line}")
    return words


def powershell(line: str) -> list[str]:
    """PowerShell, which runs no `activate` script by default and takes a first word in quotes for a text."""
    words = _words(line, quotes="\"'", special=";&|<>(){}@,", escape="`", special_inside="$")
    if line.startswith(("'", '"')) or any(word.startswith("#") for word in words):
        raise Special(f"a text or a comment: {line}")
    if any(re.match(r"-[A-Za-z_]\w*[.:]", word) for word in words):
        raise Special(f"an option is split at . and : {line}")
    return words


FITTING: dict[str, tuple[Callable[[str], list[str]], ...]] = {
    "sh": (sh,), "bat": (cmd, powershell), "": (sh, cmd, powershell)}  # a block's name says for which shells it is
