"""Notebook 09c in a real browser: pairs and walks follow their sliders, and the shared blocks are a knob of the lab."""

import pytest
from jupyter import press

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def lab(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open("09c_coupled_bigan.ipynb")
        jupyter.run_cell(0, timeout=120)
        yield jupyter


def move(lab, canvas, name, key):
    """Press a key on a slider of the lab that is shown last, and wait for its picture to change."""
    page = lab.page
    rows = page.locator(".course-lab").nth(canvas).locator(".widget-slider")
    handle = next(row for row in rows.all() if row.locator(".widget-label").inner_text() == name)
    before = lab.pixels(canvas)
    press(handle.locator(".noUi-handle"), key,
          lambda ms: lab.redrawn(before, canvas, ms))


def test_pairs_and_walks_follow_their_sliders(lab):
    page = lab.page
    for start in ('predict("09c.unshared"', "names = {", "ends = noise"):
        lab.run_cell(start, timeout=120)
    page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
    move(lab, 0, "α", "ArrowRight")
    move(lab, 0, "shared blocks", "Home")
    for start in ('predict("09c.rebuilt"', "plain, hinted = ", "ten = torch.stack"):
        lab.run_cell(start, timeout=120)
    page.wait_for_function("() => document.querySelectorAll('.course-canvas[data-drawn]').length === 2", timeout=60_000)
    move(lab, 1, "α", "End")
    assert lab.kernel("bool(abs(between(3, 8, 0.0)['image'][1] - between(3, 8, 1.0)['image'][1]).max() > 0.5)")
    lab.nothing_is_wrong()


def test_the_number_of_shared_blocks_starts_the_game_anew(lab):
    page = lab.page
    lab.run_cell("lab = LiveLab(", timeout=120)
    live = page.locator(".course-lab", has=page.locator(".course-knobs"))
    live.get_by_role("button", name="Start").click()
    lab.until("lab.trainer.ask(lambda e: e.steps) >= 2")
    live.locator(".widget-inline-hbox", has_text="shared blocks").locator(".noUi-handle").focus()
    page.keyboard.press("ArrowLeft")
    page.locator(".course-changed", has_text="shared blocks").wait_for(timeout=30_000)
    lab.until("lab.trainer.ask(lambda e: e.hyperparameters.shared) == 1")
    live.get_by_role("button", name="Pause").click()
    page.locator(".course-state", has_text="Paused").wait_for(timeout=30_000)
    lab.nothing_is_wrong()
