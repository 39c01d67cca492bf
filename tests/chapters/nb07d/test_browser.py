"""Notebook 07d's lab in a real browser: a head forms, and a knob begins anew with an LSTM."""

import pytest

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def jupyter(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open("07d_transformers.ipynb")
        jupyter.run_cell(0, timeout=120)
        yield jupyter


def test_training_draws_the_patterns_and_takes_another_model(jupyter):
    lab = jupyter.start_lab("lab = LiveLab(", pictures=3, knobs=6)
    lab.locator(".course-knobs select").nth(1).select_option(label="lstm")  # begins anew
    jupyter.until("type(lab.trainer.ask(lambda e: e.model)).__name__ == 'CharLSTM'")
    jupyter.pause(lab)
