"""A lab without a browser: headless, its digest, its controls, its registry."""

import re
import sys
import threading
from types import ModuleType

import pytest
from IPython.core.interactiveshell import InteractiveShell
from tiny_experiment import Exploding, Tiny

from course_lib.live import Curve, Density, LiveLab
from course_lib.live import lab as lab_module
from course_lib.live.controls import control, show
from course_lib.training import run
from course_lib.training.hyperparameters import Field

VIEWS = [Density("real", "generated", grid="x", lines=("decision",)), Curve("loss_d", "loss_g")]


@pytest.fixture
def headless(monkeypatch):
    monkeypatch.setenv("COURSE_HEADLESS", "1")


@pytest.fixture
def live(monkeypatch):
    monkeypatch.delenv("COURSE_HEADLESS", raising=False)
    made = []
    yield lambda *args, **kwargs: made.append(LiveLab(*args, **kwargs)) or made[-1]
    for lab in made:
        lab.close()
    assert not [t for t in threading.enumerate() if t.name == "course-trainer"]


def test_headless_live_and_the_plain_loop_have_one_digest(monkeypatch, live):
    plain = Tiny()
    for _ in run(plain, 60, progress=False):
        pass
    lab = live(Tiny(), VIEWS)
    lab.trainer.run(60)
    assert lab.digest() == plain.digest()
    monkeypatch.setenv("COURSE_HEADLESS", "1")
    assert LiveLab(Tiny(), VIEWS, headless_steps=60).digest() == plain.digest()


def test_headless_shows_one_picture_and_leaves_no_thread(headless, monkeypatch):
    shell, shown = InteractiveShell.instance(), []
    monkeypatch.setattr(shell.display_pub, "publish",
                        lambda data, metadata, **options: shown.append((data, metadata)))
    before = threading.active_count()
    LiveLab(Tiny(), VIEWS, headless_steps=5)._ipython_display_()
    (data, metadata), = shown
    assert sorted(data) == ["image/png", "text/html", "text/plain"]
    assert data["text/html"].startswith('<img src="data:image/png')
    assert 'alt="After 5 steps' in data["text/html"] and "run this cell" not in data["text/html"]
    assert re.fullmatch(r"After 5 steps\. real highest at \S+, generated highest at \S+, decision from \S+ to \S+\. "
                        r"from high to low loss \w \S+, loss \w \S+", data["text/plain"])
    assert metadata["image/png"]["alt"] == data["text/plain"] and metadata["image/png"]["width"] > 300
    assert threading.active_count() == before


def test_in_colab_it_trains_at_once_and_has_no_controls(monkeypatch):
    monkeypatch.delenv("COURSE_HEADLESS", raising=False)
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    lab, plain = LiveLab(Tiny(), VIEWS, headless_steps=20), Tiny()
    for _ in run(plain, 20, progress=False):
        pass
    assert lab.trainer is None and lab.digest() == plain.digest()


def test_headless_raises_what_training_raises(headless):
    with pytest.raises(RuntimeError, match="fuse"):
        LiveLab(Exploding(), VIEWS, headless_steps=50)


def test_a_view_of_nothing_is_refused_when_the_lab_is_made(live):
    with pytest.raises(KeyError, match=r"a view draws 'reel', but there is only .*real"):
        live(Tiny(), [Density("reel", grid="x")])


def test_a_metric_that_does_not_exist_stops_training_and_is_told(live):
    lab = live(Tiny(), [Curve("loss_c")])
    with pytest.raises(KeyError, match=r"metric:loss_c.*metric:loss_d"):
        lab.trainer.run(3)


def test_an_error_in_training_is_told_from_where_the_experiment_begins(live):
    lab = live(Exploding(), VIEWS)
    sent = []
    lab._canvas.push = lambda status, arrays, urgent: sent.append((status, arrays))
    with pytest.raises(RuntimeError, match="fuse"):
        lab.trainer.run(100)
    status, arrays = sent[-1]
    assert status["state"] == "error" and "RuntimeError: the fuse was 29 steps long" in status["error"]
    assert "tiny_experiment.py" in status["error"] and "live/trainer.py" not in status["error"]
    assert len(arrays["metric:loss_d"]) == 29
    assert "stopped by RuntimeError" in lab._still()[0]["text/plain"]


