"""One helper makes generators of written seeds, and `COURSE_SEED` moves them all."""

import re
from pathlib import Path

import pytest
import torch

from course_lib.experiments.fool import FoolExperiment
from course_lib.seeds import seeded

ROOT = Path(__file__).resolve().parents[1]
DEFINITIONS = {  # a seed that is part of what something is, not of a run of it
    "precision.py": "the product that is timed", "digits8.py": "which digits are the test set",
    "seeds.py": "the helper", "run_cells.py": "how labels are shuffled on purpose",
    "exercises.py": "the cases that a student's function is tried with"}


def test_a_seed_is_that_of_torch():
    assert torch.rand(3, generator=seeded(7)).equal(torch.rand(3, generator=torch.Generator().manual_seed(7)))
    assert seeded().initial_seed() == 0


def test_the_offset_moves_every_written_seed(monkeypatch):
    plain, next_one = FoolExperiment(seed=0), FoolExperiment(seed=1)
    monkeypatch.setenv("COURSE_SEED", "1")
    moved = FoolExperiment(seed=0)
    assert seeded(7).initial_seed() == 8 and moved.seed == 0
    for e in (plain, next_one, moved):
        e.step()
    generators = [e.components()["rng"].get_state() for e in (plain, next_one, moved)]
    assert generators[1].equal(generators[2]) and not generators[0].equal(generators[2])


@pytest.mark.parametrize("told", ["-1", "one", "", "1.5"])
def test_an_offset_that_is_none_is_told(monkeypatch, told):
    monkeypatch.setenv("COURSE_SEED", told)
    with pytest.raises(ValueError, match="COURSE_SEED must be a whole number from 0 on"):
        seeded()


def test_nothing_else_in_the_library_makes_a_generator_of_a_seed():
    made = {p.name for p in (ROOT / "course_lib").rglob("*.py") if "chapters" not in p.parts
            and re.search(r"Generator\([^()]*\)\.manual_seed|default_rng\((\d|seed)", p.read_text(encoding="utf-8"))}
    assert made == {*DEFINITIONS}
