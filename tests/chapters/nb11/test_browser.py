"""Notebook 11 as a student meets it: the density melts by its slider, and the denoiser trains on what is drawn."""

import pytest
from jupyter import press

pytestmark = pytest.mark.thorough

MELTING = "Left, the density of two noised arcs"
LEARNED = "() => document.querySelectorAll('.course-picture')[2].querySelector('canvas').toDataURL()"


@pytest.fixture(scope="module")
def jupyter(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open("11_score.ipynb")
        jupyter.run_cell(0)
        yield jupyter


def test_the_density_melts(jupyter):
    page = jupyter.page
    jupyter.run_cell("moons = mixture_of")
    found = page.locator(f"img:visible[alt*='{MELTING}'][alt*='t = 0.98']")
    press(page.locator(".widget-inline-hbox", has_text="time t").locator(".noUi-handle"), "End",
          lambda ms: found.wait_for(timeout=ms))
    assert page.locator("[role=alert]:visible").count() == 0


def test_the_denoiser_trains_and_takes_a_drawing(jupyter):
    page = jupyter.page
    jupyter.run_cell("lab = diffusion2d_lab(", timeout=90)
    page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
    lab = page.locator(".course-lab")
    assert page.locator(".course-picture").count() == 6
    before = page.evaluate(LEARNED)
    lab.get_by_role("button", name="Start").click()
    page.wait_for_function(f"before => ({LEARNED})() !== before", arg=before, timeout=60_000)
    jupyter.until("lab.trainer.steps > 5")
    lab.get_by_role("button", name="Pause").click()
    jupyter.until("lab.trainer.state == 'paused'")
    lab.get_by_label("told the time").uncheck()
    jupyter.until("lab.trainer.ask(lambda e: e.hyperparameters.told_time) is False")
    lab.get_by_role("button", name="Load an example").click()
    jupyter.until("lab.trainer.ask(lambda e: e.hyperparameters.data) == 'drawn'")
    jupyter.until("lab.trainer.steps == 0")  # the change begins anew
    lab.get_by_role("button", name="Step").click()
    jupyter.until("lab.trainer.steps == 1")
    assert page.locator(".course-error").inner_text() == ""
    assert page.locator("[role=alert]:visible").count() == 0
