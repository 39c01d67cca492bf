"""The same seed and the same hyperparameters give the same parameters, wherever the 1-D GAN is trained."""

import re

import pytest

from course_lib.commands import main as cli
from course_lib.experiments.gan1d import TEXTBOOK, GAN1DExperiment
from course_lib.live import Curve, Density, LiveLab
from course_lib.training import run

STEPS, SEED = 60, 7
VIEWS = [Density("real_density", "generated_density", grid="grid", lines=["decision"]), Curve("loss_d", "loss_g")]


@pytest.fixture
def plain_loop() -> str:
    experiment = GAN1DExperiment(TEXTBOOK, SEED)
    for _ in run(experiment, STEPS, progress=False):
        pass
    return experiment.digest()


def test_command_line(plain_loop, tmp_path, capsys):
    cli.main(["train", "gan1d", "--num-steps", str(STEPS), "--seed", str(SEED), "--plot-path", str(tmp_path / "a.png")])
    assert re.search(r"digest (\w+)", capsys.readouterr().err)[1] == plain_loop


def test_live_and_replayed(plain_loop):
    lab = LiveLab(GAN1DExperiment(TEXTBOOK, SEED), VIEWS)
    try:
        lab.trainer.run(STEPS)
        assert lab.digest() == plain_loop
        lab.trainer.set(learning_rate_g=5e-3)
        lab.trainer.run(STEPS)
        turned = lab.digest()
        session = lab.trainer.sessions[-1]
    finally:
        lab.close()
    again = GAN1DExperiment()
    session.replay(again, 2 * STEPS)
    assert again.digest() == turned != plain_loop


def test_headless(plain_loop, monkeypatch):
    monkeypatch.setenv("COURSE_HEADLESS", "1")
    assert LiveLab(GAN1DExperiment(TEXTBOOK, SEED), VIEWS, headless_steps=STEPS).digest() == plain_loop
