"""A notebook met again: reopened, its kernel gone, interrupted, on a second page, untrusted. Each time every lab and
every slider shows its last picture, says what is so, and says no more."""

import json
import time
from pathlib import Path

import pytest
from jupyter import Jupyter, write_notebook

import course_lib

SETUP = f"""
import sys
sys.path[:0] = {[str(Path(__file__).parents[1]), str(Path(course_lib.__file__).parents[1])]!r}
import numpy as np
from tiny_experiment import Tiny
from course_lib.live import Bars, Curve, Density, LiveLab, explore, explore_canvas
from course_lib.plots import curves

def line(n=3):
    return curves([1, 2], {{"y": [0, n]}}, title="t", xlabel="x", ylabel="y")

def numbers(n=3):
    return {{"p": np.arange(n)}}
"""
LAB = "lab = LiveLab(Tiny(), [Density('real', 'generated', grid='x', title='Densities'), Curve('loss_d')])\nlab"
EXPLORED = "explore(line, alt='Explored', n=(1, 9, 1))"
ON_CANVAS = "explore_canvas(numbers, [Bars('p')], alt='On a canvas', n=(1, 9, 1))"
NAME = "again.ipynb"
ALTS = ("After", "Explored (n = 3)", "On a canvas (n = 3)")
SHUT_DOWN = "async () => { await jupyterapp.shell.currentWidget.sessionContext.shutdown(); return 1 }"
RESTART = "async () => { await jupyterapp.shell.currentWidget.sessionContext.restartKernel(); return 1 }"
INTERRUPT = "async () => { await jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt(); return 1 }"
SLEEP = """() => new Promise(asleep => {  // a kernel that is busy may be busy with what came before
    jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute(
        { code: "import time; print('asleep', flush=True); time.sleep(120)", store_history: false }
    ).onIOPub = message => { if (message.header.msg_type === 'stream') asleep(1); };
})"""
COMMAND = "async (name) => { await jupyterapp.commands.execute(name); return 1 }"
BLANK = "c => !c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(Boolean)"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    write_notebook(folder / NAME, SETUP, LAB, EXPLORED, ON_CANVAS)
    with Jupyter(folder) as jupyter:
        yield jupyter


@pytest.fixture
def jupyter(server):
    """A page of its own with the notebook run, the lab trained a little and at rest, its still renewed."""
    server.page.close()
    server.new_page()
    server.open(NAME)
    run_again(server)
    page = server.page
    page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
    press(page, "Start")
    server.until("lab.trainer.steps > 20")
    press(page, "Pause")
    page.wait_for_selector(".course-canvas[data-state=paused]", timeout=60_000)
    server.steps = server.kernel("lab.trainer.steps")
    page.locator(f".jp-OutputArea img[alt^='After {server.steps} steps']").wait_for(state="attached", timeout=60_000)
    return server


def run_again(jupyter):
    """Run all cells as `run_all` does, also where a new kernel counts to the numbers that stand there already."""
    jupyter.page.evaluate(COMMAND, "notebook:clear-all-cell-outputs")
    jupyter.run_all()


def press(page, name):
    page.locator(".course-lab").first.get_by_role("button", name=name).click()


def reopen(jupyter, commands=()):
    """Save after these commands, end the kernel, close the page, and open the notebook with a new kernel."""
    for command in (*commands, "docmanager:save"):
        jupyter.page.evaluate(COMMAND, command)
    jupyter.page.evaluate(SHUT_DOWN)
    jupyter.page.close()
    jupyter.new_page()
    jupyter.open(NAME)
    return jupyter.page


def pictures(page):
    """The alt texts of the pictures that can be seen."""
    return page.locator(".jp-OutputArea img:visible").evaluate_all("all => all.map(img => img.alt)")


def test_reopened_with_a_new_kernel_the_last_pictures_stand_and_say_what_to_do(jupyter):
    page = reopen(jupyter)
    page.locator(f"img[alt^='After {jupyter.steps} steps']").wait_for(timeout=60_000)
    page.locator("text=model not found").first.wait_for(state="attached", timeout=60_000)  # after some seconds
    assert page.locator("text=model not found >> visible=true").count() == 0
    assert page.locator("text=Loading widget >> visible=true").count() == 0
    assert [alt.startswith(start) for alt, start in zip(pictures(page), ALTS, strict=True)] == [True] * 3
    assert page.locator(".course-still:visible").all_inner_texts() == [
        "A still picture: run this cell to use what it shows."] * 3
    run_again(jupyter)
    page.wait_for_selector(".course-canvas[data-state=idle]", timeout=60_000)
    assert page.locator(".course-still:visible").count() == 0, "run again, the labs are back in place of their stills"


def test_saved_with_the_widgets_state_and_reopened_no_lab_is_blank(jupyter):
    page = reopen(jupyter, ["@jupyter-widgets/jupyterlab-manager:saveWidgetState"])
    page.locator(".course-state", has_text="Not connected").first.wait_for(timeout=60_000)
    page.locator("img:visible[alt^='Explored']").wait_for(timeout=60_000)
    assert page.locator(".course-state:visible").all_inner_texts() == ["Not connected"] * 2
    assert page.locator("text=kernel is gone >> visible=true").count() >= 3
    assert page.locator(".course-plot:visible").count() == 0, "no frame has come"
    seen = pictures(page)
    assert len(seen) == 3 and all(any(alt.startswith(start) for alt in seen) for start in ALTS)
    assert any(alt.startswith(f"After {jupyter.steps} steps. Densities: real highest at ") for alt in seen)


