"""Notebook 11c as a student meets it: the lab trains, changes its coupling while it runs, and takes a drawing."""

import pytest


@pytest.fixture(scope="module")
def jupyter(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open("11c_flow_matching.ipynb")
        jupyter.run_cell(0)
        yield jupyter


def test_the_flow_trains_reflows_and_takes_a_drawing(jupyter):
    page = jupyter.page
    jupyter.run_cell("lab = flow_matching2d_lab(", timeout=90)
    page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
    lab = page.locator(".course-lab")
    assert page.locator(".course-picture").count() == 6
    before = jupyter.pixels()
    lab.get_by_role("button", name="Start").click()
    jupyter.redrawn(before)
    jupyter.until("lab.trainer.steps > 5")
    lab.get_by_role("combobox", name="coupling").select_option("reflow")
    jupyter.until("lab.trainer.ask(lambda e: bool(e.pairs.taken))")
    lab.get_by_role("button", name="Pause").click()
    jupyter.until("lab.trainer.state == 'paused'")
    assert jupyter.page.locator(".course-error").inner_text() == ""
    lab.get_by_role("button", name="Load an example").click()
    jupyter.until("lab.trainer.ask(lambda e: e.hyperparameters.data) == 'drawn'")
    jupyter.until("lab.trainer.steps == 0")
    assert page.locator("[role=alert]:visible").count() == 0
