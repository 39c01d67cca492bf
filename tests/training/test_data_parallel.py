"""Several processes share the steps of a run, by gloo on loopback; one process alone notices nothing of it."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from sharing_processes import ROOT, ended, of_ours, started, surroundings
from tiny_experiment import Tiny

from course_lib.experiments.vae import VAEExperiment
from course_lib.training import load, parallel
from course_lib.training.registry import experiment_class, families
from course_lib.training.step import compute_gradients

SMALL = ["train", "vae", "--set", "width=16", "--set", "batch_size=8", "--save", "run.pt"]
WITHOUT_END = [*SMALL, "--num-steps", "1000000", "--log-every", "1000000"]
SAVES_OFTEN = """
import sys
from course_lib.commands import outputs
outputs.SAVE_EVERY = 5
from course_lib.commands.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def found():
    """What each of two processes found (`sharing_processes.main`), and what they printed first."""
    said = ended(started([ROOT / "tests/sharing_processes.py"]))
    assert all(out for out, _ in said), said
    (first, *_, one), (two,) = (out.splitlines() for out, _ in said)
    return [json.loads(line) for line in (one, two)], first


@pytest.mark.thorough
def test_the_first_process_says_how_many_there_are(found):
    (one, two), first = found
    assert first == "processes: 2"
    assert (one["rank"], two["rank"]) == (0, 1) and one["processes"] == two["processes"] == 2
    assert one["afterwards"] == two["afterwards"] == 1


@pytest.mark.parametrize(("dtype", "rounding"), [("float32", 1e-5), ("float64", 1e-12)])
def test_the_gradient_is_that_of_one_process_on_the_joined_batch(found, dtype, rounding):
    for one in found[0]:
        assert one[dtype]["error"] < rounding < 0.01 < one[dtype]["apart"]


def test_each_process_draws_images_and_noise_of_its_own(found):
    for one in found[0]:
        assert one["float32"]["images"] > 0.05 and one["float32"]["noise"] > 0.5


def test_an_epoch_is_shared_and_no_example_comes_twice(found):
    one, two = (each["picked"] for each in found[0])
    assert len({*one[0], *two[0], *one[1], *two[1]}) == 16
    assert len({*one[2], *two[2]}) == 8, "a new order, and the same for both"
    assert found[0][0]["too many"] == "a batch of 12 needs as many examples, and there are 10"


def test_every_family_that_follows_gradients_stays_equal(found):
    one, two = (each["digests"] for each in found[0])
    assert one == two and one.keys() == families().keys() - {"rbm"}
    assert found[0][0]["dcgan"] == found[0][1]["dcgan"]
    mean = found[0][0]["running mean"]
    assert mean == found[0][1]["running mean"] and any(mean)


def test_a_run_that_was_saved_goes_on_to_the_same_digest(found):
    for name in ("vae", "dcgan"):
        (whole, resumed), (other, _) = (each["resumed"][name] for each in found[0])
        assert whole == resumed == other


def test_what_cannot_be_shared_is_refused(found, monkeypatch):
    for one in found[0]:
        assert one["alike"] == "nothing" and one["rbm"].startswith("several processes can share only steps that follow")
        assert one["unlike"].startswith("the processes do not begin at the same state")
    monkeypatch.setattr(parallel, "processes", lambda: 2)
    with pytest.raises(ValueError, match="on the CPU alone, not on cuda"):
        parallel.require_shareable(SimpleNamespace(shareable=True, device=torch.device("cuda")))


# The command.


