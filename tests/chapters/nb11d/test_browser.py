"""Notebook 11d as a student meets it: digits on order, a drawing mended, and a flow that trains among codes."""

import pytest
from jupyter import press

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def jupyter(course_server):
    with course_server.fresh() as jupyter:
        jupyter.open("11d_guidance.ipynb")
        jupyter.run_cell(0, timeout=120)
        jupyter.run_cell("net, card = ", timeout=120)
        jupyter.run_cell("def unit(x)", timeout=120)
        yield jupyter


def slider(jupyter, name):
    return jupyter.page.locator(".widget-slider", has_text=name).locator(".noUi-handle")


def drawn(jupyter, count):
    jupyter.page.wait_for_function(
        f"() => document.querySelectorAll('.course-canvas[data-drawn]').length === {count}", timeout=60_000)


def test_digits_come_on_order_and_a_drawing_is_edited(jupyter):
    jupyter.run_cell("def order(", timeout=120)
    drawn(jupyter, 1)
    before = jupyter.pixels(0)
    press(slider(jupyter, "digit").first, "ArrowRight", lambda ms: jupyter.redrawn(before, 0, ms))

    jupyter.run_cell("want = ", timeout=200)
    jupyter.run_cell("def mend(", timeout=120)
    drawn(jupyter, 2)
    before = jupyter.pixels(1)
    pad = jupyter.page.locator(".course-pad canvas").first
    pad.scroll_into_view_if_needed()
    jupyter.stroke(pad, [(0.3, 0.3), (0.7, 0.7)])
    jupyter.page.mouse.up()
    jupyter.redrawn(before, 1)
    jupyter.nothing_is_wrong()


def test_the_flow_among_codes_trains_and_its_guidance_can_be_turned(jupyter):
    page = jupyter.page
    jupyter.run_cell("lab = LiveLab(", timeout=120)
    lab = page.locator(".course-lab").last
    lab.get_by_role("button", name="Start").click()
    jupyter.until("lab.trainer.steps > 5")
    lab.get_by_role("button", name="Pause").click()
    jupyter.until("lab.trainer.state == 'paused'")
    jupyter.until("lab.trainer.ask(lambda e: e.hyperparameters.w) == 1.0")
    press(slider(jupyter, "guidance w").last, "End",
          lambda ms: jupyter.until("lab.trainer.ask(lambda e: e.hyperparameters.w) == 8.0"))
    jupyter.nothing_is_wrong()
