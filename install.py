"""Set the course up in `.venv`, beside this file: `python install.py`, or `--dev` for what its tests need as well.

This is what `make lab` and `make test` run first. It does nothing where that is done already, and takes up again what
was broken off. pip is kept inside `.venv` whatever its settings say, and keeps those of the network: index, proxy,
certificates, time-outs. It runs on Python 3.6 too, so that an old one is told.
"""

import argparse
import configparser
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

COURSE = Path(__file__).resolve().parent
VENV = COURSE / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "installed"
TIMEOUT = 60  # seconds that an index may be silent; with pip's own 15, slow networks fail
SETS = {"student": ".", "dev": ".[dev]"}  # the second holds the first
OVERRULED = {  # pip's settings that would install elsewhere, or other things, or in silence; an empty value unsets one
    "user": "false", "target": "", "prefix": "", "root": "", "python": "", "require-virtualenv": "false",
    "constraint": "", "requirement": "", "no-deps": "false", "dry-run": "false", "require-hashes": "false",
    "quiet": "0"}


def stamp(what: str) -> str:
    """What `.venv/installed` says when the set `what` is complete; it is written last."""
    said = b"".join((COURSE / name).read_bytes() for name in ("pyproject.toml", "constraints.txt"))
    return f"{hashlib.sha256(said + str(COURSE).encode()).hexdigest()} {what}\n"


def is_complete(what: str) -> bool:
    """Whether `.venv` runs and holds the set `what`, in the versions of today and for a course in this folder."""
    try:
        return STAMP.read_text(encoding="utf-8") in (stamp(what), stamp("dev")) and runs("-c", "")
    except (OSError, UnicodeError):
        return False


def environment() -> dict:
    """The variables that Python and pip are started with: those that lead elsewhere are left out."""
    dropped = {"PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE"}
    dropped |= {"PIP_" + name.upper().replace("-", "_") for name in OVERRULED}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    if os.path.isfile(kept.get("PIP_CONFIG_FILE", "")):
        del kept["PIP_CONFIG_FILE"]  # pip_settings() has it
    return dict(kept, PYTHONNOUSERSITE="1")


def pip_settings() -> configparser.RawConfigParser:
    """pip's settings for `.venv` alone, which overrule the system's and the user's.

    They stand in [install] too, since that section overrules [global]. The file that PIP_CONFIG_FILE names would
    overrule this one: so its other settings are taken over.
    """
    settings = configparser.RawConfigParser()
    settings.read(os.environ.get("PIP_CONFIG_FILE", ""), encoding="utf-8")
    for section in ("global", "install"):
        if not settings.has_section(section):
            settings.add_section(section)
        for name in settings.options(section):
            if name.replace("_", "-") in OVERRULED:
                settings.remove_option(section, name)
        for name, value in OVERRULED.items():
            settings.set(section, name, value)
    return settings


def configure_pip() -> None:
    """Write pip's settings into `.venv`, with a longer time-out unless the reader has set one."""
    def write() -> None:
        with open(str(VENV / ("pip.ini" if os.name == "nt" else "pip.conf")), "w", encoding="utf-8") as file:
            settings.write(file)

    settings = pip_settings()
    write()
    known = subprocess.check_output([str(PYTHON), "-m", "pip", "config", "list"], env=environment())
    if not re.search(rb"^(global|install|:env:)\.(default-)?timeout=", known, re.M):
        settings.set("global", "timeout", str(TIMEOUT))
        write()


def runs(*arguments: str) -> bool:
    """Whether `.venv` has a Python that does this."""
    try:
        return subprocess.call([str(PYTHON), *arguments], env=environment(), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def step(*command: str) -> None:
    """Run one command, showing what it says; raises SystemExit with its exit code if it fails."""
    code = subprocess.call(command, cwd=str(COURSE), env=environment())
    if code:
        raise SystemExit(code)


def add(python: str, options: tuple, what: tuple, torch_index: str = "") -> None:
    """Let the pip of `python` install `what`; raises SystemExit where a step fails.

    Its options hold for torch and torchvision, too. Those come first and without what they need where a further index
    is named, so that nothing else is ever asked of it.
    """
    pip = (python, "-m", "pip", "install", "--disable-pip-version-check", *options)
    if torch_index:
        step(*pip, "--no-deps", "--extra-index-url", torch_index, "torch", "torchvision")
    step(*pip, *what)


def install(what: str, torch_index: str) -> None:
    """Make `.venv` hold the set `what`; raises SystemExit where a step fails."""
    there = runs("-m", "pip", "--version") and runs(str(COURSE / "check_python.py"))
    base = sys.executable if sys.prefix == sys.base_prefix else getattr(sys, "_base_executable", sys.executable)
    if not there:
        step(base, str(COURSE / "check_python.py"))
    print("Setting up .venv, once: a few minutes and 1.5 GB of disk (2 GB with the tests; 5 GB where PyTorch brings "
          "CUDA).", flush=True)
    if STAMP.exists():
        STAMP.unlink()
    if not there:
        step(base, "-m", "venv", "--clear", str(VENV))
    configure_pip()
    add(str(PYTHON), ("-c", "constraints.txt"), ("-e", SETS[what]), torch_index)
    STAMP.write_text(stamp(what), encoding="utf-8")


def main() -> int:
    """Set up what was asked for; returns an exit code."""
    parser = argparse.ArgumentParser(description="Set the course up in .venv.")
    parser.add_argument("--dev", action="store_true", help="also what the tests and the building of notebooks need")
    parser.add_argument("--torch-index", default="", metavar="URL",
                        help="a further package index, asked for torch and torchvision alone (pytorch.org names them)")
    options = parser.parse_args()
    what = "dev" if options.dev else "student"
    if is_complete(what):
        return 0
    try:
        install(what, options.torch_index)
    except KeyboardInterrupt:
        print("\nBroken off: the same command takes it up again.", file=sys.stderr)
        return 130
    except (OSError, subprocess.CalledProcessError, configparser.Error, UnicodeError) as error:
        print(f"Cannot set up {VENV}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