def test_making_the_lab_of_a_cell_again_closes_the_old_one(live):
    old = live(Tiny(), VIEWS, name="fight")
    old.trainer.start()
    other = live(Tiny(), VIEWS, name="other")
    new = live(Tiny(), VIEWS, name="fight")
    assert (old.trainer.state, other.trainer.state, new.trainer.state) == ("closed", "idle", "idle")
    assert lab_module._open["fight"] is new


def test_a_knob_changes_what_is_trained_and_a_replay_turns_it_back(live):
    lab = live(Tiny(), VIEWS)
    lab.trainer.run(200)
    lab._knobs["lr_d"].value = 0.05
    lab.trainer.run(200)
    assert lab.trainer.ask(lambda e: e.opt_d.param_groups[0]["lr"]) == pytest.approx(0.05)
    digest = lab.digest()
    seen = []
    lab._knobs["lr_d"].observe(lambda change: seen.append(change["new"]), "value")
    lab.trainer.replay()
    lab.trainer.wait(60)
    assert lab.digest() == digest
    assert seen == [pytest.approx(0.002), pytest.approx(0.05)]
    assert len(lab.trainer.sessions[-1].changes) == 1, "the replay itself is no change"


def test_a_lab_may_show_some_knobs_only(live):
    lab = live(Tiny(), VIEWS, knobs=["lr_d"])
    assert list(lab._knobs) == ["lr_d"]
    lab.trainer.set(lr_d=0.05)
    lab.trainer.run(3)
    assert lab._knobs["lr_d"].value == pytest.approx(0.05)
    with pytest.raises(KeyError, match="lr_e"):
        live(Tiny(), VIEWS, knobs=["lr_e"])


def test_the_page_gets_the_help_of_every_control(live):
    lab = live(Tiny(), VIEWS)
    assert lab._canvas.help == {knob.description: knob.tooltip for knob in lab._knobs.values()}
    assert lab._canvas.help["noise"] == "What G is fed with."


@pytest.mark.parametrize("end", ["low", "high"])
def test_every_control_reaches_both_ends_of_its_range(live, end):
    lab = live(Tiny(), VIEWS)
    for name, knob in Tiny.Hyperparameters.fields().items():
        widget = lab._knobs[name]
        if knob.choices is not None:
            widget.value = knob.choices[0 if end == "low" else -1]
        elif hasattr(widget, "index"):
            widget.index = 0 if end == "low" else len(widget.options) - 1
        elif hasattr(widget, "min"):
            widget.value = widget.min if end == "low" else widget.max
        else:
            widget.value = end == "high"
        lab.trainer.run(2)
        expected = widget.value if knob.low is None else getattr(knob, end)
        assert lab.trainer.ask(lambda e, name=name: getattr(e.hyperparameters, name)) == expected


def test_sliders_stop_at_round_numbers_and_show_any_other():
    knob = Tiny.Hyperparameters.fields()["lr_d"]
    slider = control(knob, 0.00123)
    stops = list(dict(slider.options).values())
    assert slider.value == 0.00123 and {knob.low, 1e-3, 2e-3, knob.high} < set(stops) and stops == sorted(stops)
    show(slider, 0.00456)
    assert slider.value == 0.00456
    assert slider.tooltip == "Step size of D's Adam. From 1e-05 to 0.1."


def test_half_bounded_and_whole_log_hyperparameters_have_controls():
    box = control(Field("size", "Any size.", low=1), 5)
    box.value = -3
    assert box.value == 1
    batch = control(Field("batch", "Samples a step.", low=8, high=256, log=True), 32)
    assert list(dict(batch.options).values()) == [8, 16, 32, 64, 128, 256]
