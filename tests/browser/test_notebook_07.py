"""Notebook 07's labs in a real browser: sight, temperature, a bet painted on the pad, and a mask that hides."""

import pytest
from jupyter import Jupyter
from test_live_notebooks import index

PIXELS = "n => document.querySelectorAll('.course-canvas')[n].querySelector('canvas').toDataURL()"
CHANGED = f"([n, before]) => ({PIXELS})(n) !== before"


@pytest.fixture(scope="module")
def lab(student_course):
    with Jupyter.make_lab(student_course) as jupyter:
        jupyter.open("07_pixelrnn.ipynb")
        jupyter.run_cell(0, timeout=120)
        yield jupyter


def slider(lab, name):
    return lab.page.locator(".widget-slider", has_text=name).locator(".noUi-handle")


def nothing_is_wrong(lab):
    assert [text for text in lab.page.locator(".course-error").all_inner_texts() if text] == []
    assert [line for line in lab.console if "widget" in line.lower()] == []


def draw(lab, pad, points):
    page, box = lab.page, pad.bounding_box()
    at = [(box["x"] + u * box["width"], box["y"] + v * box["height"]) for u, v in points]
    page.mouse.move(*at[0])
    page.mouse.down()
    for place in at[1:]:
        page.mouse.move(*place, steps=6)


def test_what_a_prediction_sees_follows_the_slider(lab):
    lab.run_cell(index(lab, "designs = "), timeout=60)
    lab.run_cell(index(lab, "def look("), timeout=60)
    page = lab.page
    picture = page.locator(".jp-OutputArea-output img[alt*='layers = 5']").first
    picture.wait_for(timeout=60_000)
    slider(lab, "layers").first.focus()
    page.keyboard.press("ArrowRight")
    page.locator("img[alt*='layers = 6']").first.wait_for(timeout=60_000)
    assert page.locator("[role=alert]:visible").count() == 0


def test_training_shows_creatures_and_takes_another_model(lab):
    page = lab.page
    lab.run_cell(index(lab, "lab = LiveLab("), timeout=90)
    page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
    assert page.locator(".course-picture").count() == 2
    assert page.locator(".course-knobs > *").count() == 5
    before = page.evaluate(PIXELS, 0)
    box = page.locator(".course-lab").first
    box.get_by_role("button", name="Start").click()
    page.wait_for_function(CHANGED, arg=[0, before], timeout=60_000)
    box.locator(".course-knobs select").nth(1).select_option(label="row_lstm")  # begins anew
    lab.until("type(lab.trainer.ask(lambda e: e.model)).__name__ == 'RowLSTM'")
    box.get_by_role("button", name="Pause").click()
    page.locator(".course-state", has_text="Paused").wait_for(timeout=30_000)
    nothing_is_wrong(lab)


def test_bets_and_masks_are_painted(lab):
    page = lab.page
    for start in ("row_lstm_28, card", "lower = torch"):
        lab.run_cell(index(lab, start), timeout=200)
    lab.run_cell(index(lab, "def bits_a_pixel"), timeout=200)
    lab.run_cell(index(lab, "with torch.no_grad():\n    told"), timeout=200)
    lab.run_cell(index(lab, "blind = "), timeout=200)
    page.wait_for_function("() => document.querySelectorAll('.course-canvas[data-drawn]').length === 2", timeout=60_000)
    pad = page.locator(".course-pad canvas").first
    pad.scroll_into_view_if_needed()
    before, lost = page.evaluate(PIXELS, 1), lab.kernel("float(bet(pad.drawing)['bits'][0])")
    draw(lab, pad, [(0.5, 0.6), (0.6, 0.9)])
    page.mouse.up()
    page.wait_for_function(CHANGED, arg=[1, before], timeout=20_000)
    assert lab.kernel("float(bet(pad.drawing)['bits'][0])") != lost

    lab.run_cell(index(lab, "corners = "), timeout=60)
    page.wait_for_function("() => document.querySelectorAll('.course-canvas[data-drawn]').length === 3", timeout=60_000)
    pad = page.locator(".course-pad canvas").nth(1)
    pad.scroll_into_view_if_needed()
    before, ink = page.evaluate(PIXELS, 2), lab.kernel("float(mask_pad.drawing.sum())")
    draw(lab, pad, [(0.2, 0.2), (0.8, 0.3)])
    page.wait_for_timeout(300)
    assert lab.kernel("float(mask_pad.drawing.sum())") == ink  # nothing is sent before the pen is lifted
    page.mouse.up()
    lab.until(f"float(mask_pad.drawing.sum()) > {ink} + 20")
    page.wait_for_function(CHANGED, arg=[2, before], timeout=30_000)
    before = page.evaluate(PIXELS, 2)
    slider(lab, "digit").last.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(CHANGED, arg=[2, before], timeout=30_000)
    nothing_is_wrong(lab)
