"""The lab of notebook 06 as a student meets it: it trains, sharpens its grid, and takes turned knobs."""

import pytest
from jupyter import press

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def jupyter(course_server):
    with course_server.fresh() as jupyter:
        yield jupyter


def test_the_lab_trains_and_takes_its_knobs(jupyter):
    page = jupyter.page
    jupyter.open("06_dcgan.ipynb")
    jupyter.run_cell(0)
    jupyter.run_cell("lab = LiveLab(", timeout=120)
    page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
    assert page.locator(".course-picture").count() == 4
    assert page.locator(".course-knobs .widget-inline-hbox").count() == 5

    lab, before = page.locator(".course-lab"), jupyter.pixels()
    lab.get_by_role("button", name="Start").click()
    jupyter.redrawn(before)
    for knob in ("learning rate of D", "steps of D per step of G", "dropout in D"):
        changed = page.locator(".course-changed", has_text=knob)
        press(lab.locator(".widget-inline-hbox", has_text=knob).locator(".noUi-handle"), "ArrowRight",
              lambda ms, changed=changed: changed.wait_for(timeout=ms))
    jupyter.until("lab.trainer.ask(lambda e: e.hyperparameters.d_steps) == 2")
    jupyter.until("lab.trainer.ask(lambda e: e.D.layers.dropout1.p) > 0")

    lab.get_by_role("button", name="Pause").click()
    page.locator(".course-state", has_text="Paused").wait_for(timeout=60_000)
    assert page.locator(".course-error").inner_text() == ""
    assert page.locator("[role=alert]:visible").count() == 0
