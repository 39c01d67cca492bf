"""The lab of notebook 04 as a student meets it: it trains, draws the map, takes a turned knob and a restart."""

import pytest

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def jupyter(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open("04_vae.ipynb")
        jupyter.run_cell(0, timeout=120)
        yield jupyter


def test_the_lab_trains_and_shows_only_its_knobs(jupyter):
    lab = jupyter.start_lab("lab = LiveLab(", pictures=6, knobs=4)
    jupyter.turn(lab, "weight of KL")
    jupyter.turn(lab, "latent size")  # begins anew, with more bars
    jupyter.until("lab.trainer.ask(lambda e: e.model.latent_size) == 3")
    jupyter.pause(lab)
