"""The labs of notebook 09b as a student meets them: slow motion, switches, menus and the pad of the 2-D lab; the peak
that moves; and the critic that is trapped. Order and effect, never speed."""

import pytest
from jupyter import press

pytestmark = pytest.mark.thorough

PHASE = """([network, i]) => { const rows = [...document.querySelectorAll('.course-turn')];
    return rows.find(row => row.innerText.startsWith(network)).children[i + 1].dataset.phase === 'now' }"""
PIXELS = "() => document.querySelector('.course-wide canvas').toDataURL()"


@pytest.fixture(scope="module")
def jupyter(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open("09b_wasserstein.ipynb")
        jupyter.run_cell(0, timeout=120)
        jupyter.console.clear()  # of what JupyterLab itself complained about
        yield jupyter


def run_cell(jupyter, start):
    jupyter.run_cell(next(i for i, cell in enumerate(jupyter.cells()) if cell["source"].startswith(start)), timeout=120)


def changed(page, before):
    page.wait_for_function(f"before => ({PIXELS})() !== before", arg=before, timeout=60_000)
    return page.evaluate(PIXELS)


def test_slow_motion_switches_menus_and_the_pad(jupyter):
    page, lab = jupyter.page, jupyter.page.locator(".course-lab")
    run_cell(jupyter, "lab = gan2d_lab()")
    page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
    now = page.locator(".course-phase[data-phase=now]")
    picture = page.evaluate(PIXELS)
    for network, names in (("D", 6), ("D", 6), ("G", 5)):
        for i in range(names):
            lab.get_by_role("button", name="Phase").click()
            page.wait_for_function(PHASE, arg=[network, i], timeout=60_000)
    assert now.inner_text() == "gradient" and "arrows" in page.locator(".course-says").inner_text()
    picture = changed(page, picture)
    lab.get_by_role("button", name="Phase").click()
    page.wait_for_selector(".course-canvas[data-step='1']", timeout=60_000)
    jupyter.kernel("globals().__setitem__('plain', GAN2DExperiment()) or plain.step() and None")
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
    jupyter.kernel("lab.close()")


def test_the_peak_moves(jupyter):
    page = jupyter.page
    run_cell(jupyter, "grid = np.linspace")
    page.locator("img:visible[alt*='theta = 2.5']").wait_for(timeout=60_000)
    moved = page.locator("img:visible[alt*='theta = 2.6']")
    press(page.locator(".widget-inline-hbox", has_text="fake peak θ").locator(".noUi-handle"), "ArrowRight",
          lambda ms: moved.wait_for(timeout=ms))
    assert page.locator("[role=alert]:visible").count() == 0


def test_the_trapped_critic_trains_and_can_be_freed(jupyter):
    page = jupyter.page
    run_cell(jupyter, "critic_lab = LiveLab(")
    lab = page.locator(".course-lab").last
    lab.get_by_role("button", name="Start").click()
    jupyter.until("critic_lab.trainer.steps > 20")
    lab.get_by_role("combobox", name="limit of the slope").select_option("one-sided")
    jupyter.until("critic_lab.trainer.ask(lambda e: e.hyperparameters.limit) == 'one-sided'")
    lab.get_by_role("button", name="Pause").click()
    jupyter.until("critic_lab.trainer.state == 'paused'")
    assert lab.locator(".course-error").inner_text() == ""
