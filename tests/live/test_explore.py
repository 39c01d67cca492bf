"""Sliders that recompute: what they call, and what happens when it fails."""

import base64
import io
import sys
import threading

import ipywidgets as widgets
import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances
from PIL import Image

from course_lib.live import explore
from course_lib.live.picture import Picture
from course_lib.plots import curves, style

MODULE = sys.modules["course_lib.live.explore"]


@pytest.fixture
def shown(monkeypatch):
    out = []
    monkeypatch.setattr(MODULE, "display", lambda bundle, metadata=None, raw=False: out.append((bundle, metadata)))
    return out


@pytest.fixture
def calls():
    return []


@pytest.fixture
def function(calls):
    def draw(n=3, slope=0.5, kind="line", log=False):
        calls.append((n, slope, kind, log))
        if n == 7:
            raise ZeroDivisionError("n is seven")
        return curves([1, 2], {"y": [0, slope]}, title=f"{n}", xlabel="x", ylabel="y")
    return draw


CONTROLS = {"n": (1, 9, 2), "slope": (0.0, 1.0, 0.1), "kind": ["line", "dots"], "log": False}


def parts(shown):
    view = shown[0][0]["application/vnd.jupyter.widget-view+json"]
    *boxes, picture = _instances[view["model_id"]].children
    return dict(zip(CONTROLS, boxes, strict=True)), picture


def test_each_kind_of_control(shown, function):
    explore(function, alt="A line", labels={"n": "points"}, **CONTROLS)
    boxes, picture = parts(shown)
    assert [type(b) for b in boxes.values()] == [widgets.IntSlider, widgets.FloatSlider, widgets.Dropdown,
                                                 widgets.Checkbox]
    assert (boxes["n"].value, boxes["n"].min, boxes["n"].max, boxes["n"].step) == (3, 1, 9, 2)
    assert boxes["n"].description == "points" and boxes["slope"].description == "slope"
    assert isinstance(picture, Picture) and picture.png.startswith(b"\x89PNG")


def test_the_saved_notebook_has_the_picture_in_an_output_of_its_own(shown, function):
    explore(function, alt="A line", **CONTROLS)
    (widget, _), (saved, metadata) = shown
    _, picture = parts(shown)
    assert "image/png" not in widget, "an export that takes the widget loses what lies beside it"
    pixels, as_shown = (np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=int)
                        for png in (base64.b64decode(saved["image/png"]), picture.png))
    assert abs(pixels - as_shown).max() <= style.UNSEEN[0]
    assert len(saved["image/png"]) * 3 / 4 < len(picture.png) / 2
    assert saved["text/plain"] == picture.alt and f'alt="{picture.alt}"' in saved["text/html"]
    assert metadata["image/png"] == {"width": picture.width, "alt": picture.alt}
    assert f"width:{picture.width}px" in saved["text/html"]


def test_a_function_that_fails_at_once_shows_how_and_no_picture(shown):
    def broken(n=3):
        raise ZeroDivisionError("never works")

    explore(broken, alt="Nothing", n=(1, 9, 2))
    (widget, _), = shown
    picture = _instances[widget["application/vnd.jupyter.widget-view+json"]["model_id"]].children[-1]
    assert "never works" in picture.error


def test_moving_a_control_redraws(shown, function, calls):
    explore(function, alt="A line", **CONTROLS)
    boxes, picture = parts(shown)
    before = picture.png
    boxes["slope"].value = 1.0
    assert calls[-1] == (3, 1.0, "line", False) and picture.png != before
    assert picture.alt == "A line (n = 3, slope = 1.0, kind = line, log = False)"
    assert len(calls) == 2  # once at the start, once for the move


def test_a_function_may_say_what_the_picture_shows(shown, function):
    explore(function, alt=lambda n, **_: f"{n} points", **CONTROLS)
    boxes, picture = parts(shown)
    boxes["n"].value = 5
    assert picture.alt == "5 points (n = 5, slope = 0.5, kind = line, log = False)"


