"""Notebook 11e's lab in a real browser: an alphabet forms, and a knob begins anew with another one."""

import pytest

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def jupyter(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open("11e_discrete_codes.ipynb")
        jupyter.run_cell(0, timeout=120)
        yield jupyter


def test_training_draws_the_use_of_entries_and_takes_another_alphabet(jupyter):
    lab = jupyter.start_lab("lab = LiveLab(", pictures=5, knobs=6)
    lab.locator(".course-knobs select").first.select_option(label="finite scalar")  # begins anew
    jupyter.until("type(lab.trainer.ask(lambda e: e.model.quantizer)).__name__ == 'FiniteScalar'")
    jupyter.pause(lab)
