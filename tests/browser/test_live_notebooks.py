"""The live cells of the notebooks, as a student meets them: only imports and those cells are run here."""

import pytest
from jupyter import press

LABS = [("05_gan_1d.ipynb", "lab = LiveLab(", "learning rate of G"),
        pytest.param("05b_gan_failures.ipynb", "LiveLab(", "your number 3", marks=pytest.mark.thorough)]


@pytest.fixture(scope="module")
def jupyter(course_server):
    with course_server.fresh() as jupyter:
        yield jupyter


@pytest.mark.parametrize(("notebook", "start", "knob"), LABS)
def test_a_lab_trains_draws_and_takes_a_turned_knob(jupyter, notebook, start, knob):
    page = jupyter.page
    jupyter.open(notebook)
    jupyter.run_cell(0)
    jupyter.run_cell(start, timeout=60)
    page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
    before = jupyter.pixels()

    lab = page.locator(".course-lab")
    lab.get_by_role("button", name="Start").click()
    jupyter.redrawn(before)
    press(lab.locator(".widget-inline-hbox", has_text=knob).locator(".noUi-handle"), "ArrowRight",
          lambda ms: page.locator(".course-changed", has_text=knob).wait_for(timeout=ms))

    lab.get_by_role("button", name="Pause").click()
    page.locator(".course-state", has_text="Paused").wait_for(timeout=60_000)
    assert page.locator(".course-error").inner_text() == ""


@pytest.mark.thorough
def test_the_circling_game_is_redrawn(jupyter):
    page = jupyter.page
    jupyter.open("05b_gan_failures.ipynb")
    jupyter.run_cell(0)
    jupyter.run_cell("def circle(")
    page.locator("img:visible[alt*='eta = 0.3']").wait_for(timeout=60_000)
    press(page.locator(".widget-slider .noUi-handle").first, "End",
          lambda ms: page.locator("img:visible[alt*='eta = 1.2']").wait_for(timeout=ms))
    assert page.locator("[role=alert]:visible").count() == 0
