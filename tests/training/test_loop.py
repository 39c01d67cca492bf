"""The loop and its file: resume bit for bit, whole checkpoints, Ctrl-C between two steps."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny_experiment import Tiny, trained

import course_lib
from course_lib.training import load, run, save


def test_resuming_continues_bit_for_bit(tmp_path):
    whole = trained(80, hidden=8)
    save(trained(50, hidden=8), tmp_path / "half.pt")
    resumed = Tiny(seed=9)
    load(resumed, tmp_path / "half.pt")
    assert resumed.steps == 50 and resumed.hyperparameters.hidden == 8
    for _ in run(resumed, 30, progress=False):
        pass
    assert resumed.digest() == whole.digest()


SAVER = """
import sys, torch
sys.path[:0] = {path!r}
from tiny_experiment import Tiny
from course_lib.training import save
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

    def training_step(self):
        if self.steps == 7:
            signal.raise_signal(signal.SIGINT)
        return super().training_step()


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


def test_run_does_each_step_when_it_is_asked_for():
    experiment = Tiny()
    metrics = run(experiment, 3, progress=False)
    assert experiment.steps == 0
    assert set(next(metrics)) == {"loss_d", "loss_g"} and experiment.steps == 1
    assert len(list(metrics)) == 2 and experiment.steps == 3
