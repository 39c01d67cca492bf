"""pyproject.toml names the packages, constraints.txt their versions, and nothing else says either."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

COURSE = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((COURSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = dict(line.split("==") for line in (COURSE / "constraints.txt").read_text(encoding="utf-8").split())
EXTRAS = PROJECT["optional-dependencies"]
REQUIREMENTS = [Requirement(r) for group in (PROJECT["dependencies"], *EXTRAS.values()) for r in group
                if not r.startswith("course_lib")]


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda r: r.name)
def test_every_package_is_pinned_within_its_range(requirement):
    assert requirement.specifier.contains(PINS[requirement.name])


def test_pins_are_exact_and_of_no_local_build():
    assert all(re.fullmatch(r"[\d.]+(?:post\d+)?", pin) for pin in PINS.values())


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda r: r.name)
def test_what_is_installed_is_what_is_pinned(requirement):
    assert Version(version(requirement.name)).public == PINS[requirement.name]


def test_conda_environment_adds_no_versions_of_its_own():
    environment = yaml.safe_load((COURSE / "environment.yml").read_text(encoding="utf-8"))
    *conda, pip = environment["dependencies"]
    python, pip_itself = conda
    assert pip_itself == "pip"
    assert pip == {"pip": ["-c constraints.txt", "-e .[dev]"]}
    minor = python.removeprefix("python=")
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(f"{minor}.0")


def test_readme_names_no_versions_of_packages():
    assert not re.search(r"==\s*\d", (COURSE / "README.md").read_text(encoding="utf-8"))
