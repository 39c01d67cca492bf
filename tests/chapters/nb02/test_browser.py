"""The EM stepper of notebook 02, as a student meets it: only imports, the data and the stepper are run here."""

import pytest
from jupyter import press


@pytest.fixture(scope="module")
def lab(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open("02_gaussian_mixtures.ipynb")
        for start in ("import math", "truth = ", "def stepper("):
            jupyter.run_cell(start)
        yield jupyter


def test_the_right_arrow_takes_one_half_step_and_the_left_arrow_takes_it_back(lab):
    page = lab.page
    picture = page.locator(".jp-OutputArea img:visible[alt*='half_steps = 0']")
    picture.wait_for(timeout=60_000)
    pixels = [picture.get_attribute("src")]
    handles = page.locator(".widget-slider .noUi-handle")
    assert handles.count() == 3
    for key, now in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1)):
        moved = page.locator(f".jp-OutputArea img:visible[alt*='half_steps = {now}']")
        press(handles.nth(0), key, lambda ms, moved=moved: moved.wait_for(timeout=ms))
        pixels.append(moved.get_attribute("src"))
    assert len(set(pixels)) == 4  # a new picture each time
    assert page.locator("[role=alert]:visible").count() == 0


def test_other_components_seeds_and_starts_are_drawn(lab):
    page = lab.page
    handles = page.locator(".widget-slider .noUi-handle")
    for i, shown in ((1, "K = 6"), (2, "seed = 20")):
        moved = page.locator(f".jp-OutputArea img:visible[alt*='{shown}']")
        press(handles.nth(i), "End", lambda ms, moved=moved: moved.wait_for(timeout=ms))
    page.locator(".widget-dropdown select").select_option("k-means")
    page.locator(".jp-OutputArea img:visible[alt*='begin = k-means']").wait_for(timeout=60_000)
    assert page.locator("[role=alert]:visible").count() == 0
