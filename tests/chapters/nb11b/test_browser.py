"""Notebook 11b as a student meets it: the way back in slow motion, by its slider and its choice of sampler."""

import pytest
from jupyter import press

WALK = "Left, points that go from a round cloud"


@pytest.fixture(scope="module")
def jupyter(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open("11b_bound_and_back.ipynb")
        jupyter.run_cell(0)
        yield jupyter


def test_the_points_go_back_step_by_step(jupyter):
    page = jupyter.page
    jupyter.run_cell("line = NoisedMixture")
    jupyter.run_cell("def noise(")
    jupyter.run_cell('moons = mixture_of("moons")', timeout=90)
    found = page.locator(f"img:visible[alt*='{WALK}'][alt*='step = 16']")
    press(page.locator(".widget-inline-hbox", has_text="step").locator(".noUi-handle"), "End",
          lambda ms: found.wait_for(timeout=ms))
    assert page.locator("[role=alert]:visible").count() == 0
