"""Notebook 00 as a student meets it: `make lab` opens it; the live lab's one knob, the vote and the picker answer."""

import pytest
from jupyter import press

NAME = "00_start.ipynb"
PICKED = "These have a star"


@pytest.fixture(scope="module")
def lab(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open(NAME)
        jupyter.run_cell(0)
        yield jupyter


def test_make_lab_opens_the_first_notebook_and_says_where(lab):
    assert f"/lab/tree/{NAME}" in lab.log and "Opening 00_" in lab.log


def test_the_live_lab_trains_and_its_one_knob_turns(lab):
    page = lab.page
    lab.run_cell("lab = LiveLab(", timeout=90)
    page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
    before = lab.pixels()
    page.locator(".course-lab").get_by_role("button", name="Start").click()
    lab.redrawn(before)
    assert page.locator(".course-knobs .widget-inline-hbox").count() == 1
    changed = page.locator(".course-changed", has_text="learning rate of G")
    press(page.locator(".course-knobs .noUi-handle"), "ArrowRight", lambda ms: changed.wait_for(timeout=ms))
    page.locator(".course-lab").get_by_role("button", name="Pause").click()
    page.locator(".course-state", has_text="Paused").wait_for(timeout=60_000)
    lab.nothing_is_wrong()


def test_typed_answers_are_counted(lab):
    for start in ("G, _", "made = "):
        lab.run_cell(start)
    lab.set_source("my_real = []", "my_real = [1, 2, 3, 4, 5, 6]")
    lab.run_cell("my_real = [1, 2, 3, 4, 5, 6]")
    cells = lab.run_cell("def right_of_twelve")
    said = next(c for c in cells if c["source"].startswith("def right_of_twelve"))["outputs"]
    assert "of 12 right" in "".join(o.get("text", "") for o in said)
    lab.page.wait_for_selector("img:visible[alt^='The same twelve digits: 1 made']", timeout=60_000)


def test_the_picker_draws_the_tree_anew_for_other_answers(lab):
    page = lab.page
    lab.run_cell("numbers = {")
    picture = page.locator(f".jp-OutputArea img:visible[alt*='{PICKED}']")
    page.locator("img:visible[alt*='score = exactly, one_pass = False']").wait_for(timeout=60_000)
    before = picture.get_attribute("src")
    page.locator(".widget-dropdown select").last.select_option("roughly")
    page.locator("img:visible[alt*='score = roughly']").wait_for(timeout=60_000)
    assert picture.get_attribute("src") != before
    page.get_by_label("a readable code of x").check()
    page.locator("img:visible[alt*='code = True']").wait_for(timeout=60_000)
    lab.nothing_is_wrong()
