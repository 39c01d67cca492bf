"""Notebook 07c's labs in a real browser: a bet painted on the pad, and a mask that hides."""

import pytest
from jupyter import press


@pytest.fixture(scope="module")
def lab(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open("07c_autoregressive_sampling.ipynb")
        jupyter.run_cell(0, timeout=120)
        yield jupyter


def slider(lab, name):
    return lab.page.locator(".widget-slider", has_text=name).locator(".noUi-handle")


def test_bets_and_masks_are_painted(lab):
    page = lab.page
    for start in ("row_lstm_28, _ = ", "def bits_a_pixel", "with torch.no_grad():\n    told", "blind = "):
        lab.run_cell(start, timeout=200)
    page.wait_for_function("() => document.querySelectorAll('.course-canvas[data-drawn]').length === 1", timeout=60_000)
    pad = page.locator(".course-pad canvas").first
    pad.scroll_into_view_if_needed()
    before, lost = lab.pixels(0), lab.kernel("float(bet(pad.drawing)['bits'][0])")
    lab.stroke(pad, [(0.5, 0.6), (0.6, 0.9)])
    page.mouse.up()
    lab.redrawn(before, 0)
    assert lab.kernel("float(bet(pad.drawing)['bits'][0])") != lost

    lab.run_cell("corners = ", timeout=60)
    page.wait_for_function("() => document.querySelectorAll('.course-canvas[data-drawn]').length === 2", timeout=60_000)
    pad = page.locator(".course-pad canvas").nth(1)
    pad.scroll_into_view_if_needed()
    before, ink = lab.pixels(1), lab.kernel("float(mask_pad.drawing.sum())")
    lab.stroke(pad, [(0.2, 0.2), (0.8, 0.3)])
    page.wait_for_timeout(300)
    assert lab.kernel("float(mask_pad.drawing.sum())") == ink  # nothing is sent before the pen is lifted
    page.mouse.up()
    lab.until(f"float(mask_pad.drawing.sum()) > {ink} + 20")
    lab.redrawn(before, 1)
    before = lab.pixels(1)
    press(slider(lab, "digit").last, "ArrowRight", lambda ms: lab.redrawn(before, 1, ms))
    lab.nothing_is_wrong()
