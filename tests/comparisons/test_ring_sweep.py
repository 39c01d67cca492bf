"""The ring with settings swept: the record has every game, and choices are made on seeds of their own."""

from pathlib import Path

import pytest

from course_lib.comparisons import ring_sweep
from course_lib.comparisons.ring_sweep import (
    TUNING_SEEDS,
    VARIANTS,
    chosen,
    evaluated,
    recorded,
    settings_of,
    tuning,
    without_pairs,
)
from course_lib.comparisons.runs import read_record, write_record
from course_lib.files import CourseFileError

SEEDS = Path(__file__).parents[2] / "benchmarks" / "evaluation_seeds_gan2d.txt"


def test_every_variant_meets_the_same_rates_and_penalties():
    assert len(settings_of("vanilla")) == len(ring_sweep.RATES)
    asked = {name: {(s["learning_rate"], s["penalty"]) for s in settings_of(name)} for name in VARIANTS[1:]}
    assert len(set(map(frozenset, asked.values()))) == 1 and len(asked["R1"]) == 4


def test_the_record_has_every_setting_and_the_committed_seeds():
    committed = [int(line) for line in SEEDS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert not set(committed) & set(TUNING_SEEDS)
    games = 0
    for name in VARIANTS:
        for setting in settings_of(name):
            assert tuning(setting)["seed"].tolist() == list(TUNING_SEEDS)
            games += len(recorded(setting)["seed"])
            assert len(evaluated(setting)["seed"]) == 0 or setting == chosen(name)
        final = evaluated(chosen(name))
        seeds = final["seed"].tolist()
        assert len(seeds) >= 4 and seeds == committed[:len(seeds)]
        assert 0 <= final["near"].min() <= final["covered"].max() <= 8
    again = recorded(without_pairs())
    assert again["seed"].tolist() == final["seed"].tolist() and set(without_pairs()) == set(chosen("R3GAN"))
    assert games + len(again["seed"]) == len(read_record(ring_sweep.RECORD))


def test_what_is_chosen_has_the_least_js_on_the_seeds_of_tuning(tmp_path, monkeypatch):
    monkeypatch.setattr(ring_sweep, "RECORD", tmp_path / "ring_sweep.jsonl")
    js = iter((0.5, 0.1))  # the committed seed of the first would turn that round
    games = [({**setting, "seed": seed}, {"covered": 8, "near": 0.9, "js": next(js)})
             for setting in settings_of("vanilla") for seed in TUNING_SEEDS]
    games.append(({**settings_of("vanilla")[0], "seed": 4193}, {"covered": 8, "near": 0.9, "js": -1.0}))
    write_record(ring_sweep.RECORD, games)
    assert chosen("vanilla") == settings_of("vanilla")[1]
    with pytest.raises(KeyError, match="no game of"):
        recorded(settings_of("R1")[0])


def test_a_game_is_played_and_scored():
    found = ring_sweep.play("R3GAN", 4e-3, seed=0, steps=40, penalty=0.1)
    assert set(found) == {"covered", "near", "js"} and 0 < found["js"] <= 0.6932
    assert found == ring_sweep.play("R3GAN", 4e-3, seed=0, steps=40, penalty=0.1)


def test_a_record_that_is_missing_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(ring_sweep, "RECORD", tmp_path / "none" / "ring_sweep.jsonl")
    with pytest.raises(CourseFileError, match="none"):
        recorded(settings_of("R1")[0])
