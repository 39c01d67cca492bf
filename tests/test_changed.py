"""`make check`: which tests a changed file selects."""

import changed
import pytest

WHOLE: set[str] = set()
LIBRARY = sorted(path.relative_to(changed.ROOT).as_posix() for path in (changed.ROOT / "course_lib").rglob("*")
                 if path.suffix in (".py", ".js", ".css"))
SOURCES = sorted(path.relative_to(changed.ROOT).as_posix()
                 for path in (changed.ROOT / "notebooks" / "source").glob("[0-9]*.py"))


@pytest.mark.parametrize("file", [*LIBRARY, *SOURCES, "docs/notation.md", "README.md", "paper.md", "Makefile"])
def test_each_file_of_the_course_selects_a_test_that_is_there_and_is_not_slow(file):
    chosen = changed.select([file])
    assert chosen.keys() - {changed.FIRST}
    assert all((changed.ROOT / test).is_file() and "browser" not in test for test in chosen)
    assert not {test for test, words in chosen.items() if not words} & changed.SLOW


@pytest.mark.parametrize(("file", "selected"), [
    ("course_lib/models/ica.py", {"tests/models/test_ica.py": WHOLE}),
    ("course_lib/measure/likelihood.py", {"tests/experiments/test_pixelrnn_experiment.py": WHOLE}),  # who uses it
    ("course_lib/plots/charts.py", {"tests/plots/test_plots.py": WHOLE}),  # by `plots.bars`
    ("course_lib/training/loop.py", {"tests/test_same_run.py": WHOLE}),  # by `_HOME`
    ("course_lib/commands/train.py", {"tests/commands/test_train.py": WHOLE}),
    ("course_lib/commands/outputs.py", {"tests/commands/test_train.py": WHOLE}),  # by what imports it
    ("course_lib/__main__.py", {"tests/commands/test_train.py": WHOLE}),  # by what it imports
    ("course_lib/experiments/mmd2d.py", {"tests/experiments/test_mmd2d.py": WHOLE,
                                         "tests/test_contract.py": {"mmd2d"}}),
    ("course_lib/chapters/nb02/exercises.py", {"tests/chapters/nb02/test_claims.py": WHOLE,
                                               "tests/test_exercises.py": {"02_", "02."}}),
    ("course_lib/live/marks.js", {"tests/live/test_assets.py": WHOLE, "tests/live/test_views.py": WHOLE}),
    ("notebooks/source/02b_hmm_crf.py", {"tests/chapters/nb02b/test_claims.py": WHOLE,
                                         "tests/authoring/test_notation.py": WHOLE,
                                         "tests/authoring/test_build.py": WHOLE,
                                         "tests/authoring/test_lint.py": WHOLE,
                                         "tests/authoring/test_glossary.py": WHOLE,
                                         "tests/test_exercises.py": {"02b_", "02b."}}),
    ("notebooks/04_vae.ipynb", {"tests/authoring/test_build.py": WHOLE}),
    ("docs/notation.md", {"tests/authoring/test_notation.py": WHOLE}),
    ("tests/models/test_ica.py", {"tests/models/test_ica.py": WHOLE}),
    ("tests/one_device.py", {"tests/test_contract.py": WHOLE, "tests/test_one_device.py": WHOLE}),
    ("tests/test_exercises.py", {"tests/test_exercises.py": WHOLE}),
])
def test_what_a_change_of_each_kind_selects(file, selected):
    chosen = changed.select([file])
    assert {test: chosen.get(test) for test in selected} == selected


@pytest.mark.parametrize("file", ["course_lib/models/ica.py", "course_lib/measure/shape.py",
                                  "course_lib/live/session.py", "course_lib/chapters/nb02/exercises.py",
                                  "course_lib/experiments/mmd2d.py", "notebooks/source/02_gaussian_mixtures.py"])
def test_a_leaf_does_not_select_the_whole_suite(file):
    assert len(changed.select([file])) <= 9 < len(changed.test_files()) / 10


def test_a_part_of_a_file_is_run_on_its_own_and_never_beside_the_whole_of_it():
    part = ["course_lib/experiments/mmd2d.py", "course_lib/experiments/flow.py"]
    first, *rest = changed.runs_of(changed.select(part))
    assert first[0] == changed.FIRST and "tests/test_contract.py" not in first
    assert rest == [["tests/test_contract.py", "-k", "flow or mmd2d"]]
    for files in ([*part, "tests/test_contract.py"], ["tests/test_contract.py", *part]):
        (only,) = changed.runs_of(changed.select(files))
        assert "tests/test_contract.py" in only and "-k" not in only


def test_what_is_gone_or_unknown_selects_nothing_of_its_own():
    assert changed.select(["tests/test_gone.py", "course_lib/models/never_there.py", f"{'no' * 3}.txt"]) == {}
    assert changed.runs_of({}) == [[changed.FIRST]]
