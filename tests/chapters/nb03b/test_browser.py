"""The slider's picture of notebook 03b, as a student meets it: imports and what it needs."""

import pytest
from jupyter import press

pytestmark = pytest.mark.thorough

NAME = "03b_estimators.ipynb"
LABS = [(("mu, s = ", "def f(z)", "def two_estimators("), "pixels D", "D = 10", "D = 11")]


@pytest.fixture(scope="module")
def jupyter(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open(NAME)
        jupyter.run_cell(0)
        yield jupyter


@pytest.mark.parametrize(("needs", "label", "before", "after"), LABS, ids=["gradients"])
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