@pytest.mark.thorough
def test_after_a_restart_the_last_frame_stays_and_no_lab_says_that_it_trains(jupyter):
    page = jupyter.page
    press(page, "Start")
    page.wait_for_selector(".course-canvas[data-state=running]")
    page.evaluate(RESTART)
    page.locator(".course-state", has_text="Not connected").first.wait_for(timeout=60_000)
    assert page.locator(".course-canvas").first.get_attribute("data-state") == "gone"
    assert page.locator(".course-changed").first.inner_text() == "Its kernel is gone: run this cell again."
    assert page.locator(".course-rate").first.inner_text() == ""
    assert not any(plot.evaluate(BLANK) for plot in page.locator(".course-plot").all())
    assert page.locator("p:visible", has_text="Its kernel is gone").count() == 1, "below the picture of the sliders"
    assert page.locator(".course-still:visible").count() == 0
    run_again(jupyter)
    page.wait_for_selector(".course-canvas[data-state=idle]", timeout=60_000)


@pytest.mark.thorough
def test_a_kernel_that_was_killed_is_told_by_its_silence(jupyter):
    page = jupyter.page
    press(page, "Start")
    page.wait_for_selector(".course-canvas[data-state=running]")
    page.evaluate("""() => { jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute(
        { code: 'import os; os._exit(1)', store_history: false }); return 1 }""")
    page.wait_for_function("""() => /no news for \\d+ s/.test(document.querySelector('.course-rate').textContent)
        || document.querySelector('.course-canvas').dataset.state === 'gone'""", timeout=60_000)


@pytest.mark.thorough
@pytest.mark.parametrize("busy", [False, True], ids=["at rest", "within a cell"])
def test_an_interrupted_kernel_trains_on_and_says_so(jupyter, busy):
    page = jupyter.page
    press(page, "Start")
    page.wait_for_selector(".course-canvas[data-state=running]")
    if busy:
        page.evaluate(SLEEP)
    page.evaluate(INTERRUPT)
    jupyter.until("lab.trainer.steps > 0")  # it answers again
    steps = jupyter.kernel("lab.trainer.steps")
    page.wait_for_function("n => +document.querySelector('.course-canvas').dataset.step > n", arg=steps + 20,
                           timeout=60_000)
    assert page.locator(".course-state").first.inner_text() == "Training"
    press(page, "Pause")
    page.wait_for_selector(".course-canvas[data-state=paused]", timeout=60_000)
    assert jupyter.kernel("lab.trainer.state") == "paused"


@pytest.mark.thorough
def test_two_pages_show_one_lab(jupyter):
    first = jupyter.page
    first.evaluate(COMMAND, "docmanager:save")
    jupyter.new_page()
    try:
        jupyter.open(NAME)
        second = jupyter.page
        step = f".course-canvas[data-state=paused][data-step='{jupyter.steps}']"
        second.wait_for_selector(step, timeout=60_000)
        assert first.locator(step).count() == 1
        assert second.locator(".course-still:visible").count() == 0
        press(second, "Start")
        for page in (first, second):
            page.wait_for_selector(".course-canvas[data-state=running]", timeout=60_000)
            page.wait_for_function("n => +document.querySelector('.course-canvas').dataset.step > n",
                                   arg=jupyter.steps + 20, timeout=60_000)
    finally:
        jupyter.page.close()
        jupyter.page = first
    time.sleep(8)  # longer than the window is patient: the other page still watches
    assert jupyter.kernel("lab.trainer.state") == "running"
    assert first.locator(".course-state").first.inner_text() == "Training"
    press(first, "Pause")
    first.wait_for_selector(".course-canvas[data-state=paused]", timeout=60_000)
    assert first.locator(".course-changed").first.inner_text() == ""


@pytest.mark.thorough
def test_a_notebook_that_is_not_trusted_shows_its_pictures(jupyter):
    jupyter.page.evaluate(COMMAND, "docmanager:save")
    saved = json.loads((jupyter.folder / NAME).read_text(encoding="utf-8"))
    saved["cells"][1]["outputs"][0]["data"]["text/plain"] = ["LiveLab by somebody else"]
    (jupyter.folder / "theirs.ipynb").write_text(json.dumps(saved), encoding="utf-8")
    page = jupyter.page
    jupyter.open("theirs.ipynb")
    page.locator(f"img:visible[alt^='After {jupyter.steps} steps']").wait_for(timeout=60_000)
    assert not page.evaluate("() => jupyterapp.shell.currentWidget.content.widgets[1].model.trusted")
    assert [alt.startswith(start) for alt, start in zip(pictures(page), ALTS, strict=True)] == [True] * 3
    assert page.locator("text=LiveLab by somebody else >> visible=true").count() == 1
    assert page.locator("text=A still picture >> visible=true").count() == 3
    assert "display: none" not in page.locator(".jp-Notebook").inner_text(), "no style is shown as text"
