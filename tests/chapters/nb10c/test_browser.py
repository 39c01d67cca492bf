"""The live parts of notebook 10c as a student meets them: a lab and a picture that follows a slider."""

import pytest
from jupyter import press

pytestmark = pytest.mark.thorough

NAME = "10c_denoising_mmd.ipynb"
CHAIN = "density with two peaks"


@pytest.fixture(scope="module")
def jupyter(course_server):
    with course_server.fresh() as jupyter:
        yield jupyter


@pytest.fixture
def fresh(jupyter):
    jupyter.open(NAME)
    jupyter.run_cell(0)
    return jupyter


def start(jupyter, cell):
    """Run a lab's cell and press Start; returns the lab."""
    page = jupyter.page
    jupyter.run_cell(cell, timeout=90)
    page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
    lab, before = page.locator(".course-lab"), jupyter.pixels()
    lab.get_by_role("button", name="Start").click()
    jupyter.redrawn(before)
    return lab


def turn(page, lab, knob):
    changed = page.locator(".course-changed", has_text=knob)
    press(lab.locator(".widget-inline-hbox", has_text=knob).locator(".noUi-handle"), "ArrowRight",
          lambda ms: changed.wait_for(timeout=ms))


def pause(page, lab):
    lab.get_by_role("button", name="Pause").click()
    page.locator(".course-state", has_text="Paused").wait_for(timeout=60_000)
    assert page.locator(".course-error").inner_text() == ""
    assert page.locator("[role=alert]:visible").count() == 0


def test_the_moment_matching_lab_takes_another_width(fresh):
    page, lab = fresh.page, start(fresh, "mmd_lab = LiveLab(")
    turn(page, lab, "width of the kernel")
    fresh.until("mmd_lab.trainer.ask(lambda e: e.hyperparameters.width) > 0.3")
    pause(page, lab)


def test_the_chains_end_follows_its_noise_and_its_peaks(fresh):
    page = fresh.page
    fresh.run_cell("grid = np.linspace")
    fresh.run_cell("def chain_picture")

    def picture(value):
        return page.locator(f"img:visible[alt*='{CHAIN}'][alt*='{value}']")

    picture("noise = 0.3").wait_for(timeout=60_000)
    seen = [picture("noise = 0.3").get_attribute("src")]
    press(page.locator(".widget-inline-hbox", has_text="noise of the").locator(".noUi-handle"), "End",
          lambda ms: picture("noise = 2.0").wait_for(timeout=ms))
    seen.append(picture("noise = 2.0").get_attribute("src"))
    page.get_by_label("a denoiser with one peak").check()
    picture("one_peak = True").wait_for(timeout=60_000)
    seen.append(picture("one_peak = True").get_attribute("src"))
    assert len(set(seen)) == 3 and page.locator("[role=alert]:visible").count() == 0
