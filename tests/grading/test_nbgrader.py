"""nbgrader marks a class with the course folder that is written for it: from the release to the marks' table."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from course_lib.authoring.nbgrader import assignment, write_course
from course_lib.authoring.text import sources
from course_lib.teach import check
from course_lib.teach.exercises import exercises

pytest.importorskip("nbgrader")
pytestmark = pytest.mark.thorough
COURSE = Path(__file__).resolve().parents[2]
NAME = "00_tiny"
SOURCE = '''\
# %% [markdown]
# # 00 · Tiny
# **Why?**
#
# | Time | 3 seconds to run · seed 0 |

# %%
import numpy as np

from course_lib.teach import check

# %% tags=["exercise"]
def kl_divergence(p, q):
    """KL."""
    ### BEGIN SOLUTION
    s = p > 0
    return float((p[s] * np.log(p[s] / q[s])).sum())
    ### END SOLUTION

# %%
check("00.kl", kl_divergence)

# %% tags=["exercise"]
def fit_gaussian(x):
    """Mean and variance."""
    ### BEGIN SOLUTION
    return x.mean(), x.var()
    ### END SOLUTION

# %%
check("00.fit_gaussian", fit_gaussian)

# %% tags=["exercise"]
def log_likelihood(flips, theta):
    """Of a coin."""
    ### BEGIN SOLUTION
    heads = flips.sum()
    return float(heads * np.log(theta) + (len(flips) - heads) * np.log(1 - theta))
    ### END SOLUTION

# %%
check("00.log_likelihood", log_likelihood)
'''
KL, FIT = "answer-kl_divergence", "answer-fit_gaussian"
WRONG = {KL: "def kl_divergence(p, q):\n    return -1.0", FIT: "def fit_gaussian(x):\n    return 0.0, -1.0"}
LOOP = {KL: "def kl_divergence(p, q):\n    while True:\n        pass"}
ENDS = {KL: "import os\ndef kl_divergence(p, q):\n    os._exit(1)"}
SOME = {KL: "def kl_divergence(p, q):\n    if (p == 0).any():\n        return 0.0\n"
            "    return float((p * np.log(p / q)).sum())"}
MARKS = {"odd": 3, "untouched": 0, "two_wrong": 1, "own_check": 0, "loop": 2, "some": None}  # odd: it warns, and the
# checks are deleted


def answered(release: nbformat.NotebookNode, solved: nbformat.NotebookNode, changes: dict[str, str]) -> dict:
    """A released notebook with the solutions in it, some replaced."""
    made, right = json.loads(json.dumps(release)), {cell.id: cell.source for cell in solved.cells}
    for cell in made["cells"]:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            cell["source"] = changes.get(grade_id, right[cell["id"]])
    return made


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course folder in which a class was marked, by nbgrader's own commands."""
    root = tmp_path_factory.mktemp("nbgrader")
    (root / "notebooks" / "source").mkdir(parents=True)
    source = root / "notebooks" / "source" / f"{NAME}.py"
    source.write_text(SOURCE, encoding="utf-8")
    folder = root / "course"
    write_course(folder, [source])
    config = folder / "nbgrader_config.py"
    config.write_text(config.read_text(encoding="utf-8").replace("timeout = 300", "timeout = 8"), encoding="utf-8")
    programs = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))  # nbgrader calls alembic
    env = os.environ | {"PATH": programs, "PYTHONPATH": str(COURSE), "HOME": str(root),
                        "JUPYTER_CONFIG_DIR": str(root / "config")}

    def nbgrader(*words):
        done = subprocess.run([sys.executable, "-m", "nbgrader", *words], cwd=folder, env=env, capture_output=True,
                              text=True, encoding="utf-8", timeout=500)
        return done.returncode, done.stdout + done.stderr

    code, said = nbgrader("generate_assignment", NAME)
    assert code == 0, said
    release = nbformat.read(folder / "release" / NAME / f"{NAME}.ipynb", as_version=4)
    solved = assignment(source)
    handed_in = {name: answered(release, solved, {}) for name in MARKS}
    handed_in["untouched"] = json.loads(json.dumps(release))
    handed_in |= {name: answered(release, solved, changes) for name, changes in
                  (("two_wrong", WRONG), ("loop", LOOP), ("ends", ENDS), ("some", SOME))}
    noisy = "\n    warnings.warn('!'); print('!', file=sys.stderr)\n    s = p > 0"
    for cell in handed_in["odd"]["cells"]:
        cell["source"] = cell["source"].replace("\n    s = p > 0", noisy).replace(
            "def kl_", "import sys, warnings\ndef kl_")
    own = {"cell_type": "code", "id": "own", "metadata": {}, "outputs": [], "execution_count": None,
           "source": "def check(*a):\n    raise Exception"}
    handed_in["own_check"]["cells"].insert(3, own)
    handed_in["odd"]["cells"] = [cell for cell in handed_in["odd"]["cells"]
                                       if not cell["metadata"].get("nbgrader", {}).get("grade")]
    for name, made in handed_in.items():
        path = folder / "submitted" / name / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(made), encoding="utf-8")
    said = nbgrader("autograde", NAME)[1]
    said += nbgrader("generate_feedback", NAME)[1]
    code, exported = nbgrader("export")
    assert code == 0, exported
    return folder, said


