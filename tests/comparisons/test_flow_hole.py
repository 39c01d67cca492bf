"""What flows put into the middle of a circle: the record is of today's settings, and is read as it was written."""

import dataclasses

import pytest

from course_lib.comparisons import flow_hole
from course_lib.files import CourseFileError


def test_the_record_is_of_todays_settings():
    rows = flow_hole.recorded()
    assert [row.steps for row in rows] == sorted(row.steps for row in rows) and 500 in [row.steps for row in rows]
    for row in rows:
        assert row.hyperparameters == dataclasses.asdict(flow_hole.SETTING)
        assert len(row.ratio) == len(row.kl) == len(row.seeds) == 3 and min(row.ratio) > 1 and min(row.kl) > 0


def test_a_flow_that_learned_nothing_fills_the_middle():
    """Untrained it is the noise itself, N(0, I): of that exp(−.18) lies outside the disc of radius .6."""
    ratio, kl = flow_hole.train_and_measure(0, 0)
    assert ratio > 1000 and 0.5 < kl < 2
    longer = flow_hole.train_and_measure(40, 0)
    assert longer[0] < ratio and longer[1] < kl


def test_what_is_recorded_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(flow_hole, "RECORD", tmp_path / "records" / "flow_hole.json")
    rows = [flow_hole.RecordRow({"kind": "spline"}, steps, [1, 2], [3.0, 4.0], [0.1, 0.2], 1.0) for steps in (20, 10)]
    flow_hole.record(rows)
    assert flow_hole.recorded() == rows[::-1]


def test_a_record_that_is_missing_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(flow_hole, "RECORD", tmp_path / "none" / "flow_hole.json")
    with pytest.raises(CourseFileError, match="none"):
        flow_hole.recorded()
