"""The register of families: read without torch, true to the files, and the one list of what is shipped."""

import dataclasses
import importlib
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import course_lib
from course_lib.training import registry
from course_lib.training.experiment import Experiment
from course_lib.training.registry import Family, experiment_class, families, register, shipped

ROOT = Path(course_lib.__file__).parents[1]


def test_families_are_read_without_torch_and_without_the_families():
    code = ("import sys; from course_lib.training.registry import families, shipped; "
            "assert len(families()) > 9 and shipped(); "
            "sys.exit('torch' in sys.modules or 'course_lib.experiments' in sys.modules)")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


@pytest.mark.parametrize("name", families())
def test_each_family_is_in_the_file_of_its_name_and_says_what_it_is(name):
    family, kind = families()[name], experiment_class(name)
    assert kind.__module__ == f"course_lib.experiments.{name}" and issubclass(kind, Experiment)
    assert family.summary and not family.summary.endswith(".") and family.prints[-1:] in ("", ".")
    assert [f.name for f in dataclasses.fields(kind.Hyperparameters)] == list(kind.Hyperparameters.fields())


def test_every_experiment_is_registered():
    made = set()
    for path in registry.FAMILIES.glob("[a-z]*.py"):
        module = importlib.import_module(f"course_lib.experiments.{path.stem}")
        classes = (k for _, k in inspect.getmembers(module, inspect.isclass) if k.__module__ == module.__name__)
        made |= {kind for kind in classes if issubclass(kind, Experiment) and not inspect.isabstract(kind)}
    known = {experiment_class(name) for name in families()}
    assert made == known


def test_what_measures_others_comes_first():
    first = [family.trained_first for family in families().values()]
    assert first == sorted(first, reverse=True) and sum(first) == 1


def test_a_class_in_a_file_of_another_name_is_refused():
    class Stray(Experiment):
        __module__ = "course_lib.experiments.vae"

    with pytest.raises(ValueError, match=r"Stray is registered as 'gan9d', so its file must be gan9d\.py"):
        register("gan9d", summary="nothing")(Stray)
    assert "gan9d" not in registry._classes


def test_a_family_is_declared_by_one_decorator(tmp_path):
    (tmp_path / "tiny.py").write_text('import torch\n\n@other\n@register("tiny", summary="a toy", trained_first=True,\n'
                                      'ships={"tiny_2": "tiny --num-steps " "2"})\nclass Tiny: pass\n',
                                      encoding="utf-8")
    assert registry._declared(tmp_path / "tiny.py") == [
        Family("tiny", "a toy", trained_first=True, ships={"tiny_2": "tiny --num-steps 2"})]


def test_a_family_that_was_renamed_is_found_by_its_old_name_and_is_listed_once():
    assert experiment_class("translator") is experiment_class("image_to_image")
    assert "translator" not in families()
    former = [family.formerly for family in families().values() if family.formerly]
    assert len({*former, *families()}) == len(former) + len(families()), "an old name means one family"


def test_an_unknown_family_is_told():
    with pytest.raises(KeyError, match=r"there is no model 'gan9d'; known: classifier, .*vae"):
        experiment_class("gan9d")


def test_what_is_shipped_is_what_the_cards_say():
    cards = {path.stem: json.loads(path.read_text(encoding="utf-8"))
             for path in (ROOT / "data" / "checkpoints").glob("*.json")}
    assert {name: f"python -m course_lib train {options}" for name, options in shipped().items()} == {
        name: card["command"] for name, card in cards.items()}
    assert all(name in families()[cards[name]["experiment"]].ships for name in cards)
