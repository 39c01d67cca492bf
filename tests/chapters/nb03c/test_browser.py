"""The two sliders' pictures of notebook 03c, as a student meets it: imports and what they need."""

import pytest
from jupyter import press

pytestmark = pytest.mark.thorough

NAME = "03c_importance_weighting.ipynb"
LABS = [(("rng = ", "def turned("), "angle in degrees", "angle = 0", "angle = 5"),
        (("circle = ", "x_inside = ", "places = "), "draws k", "k = 5", "k = 6")]


@pytest.fixture(scope="module")
def jupyter(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open(NAME)
        jupyter.run_cell(0)
        yield jupyter


@pytest.mark.parametrize(("needs", "label", "before", "after"), LABS, ids=["angle", "weights"])
def test_a_slider_redraws_the_picture(jupyter, needs, label, before, after):
    page = jupyter.page
    for start in needs:
        jupyter.run_cell(start, timeout=120)
    picture = page.locator(f"img:visible[alt*='{before}']")
    picture.wait_for(timeout=60_000)
    drawn = picture.get_attribute("src")
    moved = page.locator(f"img:visible[alt*='{after}']")
    press(page.locator(".widget-inline-hbox", has_text=label).locator(".noUi-handle"), "ArrowRight",
          lambda ms: moved.wait_for(timeout=ms))
    assert moved.get_attribute("src") != drawn
    assert page.locator("[role=alert]:visible").count() == 0
