"""Notebook 11e's lab in a real browser: an alphabet forms, and a knob begins anew with another one."""

import pytest

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def lab(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open("11e_discrete_codes.ipynb")
        jupyter.run_cell(0, timeout=120)
        yield jupyter


def test_training_draws_the_use_of_entries_and_takes_another_alphabet(lab):
    page = lab.page
    lab.run_cell("lab = LiveLab(", timeout=90)
    page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
    assert page.locator(".course-picture").count() == 5
    assert page.locator(".course-knobs > *").count() == 6
    before = lab.pixels()
    box = page.locator(".course-lab").first
    box.get_by_role("button", name="Start").click()
    lab.redrawn(before)
    box.locator(".course-knobs select").first.select_option(label="finite scalar")  # begins anew
    lab.until("type(lab.trainer.ask(lambda e: e.model.quantizer)).__name__ == 'FiniteScalar'")
    box.get_by_role("button", name="Pause").click()
    page.locator(".course-state", has_text="Paused").wait_for(timeout=60_000)
    lab.nothing_is_wrong()
