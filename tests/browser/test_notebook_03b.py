"""The three sliders' pictures of notebook 03b, as a student meets them: imports and what the pictures need."""

import pytest
from jupyter import Jupyter

NAME = "03b_estimators.ipynb"
LABS = [(("mu, s = ", "def f(z)", "def two_estimators("), "D = 10", 0, "D = 11"),
        (("rng = ", "def turned("), "angle = 0", 0, "angle = 5"),
        (("circle = ", "x_inside = ", "places = "), "k = 5", 2, "k = 6")]


@pytest.fixture(scope="module")
def jupyter(student_course):
    with Jupyter.make_lab(student_course) as jupyter:
        jupyter.open(NAME)
        jupyter.run_cell(0)
        yield jupyter


@pytest.mark.parametrize(("needs", "before", "slider", "after"), LABS, ids=["gradients", "angle", "weights"])
def test_a_slider_redraws_the_picture(jupyter, needs, before, slider, after):
    page = jupyter.page
    for start in needs:
        index = next(i for i, cell in enumerate(jupyter.cells()) if cell["source"].startswith(start))
        jupyter.run_cell(index, timeout=120)
    picture = page.locator(f"img[alt*='{before}']")
    picture.wait_for(timeout=60_000)
    old = picture.get_attribute("src")
    box = page.locator(".widget-vbox", has=picture).last
    box.locator(".widget-slider .noUi-handle").nth(slider).focus()
    page.keyboard.press("ArrowRight")
    moved = box.locator(f"img[alt*='{after}']")
    moved.wait_for(timeout=60_000)
    assert moved.get_attribute("src") != old
    assert page.locator("[role=alert]:visible").count() == 0