@pytest.fixture(scope="module")
def marks(course):
    folder, said = course
    with open(folder / "grades.csv", encoding="utf-8", newline="") as file:
        return {row["student_id"]: row for row in csv.DictReader(file)}, said


@pytest.mark.parametrize("name", [name for name, expected in MARKS.items() if expected is not None])
def test_each_gets_the_marks_that_are_due(marks, name):
    rows, said = marks
    assert float(rows[name]["score"] or 0) == MARKS[name] and float(rows[name]["max_score"]) == 3, said[-3000:]


def test_part_of_the_cases_is_part_of_the_points(marks):
    assert 2 < float(marks[0]["some"]["score"]) < 3


def test_one_that_ends_its_kernel_is_not_marked_and_the_others_are(marks):
    rows, _ = marks
    assert not float(rows.get("ends", {"score": 0})["score"] or 0) and float(rows["odd"]["score"]) == 3


def test_students_get_stubs_and_feedback(course):
    folder, _ = course
    release = (folder / "release" / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8")
    assert "your code here" in release and "SOLUTION" not in release and "np.log(p[s]" not in release
    told = (folder / "feedback" / "two_wrong" / NAME / f"{NAME}.html").read_text(encoding="utf-8")
    assert "not yet" in told


def test_every_notebook_has_an_assignment_with_a_point_for_each_exercise(tmp_path):
    written = write_course(tmp_path, sources(COURSE / "notebooks"), points=2)
    assert written[0].name == "nbgrader_config.py" and len(written) > 20
    for path in written[1:]:
        cells = nbformat.read(path, as_version=4).cells
        marked = [cell.metadata["nbgrader"] for cell in cells if "nbgrader" in cell.metadata]
        ids = [one["grade_id"] for one in marked]
        assert len(set(ids)) == len(ids)
        names = {name.replace(".", "-") for name in exercises(path.stem.split("_")[0])}
        assert {one["grade_id"] for one in marked if one["grade"]} == names
        assert all(one["points"] == 2 for one in marked if one["grade"])
    again = write_course(tmp_path, sources(COURSE / "notebooks")[:1])
    assert [path.name for path in again] == ["00_start.ipynb"]  # the settings are the teacher's by then


def test_a_share_only_under_nbgrader(monkeypatch, capsys):
    def some(p, q):
        return 0.0 if (p == 0).any() else exercises("00")["00.kl"].reference(p, q)

    monkeypatch.setenv("COURSE_PARTIAL", "1")
    assert check("00.kl", some).status == "not yet"
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert 0 < check("00.kl", some) < 1
