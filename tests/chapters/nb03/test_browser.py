"""The two pictures of notebook 03 that follow sliders, as a student meets them."""

import pytest
from jupyter import press

pytestmark = pytest.mark.thorough

NAME = "03_elbo.ipynb"
BARS, MODES = "Left, a bar for log p(x)", "Left, a bar for each of the two KLs"


@pytest.fixture(scope="module")
def lab(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open(NAME)
        jupyter.run_cell(0)
        for start in ("model, x = ", "view = "):
            jupyter.run_cell(start)
        yield jupyter


def picture(lab, alt, value):
    found = lab.page.locator(f"img:visible[alt*='{alt}'][alt*='{value}']")
    found.wait_for(timeout=60_000)
    return found.get_attribute("src")


def moved(lab, label, key, alt, value):
    """The picture after a key on the slider with this label."""
    found = lab.page.locator(f"img:visible[alt*='{alt}'][alt*='{value}']")
    press(lab.page.locator(".widget-inline-hbox", has_text=label).locator(".noUi-handle"), key,
          lambda ms: found.wait_for(timeout=ms))
    return found.get_attribute("src")


def test_the_bars_follow_q_theta_and_the_best_q(lab):
    lab.run_cell("def bars_picture")
    seen = [picture(lab, BARS, "mu = -0.5")]
    seen.append(moved(lab, "mean of q", "Home", BARS, "mu = -3.0"))
    seen.append(moved(lab, "standard deviation of q", "End", BARS, "sigma = 1.5"))
    seen.append(moved(lab, "θ", "End", BARS, "theta = 2.0"))
    lab.page.get_by_label("best q").check()
    seen.append(picture(lab, BARS, "best_q = True"))
    seen.append(moved(lab, "θ", "Home", BARS, "theta = 0.0"))
    assert len(set(seen)) == len(seen)
    assert lab.page.locator("[role=alert]:visible").count() == 0


def test_the_two_modes_follow_their_sliders(lab):
    lab.run_cell("grid = Z")
    seen = [picture(lab, MODES, "separation = 4.0")]
    for label, key, value in (("mean of the Gaussian", "End", "mean = 3.0"),
                              ("its standard", "Home", "std = 0.3"),
                              ("between the modes", "End", "separation = 6.0")):
        seen.append(moved(lab, label, key, MODES, value))
    assert len(set(seen)) == len(seen)
    assert lab.page.locator("[role=alert]:visible").count() == 0
