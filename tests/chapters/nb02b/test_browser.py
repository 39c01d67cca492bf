"""Notebook 02b as a student meets it: words arrive, and beliefs about earlier words move."""

import pytest
from jupyter import press

pytestmark = pytest.mark.thorough

CELLS = ("grammar = TinyGrammar()", 'predict("02b.man"', "def chain(", "def forward(", "def backward(", "def listen(")


@pytest.fixture(scope="module")
def jupyter(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open("02b_hmm_crf.ipynb")
        jupyter.run_cell(0, timeout=120)
        for start in CELLS:
            jupyter.run_cell(start)
        yield jupyter


def picture(page, *values):
    return page.locator("img:visible" + "".join(f"[alt*='{value}']" for value in values))


def test_a_further_word_moves_the_picture(jupyter):
    page = jupyter.page
    picture(page, "t = 3").wait_for(timeout=60_000)
    before = picture(page, "t = 3").get_attribute("src")
    handle, moved = page.locator(".widget-slider .noUi-handle").first, picture(page, "t = 4")
    press(handle, "ArrowRight", lambda ms: moved.wait_for(timeout=ms))
    assert moved.get_attribute("src") != before
    page.locator(".widget-dropdown select").select_option("fish fish fish fish fish")
    for key, t in (("End", 5), ("Home", 1)):
        moved = picture(page, f"t = {t}", "fish fish fish fish fish")
        press(handle, key, lambda ms, moved=moved: moved.wait_for(timeout=ms))
    assert page.locator("[role=alert]:visible").count() == 0
