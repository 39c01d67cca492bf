"""pyproject.toml names the packages, constraints.txt their versions, and nothing else says either."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

COURSE = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((COURSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = dict(line.split("==") for line in (COURSE / "constraints.txt").read_text(encoding="utf-8").split())
EXTRAS = PROJECT["optional-dependencies"]
REQUIREMENTS = [Requirement(r) for group in (PROJECT["dependencies"], *EXTRAS.values()) for r in group
                if not r.startswith("course_lib")]
MINORS = [f"3.{minor}" for minor in range(30) if SpecifierSet(PROJECT["requires-python"]).contains(f"3.{minor}.0")]
SYSTEMS = [{"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
           {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "aarch64"},
           {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
           {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"}]


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda r: r.name)
def test_every_package_is_pinned_within_its_range(requirement):
    assert requirement.specifier.contains(PINS[requirement.name])


def test_pins_are_exact_and_of_no_local_build():
    betas = {"sphinx-basic-ng"}  # has had no other release since 2023
    assert all(re.fullmatch(r"[\d.]+(?:post\d+)?", pin) for name, pin in PINS.items() if name not in betas)


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda r: r.name)
def test_what_is_installed_is_what_is_pinned(requirement):
    assert Version(version(requirement.name)).public == PINS[requirement.name]


@pytest.mark.parametrize("name", PINS)
def test_a_pin_works_from_the_first_release_of_each_promised_python(name):
    try:
        found = distribution(name)
    except PackageNotFoundError:
        pytest.skip("not installed on this system")
    assert Version(found.version).public == PINS[name]
    needed = SpecifierSet(found.metadata.get("Requires-Python") or "")
    assert all(needed.contains(f"{minor}.0") for minor in MINORS), f"{name} needs Python {needed}"


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda s: f"{s['sys_platform']}-{s['platform_machine']}")
@pytest.mark.parametrize("minor", MINORS)
def test_whatever_a_system_needs_beside_is_pinned_too(system, minor):
    pinned = {canonicalize_name(name) for name in PINS}
    here = {**system, "python_version": minor, "python_full_version": f"{minor}.0", "implementation_name": "cpython",
            "platform_python_implementation": "CPython", "implementation_version": f"{minor}.0"}
    waiting, seen, missing = [(r.name, frozenset(r.extras)) for r in REQUIREMENTS], set(), set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        if canonicalize_name(name) not in pinned:
            missing.add(name)
            continue
        try:
            requires = distribution(name).requires or []
        except PackageNotFoundError:
            continue  # for another system than this one
        for needed in map(Requirement, requires):
            if any(needed.marker is None or needed.marker.evaluate(here | {"extra": e}) for e in (*extras, "")):
                waiting.append((needed.name, frozenset(needed.extras)))
    assert missing == set()


def test_conda_environment_adds_no_versions_of_its_own():
    environment = yaml.safe_load((COURSE / "environment.yml").read_text(encoding="utf-8"))
    *conda, pip = environment["dependencies"]
    python, pip_itself = conda
    assert pip_itself == "pip"
    assert pip == {"pip": ["-c constraints.txt", "-e ."]}  # what a student needs, from pyproject's own list
    assert python.removeprefix("python=") in MINORS


def test_the_hubs_requirements_are_those_of_its_extra():
    lines = (COURSE / "deploy/requirements-hub.txt").read_text(encoding="utf-8").splitlines()
    constraints, *names = [line for line in lines if not line.startswith("#")]
    assert constraints == "-c ../constraints.txt" and names == [Requirement(r).name for r in EXTRAS["hub"]]


def test_readme_names_no_versions_of_packages():
    assert not re.search(r"==\s*\d", (COURSE / "README.md").read_text(encoding="utf-8"))
