"""The live parts of notebook 10c as a student meets them: a lab and a picture that follows a slider."""

import pytest
from jupyter import press

pytestmark = pytest.mark.thorough

CHAIN = "density with two peaks"


@pytest.fixture(scope="module")
def jupyter(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open("10c_denoising_mmd.ipynb")
        jupyter.run_cell(0, timeout=120)
        yield jupyter


def test_the_moment_matching_lab_takes_another_width(jupyter):
    lab = jupyter.start_lab("mmd_lab = LiveLab(", pictures=2, knobs=3)
    jupyter.turn(lab, "width of the kernel")
    jupyter.until("mmd_lab.trainer.ask(lambda e: e.hyperparameters.width) > 0.3")
    jupyter.pause(lab)


def test_the_chains_end_follows_its_noise_and_its_peaks(jupyter):
    page = jupyter.page
    jupyter.run_cell("grid = np.linspace")
    jupyter.run_cell("def chain_picture")

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
    assert len(set(seen)) == 3
    jupyter.nothing_is_wrong()