def test_what_is_read_aloud_has_no_rounding_noise(shown, function):
    explore(function, alt="A line", **CONTROLS)
    boxes, picture = parts(shown)
    boxes["slope"].value = 0.7999999999999999
    assert "slope = 0.8," in picture.alt


def test_a_failure_is_shown_keeps_the_picture_and_passes(shown, function):
    explore(function, alt="A line", **CONTROLS)
    boxes, picture = parts(shown)
    before = picture.png
    boxes["n"].value = 7
    assert "ZeroDivisionError: n is seven" in picture.error and picture.png == before
    boxes["n"].value = 5
    assert picture.error == "" and picture.png != before


def test_headless_runs_every_extreme_and_shows_a_static_picture(monkeypatch, function, calls):
    monkeypatch.setenv("COURSE_HEADLESS", "1")
    static = []
    monkeypatch.setattr(MODULE, "show", lambda fig, alt: static.append((fig, alt)))
    explore(function, alt="A line", **CONTROLS)
    assert {c[0] for c in calls} == {1, 3, 9} and {c[1] for c in calls} == {0.0, 0.5, 1.0}
    assert {c[2] for c in calls} == {"line", "dots"} and {c[3] for c in calls} == {False, True}
    assert len(static) == 1 and calls[-1] == (3, 0.5, "line", False)


def test_headless_finds_a_position_that_fails(monkeypatch, function):
    monkeypatch.setenv("COURSE_HEADLESS", "1")
    with pytest.raises(ZeroDivisionError):
        explore(function, alt="A line", n=(1, 7, 2))
    with pytest.raises(KeyError):
        explore(function, alt=lambda n, **_: {3: "three", 1: "one"}[n], n=(1, 5, 2))


@pytest.mark.parametrize(("controls", "message"), [
    ({"m": (0, 1, 1)}, "draw has no argument 'm': it has n, slope, kind, log"),
    ({"n": (4, 9, 1)}, "default n=3 lies outside"),
    ({"kind": ["dots"]}, "default kind='line' lies outside"),
])
def test_controls_that_cannot_be_are_told(function, controls, message):
    with pytest.raises(ValueError, match=message):
        explore(function, alt="A line", **controls)


def test_a_control_needs_a_default():
    with pytest.raises(ValueError, match="argument 'n' a default"):
        explore(lambda n: None, alt="", n=(0, 1, 1))


def test_the_last_picture_shows_the_last_values_when_events_arrive_on_two_threads(shown):
    """A slow picture of old values was once drawn over the newer one: a slider at 5 beside a picture of 4."""
    begun, go_on, at_once = threading.Event(), threading.Event(), []

    def function(n=1, kind="line"):
        at_once.append(threading.current_thread())
        if (n, kind) == (1, "dots"):
            begun.set()
            go_on.wait(10)
        figure = curves([1, 2], {"y": [0, n]}, title=f"{n}", xlabel="x", ylabel="y")
        at_once.remove(threading.current_thread())
        assert at_once == []
        return figure

    explore(function, alt="A line", n=(1, 9, 2), kind=["line", "dots"])
    view = shown[0][0]["application/vnd.jupyter.widget-view+json"]
    n, kind, picture = _instances[view["model_id"]].children
    slow = threading.Thread(target=setattr, args=(kind, "value", "dots"))
    quick = threading.Thread(target=setattr, args=(n, "value", 9))
    slow.start()
    assert begun.wait(10)
    quick.start()
    quick.join(0.3)  # long enough to overtake, if it may
    go_on.set()
    slow.join(10)
    quick.join(10)
    assert picture.alt == "A line (n = 9, kind = dots)" and picture.error == ""


def test_what_has_no_controls_is_described_without_their_values():
    assert MODULE.described("A class", {}) == "A class"
