"""Notebook 07's labs in a real browser: sight, temperature, a bet painted on the pad, and a mask that hides."""

import pytest
from jupyter import press


@pytest.fixture(scope="module")
def lab(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open("07_pixelrnn.ipynb")
        jupyter.run_cell(0, timeout=120)
        yield jupyter


def slider(lab, name):
    return lab.page.locator(".widget-slider", has_text=name).locator(".noUi-handle")


def test_what_a_prediction_sees_follows_the_slider(lab):
    lab.run_cell("designs = ", timeout=60)
    lab.run_cell("def look(", timeout=60)
    page = lab.page
    picture = page.locator(".jp-OutputArea-output img:visible[alt*='layers = 5']").first
    picture.wait_for(timeout=60_000)
    deeper = page.locator("img:visible[alt*='layers = 6']").first
    press(slider(lab, "layers").first, "ArrowRight", lambda ms: deeper.wait_for(timeout=ms))
    assert page.locator("[role=alert]:visible").count() == 0


def test_training_shows_creatures_and_takes_another_model(lab):
    page = lab.page
    lab.run_cell("lab = LiveLab(", timeout=90)
    page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
    assert page.locator(".course-picture").count() == 2
    assert page.locator(".course-knobs > *").count() == 5
    before = lab.pixels(0)
    box = page.locator(".course-lab").first
    box.get_by_role("button", name="Start").click()
    lab.redrawn(before, 0)
    box.locator(".course-knobs select").nth(1).select_option(label="row_lstm")  # begins anew
    lab.until("type(lab.trainer.ask(lambda e: e.model)).__name__ == 'RowLSTM'")
    box.get_by_role("button", name="Pause").click()
    page.locator(".course-state", has_text="Paused").wait_for(timeout=60_000)
    lab.nothing_is_wrong()


def test_bets_and_masks_are_painted(lab):
    page = lab.page
    for start in ("row_lstm_28, card", "lower = torch", "def bits_a_pixel", "with torch.no_grad():\n    told",
                  "blind = "):
        lab.run_cell(start, timeout=200)
    page.wait_for_function("() => document.querySelectorAll('.course-canvas[data-drawn]').length === 2", timeout=60_000)
    pad = page.locator(".course-pad canvas").first
    pad.scroll_into_view_if_needed()
    before, lost = lab.pixels(1), lab.kernel("float(bet(pad.drawing)['bits'][0])")
    lab.stroke(pad, [(0.5, 0.6), (0.6, 0.9)])
    page.mouse.up()
    lab.redrawn(before, 1)
    assert lab.kernel("float(bet(pad.drawing)['bits'][0])") != lost

    lab.run_cell("corners = ", timeout=60)
    page.wait_for_function("() => document.querySelectorAll('.course-canvas[data-drawn]').length === 3", timeout=60_000)
    pad = page.locator(".course-pad canvas").nth(1)
    pad.scroll_into_view_if_needed()
    before, ink = lab.pixels(2), lab.kernel("float(mask_pad.drawing.sum())")
    lab.stroke(pad, [(0.2, 0.2), (0.8, 0.3)])
    page.wait_for_timeout(300)
    assert lab.kernel("float(mask_pad.drawing.sum())") == ink  # nothing is sent before the pen is lifted
    page.mouse.up()
    lab.until(f"float(mask_pad.drawing.sum()) > {ink} + 20")
    lab.redrawn(before, 2)
    before = lab.pixels(2)
    press(slider(lab, "digit").last, "ArrowRight", lambda ms: lab.redrawn(before, 2, ms))
    lab.nothing_is_wrong()
