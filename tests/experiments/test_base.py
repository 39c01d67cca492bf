"""The contract: resume bit for bit, whole checkpoints, Ctrl-C, refused values, restarts, and the digest."""

import copy
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny_experiment import Tiny, TinyHyperparameters

import course_lib
from course_lib.experiments import load, run, save


def trained(steps, **hyperparameters):
    experiment = Tiny(TinyHyperparameters(**hyperparameters))
    for _ in run(experiment, steps, progress=False):
        pass
    return experiment


def test_resuming_continues_bit_for_bit(tmp_path):
    whole = trained(80, hidden=8)
    save(trained(50, hidden=8), tmp_path / "half.pt")
    resumed = Tiny(seed=9)
    load(resumed, tmp_path / "half.pt")
    assert resumed.steps == 50 and resumed.hyperparameters.hidden == 8
    for _ in run(resumed, 30, progress=False):
        pass
    assert resumed.digest() == whole.digest()


def test_a_state_that_was_loaded_stays_as_it_was():
    state = copy.deepcopy(trained(10).state_dict())
    digests = []
    for _ in range(2):
        experiment = Tiny()
        experiment.load_state_dict(state)
        digests.append(experiment.digest())
        experiment.step()
    assert digests[0] == digests[1]


def test_the_state_of_another_experiment_is_refused():
    class Other(Tiny):
        pass

    with pytest.raises(ValueError, match="state of a Tiny, not of a Other"):
        Other().load_state_dict(Tiny().state_dict())


SAVER = """
import sys, torch
sys.path[:0] = {path!r}
from tiny_experiment import Tiny
from course_lib.experiments import save
experiment = Tiny()
save(experiment, {target!r})
real = torch.save
def slow(state, file):
    real(state, file)
    file.flush()
    file.seek(file.tell() // 2)
    file.truncate()
    print("half way", flush=True)
    sys.stdin.read()
torch.save = slow
experiment.step()
save(experiment, {target!r})
"""


def test_kill_in_the_middle_of_a_save_leaves_the_old_checkpoint_whole(tmp_path):
    target = tmp_path / "model.pt"
    path = [str(Path(__file__).parents[1]), str(Path(course_lib.__file__).parents[1])]
    code = SAVER.format(path=path, target=str(target))
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "half way\n"
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    experiment = Tiny(seed=4)
    load(experiment, target)
    assert experiment.steps == 0 and experiment.digest() == Tiny().digest()


def test_a_save_that_fails_leaves_the_old_checkpoint_and_no_rubbish(tmp_path, monkeypatch):
    target = tmp_path / "model.pt"
    experiment = trained(3)
    save(experiment, target)

    def full(state, file):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="disk full"):
        save(trained(5), target)
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == ["model.pt"]
    resumed = Tiny()
    load(resumed, target)
    assert resumed.digest() == experiment.digest()


class Interrupted(Tiny):
    """Ctrl-C arrives in the middle of the 8th update."""

    def update(self):
        if self.steps == 7:
            signal.raise_signal(signal.SIGINT)
        return super().update()


def test_ctrl_c_leaves_a_usable_state():
    experiment, before = Interrupted(), signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt, match="step 8"):
        for _ in run(experiment, 100, progress=False):
            pass
    assert experiment.steps == 8 and signal.getsignal(signal.SIGINT) is before
    for _ in run(experiment, 4, progress=False):
        pass
    plain = trained(12)
    assert experiment.state_dict()["parts"]["draws"].equal(plain.state_dict()["parts"]["draws"])
    assert all(torch.equal(a, b) for a, b in zip(experiment.g.parameters(), plain.g.parameters(), strict=True))


def test_unknown_hyperparameters_are_refused_with_the_nearest_name():
    with pytest.raises(ValueError, match="unknown hyperparameter 'hiden': did you mean 'hidden'"):
        Tiny().set(hiden=8)
    with pytest.raises(ValueError, match="known: lr_d, lr_g"):
        Tiny().set(zzz=8)


@pytest.mark.parametrize(("name", "value"), [("lr_d", 0.0), ("lr_d", float("nan")), ("hidden", 65), ("noise", "pink")])
def test_values_outside_the_declared_range_are_refused(name, value):
    experiment = Tiny()
    before = experiment.digest()
    with pytest.raises(ValueError, match=name):
        experiment.set(**{name: value})
    assert experiment.digest() == before


@pytest.mark.parametrize(("name", "value"), [("hidden", 8.0), ("hidden", True), ("noise", 3), ("saturating", 1)])
def test_values_of_another_type_are_refused(name, value):
    with pytest.raises(TypeError, match=name):
        TinyHyperparameters(**{name: value})


def test_a_whole_number_will_do_for_a_float():
    assert TinyHyperparameters(smooth=0).smooth == 0.0


def test_set_goes_on_or_begins_anew_as_declared():
    experiment = trained(5)
    assert experiment.set(lr_d=0.01) is False
    assert experiment.steps == 5 and experiment.opt_d.param_groups[0]["lr"] == 0.01
    assert experiment.set(hidden=8) is True
    assert experiment.steps == 0 and experiment.digest() == Tiny(TinyHyperparameters(hidden=8, lr_d=0.01)).digest()
    experiment.step()
    assert experiment.set(hidden=8) is False, "the same value needs no restart"


CHANGES = {
    "a weight": lambda e: next(e.g.parameters()).data[0].add_(1e-7),
    "a moment of the optimiser": lambda e: e.opt_d.state_dict()["state"][0]["exp_avg"].add_(1e-7),
    "a learning rate": lambda e: e.opt_g.param_groups[0].update(lr=0.5),
    "the generator": lambda e: torch.rand(1, generator=e.draws),
    "a hyperparameter": lambda e: e.set(smooth=0.1),
    "the seed": lambda e: setattr(e, "seed", 1),
    "the number of steps": lambda e: setattr(e, "steps", 6),
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_digest_hears_of(what):
    experiment = trained(5)
    before = experiment.digest()
    assert before == trained(5).digest()
    CHANGES[what](experiment)
    assert experiment.digest() != before


def test_a_snapshot_never_disturbs_training():
    quiet, watched = trained(10), Tiny()
    for _ in run(watched, 10, progress=False):
        watched.snapshot()
    assert watched.digest() == quiet.digest()


def test_run_does_each_step_when_it_is_asked_for():
    experiment = Tiny()
    metrics = run(experiment, 3, progress=False)
    assert experiment.steps == 0
    assert set(next(metrics)) == {"loss_d", "loss_g"} and experiment.steps == 1
    assert len(list(metrics)) == 2 and experiment.steps == 3
