"""Notebook 01 as a student meets it: a real JupyterLab, a slider, an exercise."""

import re

import pytest
from jupyter import press

ENDS = {"n": (20, 500), "separation": (0.5, 5), "correlation": (-0.95, 0.95), "share": (0.1, 0.9)}
NAME = "01_generative_discriminative.ipynb"


@pytest.fixture(scope="module")
def lab(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open(NAME)
        yield jupyter


@pytest.fixture(scope="module")
def cells(lab):
    return lab.run_all(timeout=400)


def test_no_pop_up_asks_anything(lab):
    lab.page.wait_for_timeout(2_000)
    assert lab.page.query_selector(".jp-Dialog") is None
    assert "news" not in lab.page.inner_text("body").lower()


def test_the_variables_of_ci_are_unset_there(lab):
    names = lab.kernel("list(__import__('os').environ)")
    assert not [n for n in names if n.startswith("COURSE_") or n == "OMP_NUM_THREADS"]


def test_every_cell_runs_without_error_output(cells):
    outputs = [o for c in cells for o in c["outputs"]]
    assert not [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"]
    texts = [str(o.get("data", {}).get("text/plain", "")) for o in outputs]
    assert sum(line.startswith("holds") for t in texts for line in t.splitlines()) > 25
    assert not [t for t in texts if "does NOT hold" in t]
    assert sum("not attempted" in t for t in texts) == 3


def test_figures_have_alt_text_and_fit_the_page(lab, cells):
    pictures = lab.page.locator(".jp-OutputArea img:visible")
    assert pictures.count() >= 7
    for picture in pictures.all():
        assert len(picture.get_attribute("alt")) > 30
        assert picture.bounding_box()["width"] > 400


def test_a_slider_moves_the_picture(lab, cells):
    page = lab.page
    picture = page.locator(".jp-OutputArea img:visible[alt*='separation = 2.5']")
    picture.scroll_into_view_if_needed()
    before = picture.get_attribute("src")
    handles = page.locator(".widget-slider .noUi-handle")
    assert handles.count() == 4
    for step in range(1, 9):
        now = page.locator(f"img:visible[alt*='correlation = {0.05 * step:g}'][alt*='separation = 2.5']")
        press(handles.nth(2), "ArrowRight", lambda ms, now=now: now.wait_for(timeout=ms))
    assert page.locator("img:visible[alt*='correlation = 0.4']").get_attribute("src") != before
    assert page.locator("[role=alert]:visible").count() == 0


def test_every_slider_at_both_ends(lab, cells):
    page = lab.page
    handles = page.locator(".widget-slider .noUi-handle")
    picture = page.locator(".jp-OutputArea img:visible[alt*='separation = ']")
    for i, (name, ends) in enumerate(ENDS.items()):
        for key, end in zip(("Home", "End"), ends, strict=True):
            before = picture.get_attribute("alt")
            changed = [picture.element_handle(), before]
            press(handles.nth(i), key, lambda ms, changed=changed: page.wait_for_function(
                "([el, alt]) => el.alt !== alt", arg=changed, timeout=ms))
            value = re.search(rf"[( ]{name} = (-?[\d.]+)", picture.get_attribute("alt"))[1]
            assert float(value) == end, name
            assert page.locator("[role=alert]:visible").count() == 0


def test_a_prediction_is_kept_and_compared(lab, cells):
    page = lab.page
    page.get_by_placeholder("a number from 0 to 100").fill("80")
    page.keyboard.press("Enter")
    page.get_by_text("kept: 80").wait_for(timeout=60_000)
    index = next(i for i, c in enumerate(cells) if "reveal(\"01.dog\"" in c["source"])
    after = lab.run_cell(index)
    assert "you said 80, computed: 47.1" in str(after[index]["outputs"])


def test_an_exercise_answers(lab, cells):
    stub = next(i for i, c in enumerate(cells) if c["source"].startswith("def posterior("))
    for body, words in (("log_likelihood.softmax(dim=1)", "the prior is missing"),
                        ("(log_prior + log_likelihood).softmax(dim=1)", "passed")):
        lab.set_source(stub, f"def posterior(log_prior, log_likelihood):\n    return {body}")
        lab.run_cell(stub)
        assert words in str(lab.run_cell(stub + 1)[stub + 1]["outputs"])


def test_nothing_went_wrong_in_the_browser(lab, cells):
    ours = [line for line in lab.console if re.search("anywidget|picture|widget", line, re.I)]
    assert ours == []
