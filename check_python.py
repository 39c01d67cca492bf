"""Do the course's packages exist for this Python? Asked before anything is installed: `python check_python.py`.

The pinned packages come ready built for the machines of `PROMISE` and for no others; pip would only say that it found
no torch. The range of Pythons is read from pyproject.toml. It runs on Python 3.6 too, so that an old one is told.
"""

import os
import platform
import re
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple

PROMISE = ("64-bit Python 3.11 to 3.14 on Windows (x64), on macOS 14 or newer (Apple silicon), or on Linux (x86-64 or "
           "ARM64, with glibc 2.28 or newer)")
ANOTHER = ("Name another Python, as in `make PYTHON=python3.13 lab` or, without make, `python3.13 install.py` (on "
           "Windows `py -3.13 install.py`)")
MACOS = (14, 0)
GLIBC = (2, 28)


class Machine(NamedTuple):
    """A Python and what it runs on."""

    python: tuple = (3, 13)              # major and minor version
    implementation: str = "cpython"
    free_threaded: bool = False
    bits: int = 64
    platform: str = "linux-x86_64"       # of sysconfig: what the Python was built for
    processor: str = "x86_64"            # what it runs as; a universal Python for macOS can be either
    macos: tuple = ()                    # version of macOS
    glibc: tuple = ()                    # version of the GNU C library; () without one


def this_machine() -> Machine:
    """The Python that runs this, and its machine."""
    return Machine(sys.version_info[:2], sys.implementation.name, bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
                   64 if sys.maxsize > 2**32 else 32, sysconfig.get_platform(), platform.machine(),
                   _numbers(platform.mac_ver()[0]), _glibc())


def _numbers(version: str) -> tuple:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def _glibc() -> tuple:
    try:
        return _numbers(os.confstr("CS_GNU_LIBC_VERSION") or "")
    except (AttributeError, OSError, ValueError):  # no such function (Windows), no such name (musl, macOS)
        return ()


def promised_pythons() -> tuple:
    """The oldest Python that will do, and the first that will not, from pyproject.toml."""
    text = Path(__file__).with_name("pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'^requires-python = ">=(3\.\d+),<(3\.\d+)"$', text, re.M)
    return _numbers(found.group(1)), _numbers(found.group(2))


def problem(machine: Machine) -> str:
    """What keeps the course from being installed there and what to do, in a line; empty if nothing does."""
    oldest, beyond = promised_pythons()
    version = "{}.{}".format(*machine.python)
    if machine.python < oldest:
        return f"Python {version} is too old. {ANOTHER}."
    if machine.python >= beyond:
        return f"Python {version} is newer than the course's packages. {ANOTHER}."
    if machine.implementation != "cpython":
        return f"this Python is {machine.implementation}, and the packages are built for CPython, the usual one. " \
               f"{ANOTHER}."
    if machine.free_threaded:
        return f"this Python {version} is the free-threaded build, which some packages do not know. {ANOTHER}, of " \
               "the usual build."
    if machine.bits != 64:
        return "this Python is a 32-bit one, and PyTorch needs 64 bits. Install a 64-bit Python, and a 64-bit system " \
               "if yours is none."
    if machine.platform.startswith("win"):
        return _windows(machine)
    if machine.platform.startswith("macosx"):
        return _macos(machine)
    if machine.platform.startswith("linux"):
        return _linux(machine)
    return f"no packages are built for a Python of {machine.platform}. Use one from python.org or from your system's " \
           "own packages, or another machine."


def _windows(machine: Machine) -> str:
    if machine.platform != "win-amd64":
        return "PyTorch, in the course's version, is not built for Windows on ARM. Work in WSL 2, whose Linux on " \
               "ARM64 will do, or on another machine."
    return ""


def _macos(machine: Machine) -> str:
    if machine.processor != "arm64":
        return "PyTorch is no longer built for Macs with an Intel processor, nor for an Intel Python on Apple " \
               "silicon. On Apple silicon, install Python from python.org; on an Intel Mac, work in Linux (a " \
               "container, a virtual machine) or on another machine."
    if machine.macos < MACOS and machine.macos != (10, 16):  # what a Python for old systems is told instead of 11 on
        return "macOS {} is too old: PyTorch, in the course's version, needs {} or newer. Update macOS, which every " \
               "Mac with Apple silicon can.".format(".".join(map(str, machine.macos)), MACOS[0])
    return ""


def _linux(machine: Machine) -> str:
    if machine.processor not in ("x86_64", "aarch64"):
        return f"PyTorch, in the course's version, is not built for Linux on {machine.processor}: only for x86-64 " \
               "and ARM64. Work on another machine."
    if not machine.glibc:
        return "this Linux has no GNU C library (Alpine and its like use musl), and PyTorch is built for that alone. " \
               "Use Debian, Ubuntu, Fedora or another with glibc; in a container, an image without `alpine`."
    if machine.glibc < GLIBC:
        return "this Linux has glibc {}, and PyTorch, in the course's version, needs {} or newer: Debian 10, Ubuntu " \
               "20.04, RHEL 8 and later have it. Update the system, or work in a newer one's container.".format(
                   *(".".join(map(str, v)) for v in (machine.glibc, GLIBC)))
    return ""


def main() -> int:
    """Say what is wrong, if anything is; returns an exit code, 0 where the course can be installed."""
    wrong = problem(this_machine())
    if wrong:
        sys.stderr.write(f"The course cannot be installed with {sys.executable}: {wrong}\nIt needs {PROMISE}.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
