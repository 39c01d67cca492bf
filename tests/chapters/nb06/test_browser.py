"""The lab of notebook 06 as a student meets it: it trains, sharpens its grid, and takes turned knobs."""

import pytest

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def jupyter(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open("06_dcgan.ipynb")
        jupyter.run_cell(0, timeout=120)
        yield jupyter


def test_the_lab_trains_and_takes_its_knobs(jupyter):
    lab = jupyter.start_lab("lab = LiveLab(", pictures=4, knobs=5)
    for knob in ("learning rate of D", "steps of D per step of G", "dropout in D"):
        jupyter.turn(lab, knob)
    jupyter.until("lab.trainer.ask(lambda e: e.hyperparameters.d_steps) == 2")
    jupyter.until("lab.trainer.ask(lambda e: e.D.layers.dropout1.p) > 0")
    jupyter.pause(lab)