@pytest.mark.thorough
def test_torchrun_says_how_many_it_started_and_one_of_them_prints(tmp_path):
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    training = ["-m", "course_lib", *SMALL, "--num-steps", "20", "--log-every", "10"]
    done = subprocess.run([sys.executable, *torchrun, *training], env=surroundings(0, 1, 0), cwd=tmp_path, text=True,
                          encoding="utf-8", capture_output=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    out = of_ours(done.stdout)
    assert [line.split()[0] for line in out.splitlines()] == ["processes:", "10:", "20:"]
    assert out.startswith("processes: 2\n") and done.stderr.count("digest") == 1
    experiment = VAEExperiment()
    load(experiment, tmp_path / "run.pt")
    assert experiment.digest() in done.stderr and experiment.steps == 20
    assert int(experiment.batches.place) == 20 * 2 * experiment.hyperparameters.batch_size


@pytest.fixture
def running(tmp_path):
    """Two processes that train and save, once there is a checkpoint."""
    both = started(["-c", SAVES_OFTEN, *WITHOUT_END], cwd=tmp_path)
    until = time.monotonic() + 30
    while not (tmp_path / "run.pt").exists() and all(process.poll() is None for process in both):
        assert time.monotonic() < until
        time.sleep(0.05)
    yield both
    for process in both:
        process.kill()


def the_checkpoint(folder: Path) -> VAEExperiment:
    """What is in the one file of a folder."""
    assert [path.name for path in folder.iterdir()] == ["run.pt"]
    experiment = VAEExperiment()
    load(experiment, folder / "run.pt")
    return experiment


def test_a_process_that_dies_ends_the_other_with_a_word_and_the_checkpoint_is_whole(running, tmp_path):
    running[1].kill()
    (out, err), _ = ended(running, 25)
    assert out == "processes: 2\n" and running[0].returncode == 1
    assert err == ("stopped: another process of this run has ended, or does not answer; "
                   "what was saved so far is whole\n")
    experiment = the_checkpoint(tmp_path)
    assert experiment.steps > 0 and experiment.steps % 5 == 0
    experiment.step()


@pytest.mark.thorough
@pytest.mark.skipif(not hasattr(signal, "SIGTERM") or sys.platform == "win32", reason="no signal that can be caught")
def test_a_signal_to_one_ends_both_after_the_same_step(running, tmp_path):
    running[1].send_signal(signal.SIGTERM)
    (_, err), said = ended(running, 25)
    assert [process.returncode for process in running] == [128 + signal.SIGTERM] * 2 and said == ("", "")
    experiment = the_checkpoint(tmp_path)
    assert "stopped by SIGTERM" in err
    assert re.search(r"step (\d+), digest (\w+)", err).groups() == (str(experiment.steps), experiment.digest())


# One process alone.


@pytest.fixture
def no_exchange(monkeypatch):
    monkeypatch.setattr(parallel, "_answered", lambda *_, **__: pytest.fail("there is nobody to exchange with"))


def test_one_process_exchanges_nothing_and_draws_as_ever(no_exchange):
    experiment = Tiny()
    before = experiment.draws.get_state()
    with parallel.shared_step(experiment):
        assert torch.equal(experiment.draws.get_state(), before)
    assert (parallel.processes(), parallel.rank(), parallel.largest(7)) == (1, 0, 7)
    x = torch.ones(3, requires_grad=True)
    compute_gradients(torch.optim.SGD([x]), (2 * x).sum())
    parallel.from_first([x])
    parallel.require_shareable(experiment)
    assert x.grad.tolist() == [2, 2, 2]


def test_without_a_launcher_nothing_is_begun(no_exchange, monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "2")  # as some clusters leave it lying about
    monkeypatch.delenv("RANK", raising=False)
    with parallel.together():
        assert not torch.distributed.is_initialized()
    assert capsys.readouterr().out == ""


def test_a_launcher_that_starts_one_alone_is_found_out(monkeypatch, capsys):
    for name, value in {**surroundings(0, 1, 0), "MASTER_PORT": "0"}.items():
        monkeypatch.setenv(name, value)
    with parallel.together():
        assert torch.distributed.is_initialized() and parallel.processes() == 1
    assert of_ours(capsys.readouterr().out) == "processes: 1\n" and not torch.distributed.is_initialized()


def test_who_follows_gradients_is_shareable():
    assert {name for name in families() if not experiment_class(name).shareable} == {"rbm"}
