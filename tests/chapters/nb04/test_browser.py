"""The lab of notebook 04 as a student meets it: it trains, draws the map, takes a turned knob and a restart."""

import pytest
from jupyter import press

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def jupyter(course_server):
    with course_server.fresh() as jupyter:
        yield jupyter


def test_the_lab_trains_and_shows_only_its_knobs(jupyter):
    page = jupyter.page
    jupyter.open("04_vae.ipynb")
    jupyter.run_cell(0)
    jupyter.run_cell("lab = LiveLab(", timeout=90)
    page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
    assert page.locator(".course-picture").count() == 6
    assert page.locator(".course-knobs .widget-inline-hbox").count() == 4

    lab, before = page.locator(".course-lab"), jupyter.pixels()
    lab.get_by_role("button", name="Start").click()
    jupyter.redrawn(before)
    for knob in ("weight of KL", "latent size"):  # the second begins anew, with more bars
        changed = page.locator(".course-changed", has_text=knob)
        press(lab.locator(".widget-inline-hbox", has_text=knob).locator(".noUi-handle"), "ArrowRight",
              lambda ms, changed=changed: changed.wait_for(timeout=ms))
    jupyter.until("lab.trainer.ask(lambda e: e.model.latent_size) == 3")

    lab.get_by_role("button", name="Pause").click()
    page.locator(".course-state", has_text="Paused").wait_for(timeout=60_000)
    assert page.locator(".course-error").inner_text() == ""
    assert page.locator("[role=alert]:visible").count() == 0
