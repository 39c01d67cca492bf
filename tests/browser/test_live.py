"""A live lab in a real browser: what the reader does, in order, and what comes of it. Order and effect, never speed."""

import random
import time
from pathlib import Path

import pytest
from jupyter import Jupyter, write_notebook

import course_lib

SETUP = f"""
import sys, threading
sys.path[:0] = {[str(Path(__file__).parents[1]), str(Path(course_lib.__file__).parents[1])]!r}
from tiny_experiment import Everything, Exploding, Tiny
from course_lib.live import *
views = [Density("real", "generated", grid="x", lines=("decision",), title="Densities"), Curve("loss_d", "loss_g")]
old = []
def threads():
    return sum(t.name == "course-trainer" for t in threading.enumerate())
"""
LAB = "lab = LiveLab(Tiny(), views)\nold.append(lab)\nlab"
GALLERY = """gallery = LiveLab(Everything(), [
    Scatter("points", equal=True),
    HeatMap("heat", extent=(-2, 2, -2, 2)) + Mesh("bent", start="flat", switch="net") + Scatter("points", outline=True)
    + Arrows("toward", at="at"),
    Arrows("toward", at="at"), ImageGrid("images"), ImageGrid("colored", columns=2),
    Bars("counts", names=list("abc")), Curve("loss_d", "loss_g", log=True)])
gallery"""
BOOM = "boom = LiveLab(Exploding(), views)\nboom"
PIXELS = "() => document.querySelector('.course-canvas canvas').toDataURL()"


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    write_notebook(folder / "live.ipynb", SETUP, LAB, BOOM, GALLERY)
    with Jupyter(folder) as jupyter:
        jupyter.open("live.ipynb")
        yield jupyter


@pytest.fixture
def lab(jupyter):
    """The page with a fresh lab; nothing else is open."""
    jupyter.run_all()
    jupyter.page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
    return jupyter.page.locator(".course-lab").first


def press(lab, name):
    lab.get_by_role("button", name=name).click()


@pytest.mark.thorough
def test_showing_a_lab_changes_nothing(jupyter, lab):
    time.sleep(1)
    assert jupyter.kernel("(lab.trainer.state, lab.trainer.sessions[-1].changes)") == ("idle", [])
    assert jupyter.kernel("lab.digest() == Tiny().digest()")
    assert jupyter.page.locator(".jp-OutputArea-output img:visible").count() == 0, "the still is hidden"


def test_start_pause_step_reset(jupyter, lab):
    idle = jupyter.page.evaluate(PIXELS)
    press(lab, "Start")
    jupyter.page.wait_for_selector(".course-canvas[data-state=running]")
    jupyter.until("lab.trainer.steps > 50")
    jupyter.page.wait_for_function(f"before => ({PIXELS})() !== before", arg=idle)
    press(lab, "Pause")
    jupyter.page.wait_for_selector(".course-canvas[data-state=paused]")
    stood = jupyter.kernel("lab.trainer.steps")
    time.sleep(0.5)
    assert jupyter.kernel("(lab.trainer.state, lab.trainer.steps)") == ("paused", stood)
    jupyter.until("threads() == 0")
    press(lab, "Step")
    jupyter.page.wait_for_selector(f".course-canvas[data-step='{stood + 1}']")
    assert jupyter.kernel("lab.trainer.steps") == stood + 1
    press(lab, "Reset")
    jupyter.page.wait_for_selector(".course-canvas[data-state=idle][data-step='0']")
    assert jupyter.kernel("lab.digest() == Tiny().digest()")
    spoken = lab.locator("[role=status]").inner_text()
    assert spoken.startswith("Ready, step 0.") and "Densities: real highest at " in spoken


def test_a_slider_moved_while_training_changes_what_is_trained_and_replays(jupyter, lab):
    press(lab, "Start")
    jupyter.until("lab.trainer.steps > 20")
    rate = "lab.trainer.ask(lambda e: e.opt_d.param_groups[0]['lr'])"
    before = jupyter.kernel(rate)
    slider = lab.get_by_role("slider", name="learning rate of D")
    slider.focus()
    slider.press("ArrowRight")
    jupyter.until(f"{rate} > {before}")
    steps = jupyter.kernel("lab.trainer.steps")
    jupyter.until(f"lab.trainer.steps > {steps} + 20")
    press(lab, "Pause")
    jupyter.until("lab.trainer.state == 'paused'")
    assert "learning rate of D" in lab.locator(".course-changed").inner_text()
    digest, changes = jupyter.kernel("(lab.digest(), len(lab.trainer.sessions[-1].changes))")
    press(lab, "Replay")
    jupyter.until("lab.trainer.changed == 'the replay has caught up'")
    assert jupyter.kernel("(lab.digest(), len(lab.trainer.sessions[-1].changes))") == (digest, changes)


@pytest.mark.thorough
@pytest.mark.parametrize("end", ["Home", "End"])
def test_every_hyperparameter_at_its_minimum_and_maximum(jupyter, lab, end):
    press(lab, "Start")
    for slider in lab.get_by_role("slider").all():
        slider.focus()
        slider.press(end)
    lab.get_by_role("checkbox").set_checked(end == "End")
    lab.locator(".course-knobs").get_by_role("combobox").select_option(index=0 if end == "Home" else 1)
    side = "low" if end == "Home" else "high"
    jupyter.until(f"all(getattr(lab.trainer.ask(lambda e: e.hyperparameters), n) == getattr(k, {side!r})"
                  " for n, k in Tiny.Hyperparameters.fields().items() if k.low is not None)")
    values = jupyter.kernel("lab.trainer.ask(lambda e: (e.hyperparameters.noise, e.hyperparameters.saturating))")
    assert values == (("normal", False) if end == "Home" else ("uniform", True))
    steps = jupyter.kernel("lab.trainer.steps")
    jupyter.until(f"lab.trainer.steps > {steps} + 10")
    assert jupyter.kernel("lab.trainer.error is None")


