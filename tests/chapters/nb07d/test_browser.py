"""Notebook 07d's lab in a real browser: a head forms, and a knob begins anew with an LSTM."""

import pytest

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def lab(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open("07d_transformers.ipynb")
        jupyter.run_cell(0, timeout=120)
        yield jupyter


def test_training_draws_the_patterns_and_takes_another_model(lab):
    page = lab.page
    lab.run_cell("lab = LiveLab(", timeout=90)
    page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
    assert page.locator(".course-picture").count() == 3
    assert page.locator(".course-knobs > *").count() == 6
    before = lab.pixels()
    box = page.locator(".course-lab").first
    box.get_by_role("button", name="Start").click()
    lab.redrawn(before)
    box.locator(".course-knobs select").nth(1).select_option(label="lstm")  # begins anew
    lab.until("type(lab.trainer.ask(lambda e: e.model)).__name__ == 'CharLSTM'")
    box.get_by_role("button", name="Pause").click()
    page.locator(".course-state", has_text="Paused").wait_for(timeout=60_000)
    lab.nothing_is_wrong()
