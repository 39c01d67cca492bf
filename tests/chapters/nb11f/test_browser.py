"""Notebook 11f's lab in a real browser: pictures are unmasked, and knobs begin anew or change what is drawn."""

import pytest

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def lab(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open("11f_masked_diffusion.ipynb")
        jupyter.run_cell(0, timeout=120)
        yield jupyter


def test_training_unmasks_pictures_and_takes_other_data(lab):
    page = lab.page
    lab.run_cell("lab = LiveLab(", timeout=90)
    page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
    assert page.locator(".course-picture").count() == 3
    assert page.locator(".course-knobs > *").count() == 6
    before = lab.pixels()
    box = page.locator(".course-lab").first
    box.get_by_role("button", name="Start").click()
    lab.redrawn(before)
    box.locator(".course-knobs select").nth(0).select_option(label="bars")  # begins anew
    lab.until("lab.trainer.ask(lambda e: e.kind.size) == (3, 3)")
    box.locator(".course-knobs select").nth(1).select_option(label="no weight")  # at once
    lab.until("lab.trainer.ask(lambda e: e.hyperparameters.objective) == 'no weight'")
    box.get_by_role("button", name="Pause").click()
    page.locator(".course-state", has_text="Paused").wait_for(timeout=60_000)
    lab.nothing_is_wrong()
