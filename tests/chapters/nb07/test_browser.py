"""Notebook 07's labs in a real browser: what a prediction sees, and training."""

import pytest
from jupyter import press

pytestmark = pytest.mark.thorough


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
