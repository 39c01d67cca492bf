"""Notebook 10 as a student meets it: the net follows its sliders, and the flow trains, bends its grid, takes a knob."""

import pytest
from jupyter import press

pytestmark = pytest.mark.thorough

NET = "Left a square net of noise"


@pytest.fixture(scope="module")
def jupyter(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open("10_flows.ipynb")
        jupyter.run_cell(0)
        yield jupyter


def test_the_net_follows_its_sliders(jupyter):
    page = jupyter.page
    jupyter.run_cell("def coupled")
    seen = []
    for label, key, value in (("stretch", "End", "stretch = 1.0"), ("shift", "Home", "shift = -1.0"),
                              ("marked column", "Home", "column = 0")):
        found = page.locator(f"img:visible[alt*='{NET}'][alt*='{value}']")
        press(page.locator(".widget-inline-hbox", has_text=label).locator(".noUi-handle"), key,
              lambda ms, found=found: found.wait_for(timeout=ms))
        seen.append(found.get_attribute("src"))
    assert len(set(seen)) == 3
    assert page.locator("[role=alert]:visible").count() == 0


def test_the_flow_trains_and_its_grid_bends(jupyter):
    page = jupyter.page
    jupyter.run_cell("lab = LiveLab(", timeout=90)
    page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
    lab = page.locator(".course-lab")
    assert page.locator(".course-picture").count() == 3
    before = jupyter.pixels()
    lab.get_by_role("button", name="Start").click()
    jupyter.redrawn(before)
    jupyter.until("lab.trainer.steps > 5")
    lab.get_by_role("button", name="Pause").click()
    jupyter.until("lab.trainer.state == 'paused'")
    before = jupyter.pixels()
    lab.get_by_role("slider", name="Bend the grid").fill("0")
    jupyter.redrawn(before)
    lab.get_by_label("halves take turns").uncheck()
    jupyter.until("lab.trainer.ask(lambda e: e.hyperparameters.permute) is False")
    jupyter.until("lab.trainer.steps == 0")  # the change begins anew
    lab.get_by_role("button", name="Step").click()
    jupyter.until("lab.trainer.steps == 1")
    assert page.locator(".course-error").inner_text() == ""
    assert page.locator("[role=alert]:visible").count() == 0
