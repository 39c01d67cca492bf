"""Every command that the README and its neighbours show does the same in each shell that a reader may paste it into."""

import re
import tomllib
from pathlib import Path

import pytest
from fenced import fenced
from shells import FITTING, Special, cmd, powershell, sh

COURSE = Path(__file__).resolve().parents[1]
PAGES = [path for pattern in ("README.md", "CONTRIBUTING.md", "docs/*.md", "docs/projects/*.md",
                                        "docs/teaching/*.md")
         for path in sorted(COURSE.glob(pattern))]
LANGUAGES = {"python", "yaml", "toml", "json", "text", "bibtex"}  # blocks that are no commands
PROGRAMS = r"make|python3?|pip|py|conda|\.venv[/\\]\S+"
POSIX_PATHS = {"make": "sh", ".venv/": "sh", ".venv\\": "bat"}  # inline, a command's first word says for which shell


def blocks() -> list[tuple[str, str]]:
    """(name of the block, a command in it) for all fenced blocks that hold commands."""
    found = []
    for page in PAGES:
        for name, text in fenced(page.read_text(encoding="utf-8")):
            if name not in LANGUAGES:
                found += [(name, line.strip()) for line in text.splitlines() if line.strip()]
    return found


def inline() -> list[tuple[str, str]]:
    """(name of a block that would fit, command) for the commands in running text."""
    found = []
    for page in PAGES:
        prose = re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
        for code in re.findall(r"`([^`]+)`", prose):
            if re.match(rf"(?:{PROGRAMS})\s+\S", code) and "…" not in code:
                name = next((n for start, n in POSIX_PATHS.items() if code.startswith(start)), "")
                found.append((name, " ".join(code.split())))
    return found


@pytest.mark.parametrize(("name", "command"), blocks() + inline())
def test_a_command_is_the_same_words_in_each_of_its_shells(name, command):
    assert name in FITTING, f"mark the block with one of {[*FITTING]}, or name its language"
    words = [shell(command) for shell in FITTING[name]]
    assert words[0] and all(w == words[0] for w in words)


@pytest.mark.parametrize(("name", "command"), blocks() + inline())
def test_no_command_activates_an_environment_by_a_script_that_powershell_refuses(name, command):
    assert not re.search(r"(?:^|[\\/])activate(?:\.\w+)?$|^source\b|^\. ", command.split(" #")[0].strip(), re.I)


def test_the_first_steps_are_there_for_each_shell():
    names = {name for name, command in blocks() if "course_lib lab" in command}
    assert {"sh", "bat"} <= names and ("sh", "make lab") in blocks()


def test_the_python_that_is_named_is_one_that_is_promised():
    oldest, beyond = re.findall(r"3\.(\d+)", tomllib.loads((COURSE / "pyproject.toml").read_text(encoding="utf-8"))
                                ["project"]["requires-python"])
    named = {int(minor) for page in PAGES for minor in re.findall(r"(?:python|py -|python=)3\.(\d+)", page.read_text(
        encoding="utf-8"))}
    assert named and named <= set(range(int(oldest), int(beyond)))


@pytest.mark.parametrize(("shell", "line", "expected"), [
    (sh, "a 'b c' \"d\"e  f=g", ["a", "b c", "de", "f=g"]),
    (cmd, "a 'b c' \"d e\"", ["a", "'b", "c'", "d e"]),
    (cmd, "lab # what `make lab` does", ["lab", "#", "what", "`make", "lab`", "does"]),
    (cmd, r".venv\Scripts\python -m x", [r".venv\Scripts\python", "-m", "x"]),
    (powershell, r".venv\Scripts\python -m 'a b'", [r".venv\Scripts\python", "-m", "a b"]),
    (powershell, 'a ""', ["a", ""]),
])
def test_a_shell_splits_as_it_does(shell, line, expected):
    assert shell(line) == expected


@pytest.mark.parametrize(("shell", "line"), [
    (sh, "make lab     # sets up"), (sh, r".venv\Scripts\python"), (sh, "pip install -e .[dev]"), (sh, "a; b"),
    (sh, 'echo "$HOME"'), (sh, "echo 'open"), (cmd, ".venv/bin/python -m x"), (cmd, "pip install torch>=2"),
    (cmd, "echo %PATH%"), (powershell, "a # b"), (powershell, "a && b"), (powershell, "a $HOME"),
    (powershell, '"a b" c'), (powershell, "a 1,2"), (powershell, "a -b.c"), (powershell, "a @b"),
])
def test_what_a_shell_would_not_pass_on_is_refused(shell, line):
    with pytest.raises(Special):
        shell(line)
