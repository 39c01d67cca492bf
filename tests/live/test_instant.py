"""Sliders whose pictures the browser draws: what is computed, what is sent, and what a drawing pad gives."""

import sys

import ipywidgets as widgets
import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

from course_lib.live import Bars, ImageGrid, SketchPad, explore_canvas
from course_lib.live.canvas import Canvas

MODULE = sys.modules["course_lib.live.instant"]
VIEWS = [ImageGrid("image"), Bars("p")]


@pytest.fixture
def shown(monkeypatch):
    out = []
    monkeypatch.setattr(MODULE, "display", lambda bundle, metadata=None, raw=False: out.append(bundle))
    return out


@pytest.fixture
def sent(monkeypatch):
    frames = []
    monkeypatch.setattr(Canvas, "push", lambda self, status, arrays, urgent: frames.append((dict(status), arrays)))
    return frames


@pytest.fixture
def pad():
    return SketchPad(np.stack([np.zeros((3, 2)), np.ones((3, 2))]), label="Draw")


def values(n=3, kind="up", drawing=None):
    if n == 7:
        raise ZeroDivisionError("n is seven")
    image = np.zeros((1, 3, 2)) if drawing is None else drawing[None]
    return {"image": image, "p": np.arange(n) if kind == "up" else -np.arange(n)}


def widgets_of(shown):
    return _instances[shown[0]["application/vnd.jupyter.widget-view+json"]["model_id"]]


def test_moving_a_control_sends_numbers_and_no_picture(shown, sent):
    explore_canvas(values, VIEWS, alt="Bars", labels={"n": "how many"}, n=(1, 9, 2), kind=["up", "down"])
    slider, choice, canvas = widgets_of(shown).children
    assert isinstance(canvas, Canvas) and slider.description == "how many"
    assert isinstance(choice, widgets.Dropdown)
    slider.value = 5
    status, arrays = sent[-1]
    assert arrays["p"].tolist() == [0, 1, 2, 3, 4] and arrays["image"].dtype == np.uint8
    assert status["state"] == "exploring" and status["changed"] == "Bars (n = 5, kind = up)" and not status["error"]
    choice.value = "down"
    assert sent[-1][1]["p"].tolist() == [0, -1, -2, -3, -4]
    assert len(sent) == 2 and len(shown) == 2  # no output is renewed


def test_a_page_that_opens_gets_a_frame(shown, sent):
    explore_canvas(values, VIEWS, alt="Bars", n=(1, 9, 2))
    canvas = widgets_of(shown).children[-1]
    canvas._receive(canvas, {"kind": "ready"}, [])
    assert sent[-1][1]["p"].tolist() == [0, 1, 2]


def test_the_saved_notebook_has_a_picture_with_alt_text(shown, sent):
    explore_canvas(values, VIEWS, alt="Bars", n=(1, 9, 2))
    assert shown[1]["text/plain"] == "Bars (n = 3). 1 image. p highest at 2 with 2"
    assert f'alt="{shown[1]["text/plain"]}"' in shown[1]["text/html"]


def test_a_failure_is_told_over_the_last_good_arrays(shown, sent):
    explore_canvas(values, VIEWS, alt="Bars", n=(1, 9, 1))
    slider, _ = widgets_of(shown).children
    slider.value = 7
    status, arrays = sent[-1]
    assert "ZeroDivisionError: n is seven" in status["error"] and arrays["p"].tolist() == [0, 1, 2]
    slider.value = 8
    assert sent[-1][0]["error"] == "" and len(sent[-1][1]["p"]) == 8


def test_a_pad_is_a_control(shown, sent, pad):
    explore_canvas(values, VIEWS, alt="Bars", n=(1, 9, 2), drawing=pad)
    assert widgets_of(shown).children[0].children == (pad,)
    pad.pixels = bytes([255, 0, 0, 0, 0, 128])
    assert sent[-1][1]["image"].reshape(3, 2).tolist() == [[255, 0], [0, 0], [0, 128]]
    assert sent[-1][0]["changed"] == "Bars (n = 3)"


def test_headless_tries_every_extreme_and_shows_one_picture(monkeypatch, shown, pad):
    monkeypatch.setenv("COURSE_HEADLESS", "1")
    calls = []

    def recorded(n=3, kind="up", drawing=None):
        calls.append((n, kind, drawing.shape))
        return values(n, kind, drawing)

    explore_canvas(recorded, VIEWS, alt="Bars", n=(1, 9, 2), kind=["up", "down"], drawing=pad)
    assert {c[0] for c in calls} == {1, 3, 9} and {c[1] for c in calls} == {"up", "down"}
    assert {c[2] for c in calls} == {(3, 2)} and len(shown) == 1 and shown[0]["text/plain"].startswith("Bars (n = 3")
    with pytest.raises(ZeroDivisionError):
        explore_canvas(values, VIEWS, alt="Bars", n=(1, 7, 2))


@pytest.mark.parametrize(("views", "controls", "error", "message"), [
    (VIEWS, {"m": (0, 1, 1)}, ValueError, "values has no argument 'm'"),
    (VIEWS, {"n": (4, 9, 1)}, ValueError, "default n=3 lies outside"),
    ([Bars("q")], {"n": (1, 9, 2)}, KeyError, "a view draws 'q'"),
])
def test_what_cannot_be_is_told(shown, views, controls, error, message):
    with pytest.raises(error, match=message):
        explore_canvas(values, views, alt="Bars", **controls)


def test_a_pad_gives_its_drawing_as_an_array(pad):
    assert pad.drawing.shape == (3, 2) and pad.drawing.dtype == np.float32 and not pad.drawing.any()
    pad.pixels = memoryview(bytes([0, 51, 0, 0, 0, 255]))  # what comes from the browser
    assert pad.drawing.tolist() == [[0, pytest.approx(0.2)], [0, 0], [0, 1]]


@pytest.mark.parametrize(("examples", "message"), [
    (np.zeros((3, 2)), r"shape \[n, height, width\], not \[3, 2\]"),
    (np.zeros((0, 3, 2)), r"shape \[n, height, width\], not \[0, 3, 2\]"),
    (np.full((1, 3, 2), 255.0), r"must lie in \[0, 1\]"),
    (np.full((1, 3, 2), np.nan), r"must lie in \[0, 1\]"),
])
def test_examples_that_are_no_pictures_are_told(examples, message):
    with pytest.raises(ValueError, match=message):
        SketchPad(examples, label="Draw")
