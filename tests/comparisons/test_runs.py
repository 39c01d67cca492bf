"""`map_runs`: complete, in order, recorded, the same whoever does the work; with real workers, one of them killed."""

import json
import os
import signal

import pytest
import runs_to_map
import torch

from course_lib.comparisons.runs import RunsFailed, map_runs
from course_lib.files import CourseFileError

SEEDS = [{"seed": seed} for seed in range(6)]


def serial(function, settings, **options):
    return map_runs(function, settings, workers=1, progress=False, **options)


def test_results_come_in_the_order_of_the_settings_and_as_plain_as_json():
    results = serial(runs_to_map.draw, SEEDS[::-1])
    assert [r["seed"] for r in results] == [5, 4, 3, 2, 1, 0] and json.loads(json.dumps(results)) == results
    assert torch.tensor(results[0]["draws"]).equal(torch.randn(3, generator=torch.Generator().manual_seed(5)))


def test_what_is_recorded_is_not_run_again(tmp_path):
    settings = [{"seed": seed, "folder": str(tmp_path)} for seed in range(4)]
    record = tmp_path / "study.jsonl"
    assert serial(runs_to_map.counted, settings[:2], record=record) == [0, 1]
    assert serial(runs_to_map.counted, settings[::-1], record=record) == [9, 4, 1, 0]
    assert sorted(p.name[0] for p in tmp_path.iterdir() if p != record) == ["0", "1", "2", "3"]
    assert len(record.read_text(encoding="utf-8").splitlines()) == 4


def test_a_failed_run_names_its_setting_and_keeps_the_others(tmp_path):
    settings = [{"seed": seed, "folder": str(tmp_path)} for seed in range(4)]
    record = tmp_path / "study.jsonl"
    with pytest.raises(RunsFailed, match=r'(?s)2 of the runs failed.*"seed": 1\}: ArithmeticError: 1 is odd.*3 is odd'):
        serial(runs_to_map.fails_if_odd, settings, record=record)
    kept = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    assert [(entry["setting"]["seed"], entry["result"]) for entry in kept] == [(0, 0), (2, 2)]


@pytest.mark.parametrize(("settings", "told"), [([{"seed": 1}, {"seed": 1}], "two settings are alike"),
                                                ([{"seed": object()}], "a setting holds what JSON cannot")])
def test_settings_that_cannot_be_told_apart_or_written_are_refused(settings, told):
    with pytest.raises(ValueError, match=told):
        serial(runs_to_map.draw, settings)


def test_a_result_that_cannot_be_recorded_is_a_failure_with_its_setting():
    with pytest.raises(RunsFailed, match='"seed": 7}: TypeError: a run returned a object'):
        serial(runs_to_map.hopeless, [{"seed": 7}])


@pytest.mark.parametrize("line", ["{", '{"result": 1}', "[]", '{"setting": {"seed": 1}}'])
def test_a_record_that_is_none_is_told_with_its_line(tmp_path, line):
    record = tmp_path / "study.jsonl"
    record.write_text('{"setting": {"seed": 0}, "result": 1}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(CourseFileError, match=r"study\.jsonl, line 2, is no record of a run"):
        serial(runs_to_map.draw, SEEDS, record=record)
    assert record.read_text(encoding="utf-8").endswith(line + "\n")


def test_without_dask_one_is_told_what_to_do(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ImportError, match=r"course_lib\[cluster\]"):
        map_runs(runs_to_map.draw, SEEDS, progress=False)


# Real schedulers and workers, on loopback.


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills a process as POSIX does")
def test_two_workers_one_killed_on_the_way_give_the_table_of_one(tmp_path):
    settings = [setting | {"folder": str(tmp_path)} for setting in SEEDS]
    record = tmp_path / "study.jsonl"
    results = map_runs(runs_to_map.killed_once, settings, record=record, progress=False)
    assert (tmp_path / "killed").exists()
    assert results == serial(runs_to_map.killed_once, settings) == serial(runs_to_map.draw, SEEDS)
    assert len(record.read_text(encoding="utf-8").splitlines()) == len(SEEDS)


@pytest.mark.thorough
def test_a_scheduler_that_is_there_is_used_and_left_running(tmp_path):
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        pids = set(map_runs(runs_to_map.process, SEEDS, scheduler=cluster.scheduler_address, progress=False))
        with Client(cluster.scheduler_address, set_as_default=False) as client:
            assert pids == set(client.run(os.getpid).values()) and os.getpid() not in pids
        with pytest.raises(RunsFailed, match="ArithmeticError: 1 is odd"):
            map_runs(runs_to_map.fails_if_odd, [{"seed": 1, "folder": str(tmp_path)}],
                     scheduler=cluster.scheduler_address, progress=False)
        drawn = map_runs(runs_to_map.draw, SEEDS, scheduler=cluster, progress=False)  # as one of dask-gateway is given
        assert drawn == serial(runs_to_map.draw, SEEDS) and cluster.status.name == "running"
