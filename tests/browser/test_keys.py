"""Every letter pressed with a widget focused: the widget may have it, the notebook's cells stay as they are."""

import string
from pathlib import Path

import pytest
from jupyter import Jupyter, write_notebook

import course_lib

SETUP = f"""
import sys
sys.path[:0] = {[str(Path(__file__).parents[1]), str(Path(course_lib.__file__).parents[1])]!r}
import numpy as np
from tiny_experiment import Tiny
from course_lib.live import Bars, Density, ImageGrid, LiveLab, Pad, Scatter, explore, explore_canvas
from course_lib.plots import curves
EXAMPLES = np.eye(8)[None]

def line(n=3, kind="up"):
    return curves([1, 2], {{"y": [0, n]}}, title="t", xlabel="x", ylabel="y")

def numbers(drawing, n=3):
    return {{"p": np.arange(n), "image": drawing[None]}}
"""
PAD = "pad = Pad(EXAMPLES, label='Draw alone')\npad"
EXPLORED = "explore(line, alt='Explored', n=(1, 9, 1), kind=['up', 'down'])"
ON_CANVAS = ("explore_canvas(numbers, [Bars('p', switch='bars'), ImageGrid('image')], alt='On a canvas', n=(1, 9, 1),\n"
             "               drawing=Pad(EXAMPLES, label='Draw beside'))")
LAB = "lab = LiveLab(Tiny(), [Density('real', 'generated', grid='x', title='Lab', switch='both')])\nlab"
FOCUSED = {  # where the focus is: the cell, and what is in it
    "a pad": (1, "canvas"),
    "a pad's button": (1, "button >> nth=0"),
    "explore's slider": (2, "[role=slider]"),
    "explore's choices": (2, "select"),
    "the pad beside a canvas": (3, ".course-pad canvas"),
    "a canvas's slider": (3, "[role=slider]"),
    "a canvas's picture": (3, ".course-plot >> nth=0"),
    "a canvas's switch": (3, ".course-switch input"),
    "a lab's button": (4, "button >> nth=0"),
    "a lab's slider": (4, "[role=slider] >> nth=0"),
    "a lab's checkbox": (4, ".course-knobs input[type=checkbox]"),
    "a lab's switch": (4, ".course-switch input"),
    "a lab's speed": (4, ".course-toolbar select"),
}
KEYS = [*string.ascii_letters, *string.digits, "d", "d"]  # dd deletes a cell; most others cut, make or move one
CELLS = """() => jupyterapp.shell.currentWidget.content.widgets.map(c =>
    [c.model.id, c.model.type, c.model.sharedModel.getSource(), c.model.executionCount])"""


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    write_notebook(folder / "keys.ipynb", SETUP, PAD, EXPLORED, ON_CANVAS, LAB, "1 + 1")
    with Jupyter(folder) as jupyter:
        jupyter.open("keys.ipynb")
        jupyter.run_all()
        jupyter.page.locator(".course-canvas[data-drawn]").nth(1).wait_for(timeout=60_000)
        jupyter.page.locator("img:visible[alt^='Explored']").wait_for(timeout=60_000)
        yield jupyter


def focus(jupyter, name):
    """The widget's part, with its cell the active one in command mode, as after a click."""
    cell, part = FOCUSED[name]
    jupyter.page.evaluate("""i => { const content = jupyterapp.shell.currentWidget.content;
        content.activeCellIndex = i; content.mode = 'command'; return 1 }""", cell)
    found = jupyter.page.locator(".jp-Cell").nth(cell).locator(part).first
    found.focus()
    return found


@pytest.mark.parametrize("name", FOCUSED)
def test_no_letter_reaches_the_notebook(jupyter, name):
    before = jupyter.page.evaluate(CELLS)
    part = focus(jupyter, name)
    for key in KEYS:
        part.press(key)
    assert jupyter.page.evaluate(CELLS) == before
    assert jupyter.page.evaluate("() => jupyterapp.shell.currentWidget.content.activeCellIndex") == FOCUSED[name][0]


@pytest.mark.parametrize("name", ["a pad", "a pad's button", "a canvas's picture", "a lab's button"])
def test_no_letter_reaches_the_notebook_after_a_click(jupyter, name):
    before = jupyter.page.evaluate(CELLS)
    focus(jupyter, name).click()
    for key in "xddab":
        jupyter.page.keyboard.press(key)
    assert jupyter.page.evaluate(CELLS) == before


def test_the_same_letter_deletes_a_cell_where_no_widget_is(jupyter):
    """Else the test above would show nothing."""
    before = jupyter.page.evaluate(CELLS)
    jupyter.page.evaluate("""() => { const content = jupyterapp.shell.currentWidget.content;
        content.activeCellIndex = 5; content.mode = 'command'; return 1 }""")
    jupyter.page.locator(".jp-Cell").nth(5).press("x")
    jupyter.page.wait_for_function(f"n => ({CELLS})().length === n - 1", arg=len(before), timeout=30_000)
    jupyter.page.evaluate("async () => { await jupyterapp.commands.execute('notebook:undo-cell-action'); return 1 }")
    jupyter.page.wait_for_function(f"n => ({CELLS})().length === n", arg=len(before), timeout=30_000)


def test_a_pad_keeps_its_own_keys(jupyter):
    before = jupyter.kernel("bytes(pad.pixels)")
    pad = focus(jupyter, "a pad")
    pad.press("ArrowLeft")
    pad.press(" ")
    jupyter.until(f"bytes(pad.pixels) != {before!r}")
    assert jupyter.page.evaluate("() => jupyterapp.shell.currentWidget.content.activeCellIndex") == 1


def test_a_slider_keeps_its_own_keys(jupyter):
    slider = focus(jupyter, "explore's slider")
    slider.press("Home")
    jupyter.page.locator("img:visible[alt^='Explored (n = 1,']").wait_for(timeout=60_000)


@pytest.mark.parametrize("name", ["a pad", "the pad beside a canvas", "a lab's button"])
def test_ctrl_s_saves_as_ever(jupyter, name):
    jupyter.page.evaluate("() => { jupyterapp.shell.currentWidget.context.model.dirty = true; return 1 }")
    from playwright.sync_api import TimeoutError as NotYet

    for left in (2, 1, 0):  # JupyterLab moves the focus when it likes, so a key may land elsewhere
        focus(jupyter, name).press("Control+s")
        try:
            jupyter.page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty", timeout=20_000)
            break
        except NotYet:
            if not left:
                raise
    before = jupyter.page.evaluate(CELLS)
    focus(jupyter, name).press("x")
    assert jupyter.page.evaluate(CELLS) == before, "one key only was let through"
