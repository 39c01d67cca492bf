"""Labs, pads and `explore` where the other tests are not: JupyterLab in Firefox, Jupyter Notebook 7 in Chromium."""

from pathlib import Path

import pytest
from firefox import Firefox
from jupyter import Chromium, Jupyter, press, write_notebook

import course_lib

SETUP = f"""
import sys
sys.path[:0] = {[str(Path(__file__).parents[1]), str(Path(course_lib.__file__).parents[1])]!r}
import numpy as np
from tiny_experiment import Tiny
from course_lib.live import *
from course_lib.plots import curves
EXAMPLES = np.zeros((1, 28, 28))
EXAMPLES[0, :, 4:8] = 1

def line(n=3):
    return curves([1, 2], {{"y": [0, n]}}, title="t", xlabel="x", ylabel="y")

def classified(drawing):
    halves = np.array([drawing[:, :14].sum(), drawing[:, 14:].sum()])
    return {{"p": halves / max(halves.sum(), 1)}}
"""
LAB = """lab = LiveLab(Tiny(), [Density('real', 'generated', grid='x', title='Densities'), Curve('loss_d', 'loss_g')])
lab"""
EXPLORED = "explore(line, alt='Explored', n=(1, 9, 1))"
CLASSIFIED = """explore_canvas(classified, [Bars('p', names=['left', 'right'], title='Where the ink is')],
               alt='A class', drawing=SketchPad(EXAMPLES, label='Draw a stroke'))"""
START = ".course-toolbar .mod-primary"
KNOB = ".course-knobs [role=slider][aria-label='learning rate of D']"
SLIDER = ".course-explore [role=slider]"
PAD = ".course-pad canvas"
STATE = "state => document.querySelector('.course-canvas').dataset.state === state"
SEEN = """() => { const img = document.querySelector('.course-explore img'), canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [img.naturalWidth, img.naturalHeight];
    canvas.getContext('2d').drawImage(img, 0, 0);
    return canvas.toDataURL(); }"""
HEARD = """([n, words]) => document.querySelectorAll('.course-canvas')[n].querySelector('.course-plot')
    .getAttribute('aria-label')?.includes(words)"""


pytestmark = pytest.mark.elsewhere


@pytest.fixture(scope="module", params=[
    pytest.param(("lab", Firefox), marks=pytest.mark.firefox, id="JupyterLab in Firefox"),
    pytest.param(("notebook", Chromium), id="Notebook 7 in Chromium")])
def jupyter(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    write_notebook(folder / "elsewhere.ipynb", SETUP, LAB, EXPLORED, CLASSIFIED)
    interface, browser = request.param
    with Jupyter(folder, interface=interface, browser=browser) as jupyter:
        jupyter.open("elsewhere.ipynb")
        jupyter.run_all()
        jupyter.page.wait_for_function("() => document.querySelectorAll('.course-canvas[data-drawn]').length === 2",
                                       timeout=60_000)
        yield jupyter


def test_it_is_the_browser_and_the_interface_that_was_asked_for(request, jupyter):
    agent, name = jupyter.page.evaluate("() => [navigator.userAgent, jupyterapp.name]")
    browser, interface = ("Firefox/", "JupyterLab") if "Firefox" in request.node.name else ("Chrome/", "Notebook")
    assert browser in agent and interface in name


def test_a_lab_draws_takes_a_turned_knob_and_pauses(jupyter):
    page, before = jupyter.page, jupyter.pixels()
    page.locator(START).click()
    page.wait_for_function(STATE, arg="running", timeout=60_000)
    page.wait_for_function("() => +document.querySelector('.course-canvas').dataset.step > 50", timeout=60_000)
    jupyter.redrawn(before)
    press(page.locator(KNOB), "ArrowRight", lambda ms: page.wait_for_function(
        "() => document.querySelector('.course-changed').innerText.includes('learning rate of D')", timeout=ms))
    assert jupyter.kernel("lab.trainer.ask(lambda e: e.opt_d.param_groups[0]['lr'])") > 2e-3
    page.locator(START).click()
    page.wait_for_function(STATE, arg="paused", timeout=60_000)
    jupyter.nothing_is_wrong()


def test_the_picture_of_explore_follows_its_slider(jupyter):
    page, before = jupyter.page, jupyter.page.evaluate(SEEN)
    press(page.locator(SLIDER), "End", lambda ms: page.wait_for_function(
        "() => document.querySelector('.course-explore img').alt.startsWith('Explored (n = 9')", timeout=ms))
    assert page.evaluate(SEEN) != before
    jupyter.nothing_is_wrong()


def test_what_is_drawn_on_a_pad_is_classified(jupyter):
    page, before = jupyter.page, jupyter.pixels(1)
    page.wait_for_function(HEARD, arg=[1, "highest at left"], timeout=60_000)
    page.evaluate("css => { document.querySelector(css).scrollIntoView({ block: 'center' }); return 1 }", PAD)
    jupyter.stroke(page.locator(PAD), [(0.65, 0.1), (0.9, 0.9), (0.65, 0.9), (0.9, 0.1)])
    page.mouse.up()
    page.wait_for_function(HEARD, arg=[1, "highest at right"], timeout=60_000)
    jupyter.redrawn(before, 1)
    jupyter.nothing_is_wrong()
