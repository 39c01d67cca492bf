"""Notebook 11f's lab in a real browser: pictures are unmasked, and knobs begin anew or change what is drawn."""

import pytest

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def jupyter(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open("11f_masked_diffusion.ipynb")
        jupyter.run_cell(0, timeout=120)
        yield jupyter


def test_training_unmasks_pictures_and_takes_other_data(jupyter):
    lab = jupyter.start_lab("lab = LiveLab(", pictures=3, knobs=6)
    lab.locator(".course-knobs select").nth(0).select_option(label="bars")  # begins anew
    jupyter.until("lab.trainer.ask(lambda e: e.kind.size) == (3, 3)")
    lab.locator(".course-knobs select").nth(1).select_option(label="no weight")  # at once
    jupyter.until("lab.trainer.ask(lambda e: e.hyperparameters.objective) == 'no weight'")
    jupyter.pause(lab)
