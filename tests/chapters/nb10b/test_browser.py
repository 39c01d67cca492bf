"""The live lab of notebook 10b as a student meets it."""

import pytest

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def jupyter(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open("10b_boltzmann_machines.ipynb")
        jupyter.run_cell(0, timeout=120)
        yield jupyter


def test_the_boltzmann_lab_learns_by_another_gradient(jupyter):
    lab = jupyter.start_lab("lab = LiveLab(", pictures=5, knobs=4)
    lab.locator(".widget-dropdown", has_text="gradient").locator("select").select_option("PCD")
    jupyter.page.locator(".course-changed", has_text="gradient").wait_for(timeout=60_000)
    jupyter.turn(lab, "rounds a step")
    jupyter.until("lab.trainer.ask(lambda e: (e.hyperparameters.method, e.hyperparameters.k)) == ('PCD', 2)")
    jupyter.turn(lab, "hidden units")  # begins anew
    jupyter.until("lab.trainer.ask(lambda e: e.rbm.W.shape[-1]) == 17")
    jupyter.pause(lab)
