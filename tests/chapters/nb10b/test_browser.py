"""The live lab of notebook 10b as a student meets it."""

import pytest
from jupyter import press

pytestmark = pytest.mark.thorough

NAME = "10b_boltzmann_machines.ipynb"


@pytest.fixture(scope="module")
def jupyter(course_server):
    with course_server.fresh() as jupyter:
        yield jupyter


@pytest.fixture
def fresh(jupyter):
    jupyter.open(NAME)
    jupyter.run_cell(0)
    return jupyter


def start(jupyter, cell):
    """Run a lab's cell and press Start; returns the lab."""
    page = jupyter.page
    jupyter.run_cell(cell, timeout=90)
    page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
    lab, before = page.locator(".course-lab"), jupyter.pixels()
    lab.get_by_role("button", name="Start").click()
    jupyter.redrawn(before)
    return lab


def turn(page, lab, knob):
    changed = page.locator(".course-changed", has_text=knob)
    press(lab.locator(".widget-inline-hbox", has_text=knob).locator(".noUi-handle"), "ArrowRight",
          lambda ms: changed.wait_for(timeout=ms))


def pause(page, lab):
    lab.get_by_role("button", name="Pause").click()
    page.locator(".course-state", has_text="Paused").wait_for(timeout=60_000)
    assert page.locator(".course-error").inner_text() == ""
    assert page.locator("[role=alert]:visible").count() == 0


def test_the_boltzmann_lab_learns_by_another_gradient(fresh):
    page, lab = fresh.page, start(fresh, "lab = LiveLab(")
    assert page.locator(".course-picture").count() == 5
    assert page.locator(".course-knobs .widget-inline-hbox").count() == 4
    lab.locator(".widget-dropdown", has_text="gradient").locator("select").select_option("PCD")
    page.locator(".course-changed", has_text="gradient").wait_for(timeout=60_000)
    turn(page, lab, "rounds a step")
    fresh.until("lab.trainer.ask(lambda e: (e.hyperparameters.method, e.hyperparameters.k)) == ('PCD', 2)")
    turn(page, lab, "hidden units")  # begins anew
    fresh.until("lab.trainer.ask(lambda e: e.rbm.W.shape[-1]) == 17")
    pause(page, lab)
