"""Slow motion through the trainer and the lab: phases, what interrupts them, drawing, replay."""

import threading

import numpy as np
import pytest

from course_lib.experiments.gan2d import EXAMPLES, GAN2DExperiment, GAN2DHyperparameters
from course_lib.live import Trainer, gan2d_lab
from course_lib.training import run

WHOLE = 2 * len(GAN2DExperiment.PHASES)  # phases of an update with one step of D
H = GAN2DHyperparameters(d_steps=1, batch_size=8)


@pytest.fixture
def trainer():
    trainer = Trainer(GAN2DExperiment(H), limit=9)
    yield trainer
    trainer.close()


@pytest.fixture
def lab(monkeypatch):
    monkeypatch.delenv("COURSE_HEADLESS", raising=False)
    lab = gan2d_lab(H)
    yield lab
    lab.close()
    assert not [t for t in threading.enumerate() if t.name == "course-trainer"]


def walk(trainer, phases):
    for _ in range(phases):
        trainer.phase()
    trainer.wait(60)


def plain(steps, **late):
    experiment = GAN2DExperiment(H)
    for _ in run(experiment, steps, progress=False):
        pass
    if late:
        experiment.set(**late)
    return experiment


def test_phases_make_steps_and_full_speed_goes_on_from_there(trainer):
    walk(trainer, WHOLE + 3)
    assert (trainer.state, trainer.steps, trainer.ask(lambda e: e.done)) == ("paused", 1, 3)
    assert len(trainer.history.arrays()["step"]) == 1
    trainer.run(2)
    assert trainer.steps == 3 and len(trainer.history.arrays()["step"]) == 3
    assert trainer.ask(lambda e: e.digest()) == plain(3).digest()


def test_a_knob_turned_on_the_way_waits_for_the_whole_update(trainer):
    walk(trainer, 5)
    trainer.set(learning_rate_g=1e-4)
    trainer.wait(60)
    assert (trainer.steps, trainer.sessions[-1].changes[0].step) == (1, 1)
    assert trainer.ask(lambda e: e.digest()) == plain(1, learning_rate_g=1e-4).digest()
    walk(trainer, WHOLE + 2)
    trainer.run(1)
    digest = trainer.ask(lambda e: e.digest())
    trainer.replay()
    trainer.wait(60)
    assert trainer.steps == 3 and trainer.ask(lambda e: e.digest()) == digest


def test_a_reset_drops_the_update_and_the_last_phase_may_end_the_run(trainer):
    walk(trainer, 4)
    trainer.reset()
    trainer.run(8)
    walk(trainer, WHOLE - 1)
    assert trainer.state == "paused"
    walk(trainer, 1)
    assert (trainer.state, trainer.steps) == ("done", 9)
    walk(trainer, 1)
    assert trainer.ask(lambda e: e.done) == 0
    assert trainer.ask(lambda e: e.digest()) == plain(9).digest()


def test_the_lab_tells_the_page_where_it_is(lab):
    sent = []
    lab._canvas.push = lambda status, arrays, urgent: sent.append((status, arrays))
    lab._buttons["phase"].click()
    lab.trainer.wait(60)
    status, arrays = sent[-1]
    assert status["walk"]["at"] == [0, 0] and status["walk"]["says"].startswith("Draw 8 points of noise")
    assert arrays["noise"].shape == (8, 2) and arrays["fake"].shape == (0, 2)


def test_drawing_begins_anew_with_what_was_drawn(lab):
    (pad,) = lab._pads
    lab.trainer.run(2)
    pad.pixels = (EXAMPLES[1] * 255).round().astype(np.uint8).tobytes()
    lab.trainer.wait(60)
    drawing = lab.trainer.ask(lambda e: e.hyperparameters.drawing)
    assert lab.trainer.ask(lambda e: (e.steps, e.hyperparameters.data)) == (0, "drawn")
    assert lab._knobs["data"].value == "drawn" and drawing not in lab.trainer.changed
    assert lab.trainer.changed.startswith("data ring → drawn, your drawing at step 2")
    pad.pixels = bytes(24 * 24)  # cleared: nothing to learn from, so nothing changes
    lab.trainer.wait(60)
    assert lab.trainer.ask(lambda e: e.hyperparameters.drawing) == drawing and lab.trainer.error is None


def test_every_menu_of_the_lab_can_be_chosen(lab):
    for name, knob in GAN2DHyperparameters.fields().items():
        for choice in knob.choices or ():
            lab._knobs[name].value = choice
            lab.trainer.run(1)
            assert lab.trainer.ask(lambda e, name=name: getattr(e.hyperparameters, name)) == choice
    assert "drawing" not in lab._knobs


def test_headless_it_trains_as_the_plain_loop_does(monkeypatch):
    monkeypatch.setenv("COURSE_HEADLESS", "1")
    assert gan2d_lab(H, headless_steps=3).digest() == plain(3).digest()