@pytest.mark.thorough
def test_a_storm_of_200_events_leaves_it_working(jupyter, lab):
    rng = random.Random(0)
    buttons, sliders = lab.get_by_role("button").all(), lab.get_by_role("slider").all()
    for _ in range(200):
        if rng.random() < 0.5:
            rng.choice(buttons).evaluate("b => b.click()")
        elif rng.random() < 0.8:
            rng.choice(sliders).press(rng.choice(["ArrowRight", "ArrowLeft", "PageUp", "PageDown", "Home", "End"]))
        else:
            lab.get_by_role("checkbox").evaluate("b => b.click()")
    assert jupyter.kernel("lab.trainer.error is None")
    jupyter.until("threads() <= 1")  # the other labs' threads draw their first pictures, and end
    press(lab, "Reset")
    jupyter.until("lab.trainer.state == 'idle' and lab.trainer.steps == 0")
    in_force, shown = jupyter.kernel("([getattr(lab.trainer.ask(lambda e: e.hyperparameters), n) for n in lab._knobs],"
                                     "[k.value for k in lab._knobs.values()])")
    assert in_force == shown, "the knobs show what is in force"
    press(lab, "Start")
    jupyter.until("lab.trainer.steps > 20")
    jupyter.page.wait_for_function("() => +document.querySelector('.course-canvas').dataset.step > 20")


def test_an_exception_shows_its_traceback(jupyter, lab):
    boom = jupyter.page.locator(".course-lab").nth(1)
    press(boom, "Start")
    jupyter.page.wait_for_selector(".course-canvas[data-state=error]")
    told = boom.get_by_role("alert").inner_text()
    assert "tiny_experiment.py" in told and "RuntimeError: the fuse was 29 steps long" in told
    assert boom.get_by_role("button", name="Start").is_disabled()
    press(boom, "Reset")
    jupyter.until("boom.trainer.state == 'idle'")
    boom.get_by_role("alert").wait_for(state="hidden")


def test_every_kind_of_view_draws(jupyter, lab):
    gallery = jupyter.page.locator(".course-lab").nth(2)
    plots = gallery.locator("canvas")
    blank = "c => !c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(Boolean)"
    press(gallery, "Start")
    jupyter.until("gallery.trainer.steps > 20")
    press(gallery, "Pause")
    jupyter.until("gallery.trainer.state == 'paused'")
    gallery.locator(".course-canvas[data-state=paused]").wait_for()
    assert [plot.evaluate(blank) for plot in plots.all()] == [False] * 7
    assert jupyter.console == []


def test_a_saved_notebook_has_the_last_picture(jupyter, lab):
    def still():
        return [o["data"]["text/html"] for o in jupyter.cells()[1]["outputs"] if "text/html" in o.get("data", {})]

    before = still()
    press(lab, "Step")
    jupyter.until("threads() == 0")
    end = time.monotonic() + 60
    while still() == before and time.monotonic() < end:
        time.sleep(0.1)
    assert len(still()) == 1 and still() != before


@pytest.mark.thorough
def test_running_the_cell_again_closes_the_old_lab(jupyter, lab):
    press(lab, "Start")
    jupyter.until("lab.trainer.steps > 10")
    jupyter.run_cell(1)
    assert jupyter.kernel("(len({id(l) for l in old}) > 1, {l.trainer.state for l in old[:-1]})") == (True, {"closed"})
    jupyter.until("threads() == 0")
    assert jupyter.kernel("lab.trainer.state") == "idle"


@pytest.mark.thorough
def test_a_watched_lab_trains_on_and_a_long_cell_does_not_pause_it(jupyter, lab):
    press(lab, "Start")
    jupyter.until("lab.trainer.steps > 10")
    time.sleep(7)  # longer than the window is patient
    steps = jupyter.kernel("lab.trainer.steps")
    during = jupyter.kernel("(__import__('time').sleep(8), lab.trainer.state, lab.trainer.steps)[1:]")
    assert during[0] == "running" and during[1] > steps + 100
    time.sleep(1)
    assert jupyter.kernel("lab.trainer.state") == "running"


def test_closing_the_page_pauses_and_opening_it_again_goes_on(jupyter, lab):
    press(lab, "Start")
    jupyter.until("lab.trainer.steps > 10")
    jupyter.page.evaluate("async () => { await jupyterapp.commands.execute('docmanager:save'); return 1 }")
    jupyter.page.close()
    jupyter.new_page()
    time.sleep(10)  # twice the patience of the window: nobody can be asked meanwhile
    jupyter.open("live.ipynb")
    assert jupyter.kernel("lab.trainer.state") == "paused"
    jupyter.until("threads() == 0")  # the page that opens has both labs draw once
    page = jupyter.page
    page.wait_for_selector(".course-canvas[data-state=paused]", timeout=60_000)
    assert "no page was watching" in page.locator(".course-changed").first.inner_text()
    steps = jupyter.kernel("lab.trainer.steps")
    press(page.locator(".course-lab").first, "Start")
    jupyter.until(f"lab.trainer.steps > {steps} + 20")
    page.wait_for_function("n => +document.querySelector('.course-canvas').dataset.step > n", arg=steps)
