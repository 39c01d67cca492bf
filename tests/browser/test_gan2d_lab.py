"""The 2-D lab in a real browser: its slow motion, switches, menus, and the pad. Order and effect, never speed."""

from pathlib import Path

import pytest
from jupyter import Jupyter, write_notebook

import course_lib

SETUP = f"""
import sys
sys.path.insert(0, {str(Path(course_lib.__file__).parents[1])!r})
from course_lib.experiments.gan2d import GAN2DExperiment, GAN2DHyperparameters
from course_lib.live import gan2d_lab
h = GAN2DHyperparameters(d_steps=1)
lab = gan2d_lab(h)
lab
"""
PHASE = """([network, i]) => { const rows = [...document.querySelectorAll('.course-turn')];
    return rows.find(row => row.innerText.startsWith(network)).children[i + 1].dataset.phase === 'now' }"""
PIXELS = "() => document.querySelector('.course-wide canvas').toDataURL()"


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    write_notebook(folder / "lab.ipynb", SETUP)
    with Jupyter(folder) as jupyter:
        jupyter.open("lab.ipynb")
        jupyter.run_all()
        jupyter.page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
        yield jupyter


def changed(page, before):
    page.wait_for_function(f"before => ({PIXELS})() !== before", arg=before, timeout=60_000)
    return page.evaluate(PIXELS)


def test_slow_motion_switches_menus_and_the_pad(jupyter):
    page, lab = jupyter.page, jupyter.page.locator(".course-lab")
    now = page.locator(".course-phase[data-phase=now]")
    picture = page.evaluate(PIXELS)
    for network, names in (("D", 6), ("G", 5)):
        for i in range(names):
            lab.get_by_role("button", name="Phase").click()
            page.wait_for_function(PHASE, arg=[network, i], timeout=60_000)
    assert now.inner_text() == "gradient" and "arrows" in page.locator(".course-says").inner_text()
    picture = changed(page, picture)
    lab.get_by_role("button", name="Phase").click()
    page.wait_for_selector(".course-canvas[data-step='1']", timeout=60_000)
    jupyter.kernel("globals().__setitem__('plain', GAN2DExperiment(h)) or plain.step() and None")
    assert now.count() == 0 and jupyter.kernel("lab.digest() == plain.digest()")

    picture = page.evaluate(PIXELS)
    for layer in ("D’s verdict", "real points", "arrows", "fakes"):
        lab.get_by_role("checkbox", name=layer).uncheck()
        picture = changed(page, picture)
    lab.get_by_role("checkbox", name="G’s grid").check()
    picture = changed(page, picture)
    lab.get_by_role("slider", name="Bend the grid").fill("0.5")
    picture = changed(page, picture)

    lab.get_by_role("combobox", name="variant").select_option("WGAN-GP")
    jupyter.until("lab.trainer.ask(lambda e: e.hyperparameters.variant) == 'WGAN-GP'")
    pad = page.get_by_role("application", name="Draw your own data")
    lab.get_by_role("button", name="Clear").click()
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 40, steps=5)
    page.mouse.up()
    jupyter.until("lab.trainer.ask(lambda e: e.hyperparameters.data) == 'drawn'")
    assert jupyter.kernel("bool((lab.trainer.ask(lambda e: e.snapshot())['real'][:, 1] > 1).all())")  # drawn at the top
    assert len(jupyter.kernel("[s.because for s in lab.trainer.sessions]")) == 3  # the stroke is one change
    lab.get_by_role("button", name="Start").click()
    jupyter.until("lab.trainer.steps > 3")
    lab.get_by_role("button", name="Pause").click()
    jupyter.until("lab.trainer.state == 'paused'")
    assert page.locator(".course-error").inner_text() == "" and jupyter.console == []
