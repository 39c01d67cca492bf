"""What a maintainer edits in the JavaScript or CSS of a lab is in the open page a moment later."""

import shutil
from pathlib import Path

import pytest
from jupyter import Jupyter, write_notebook

import course_lib
from course_lib.live import assets

SETUP = f"""
import os, sys
from pathlib import Path
sys.path[:0] = {[str(Path(__file__).parents[1]), str(Path(course_lib.__file__).parents[1])]!r}
os.environ["ANYWIDGET_HMR"] = "1"
from tiny_experiment import Tiny
from course_lib.live import Curve, LiveLab
from course_lib.live.canvas import Canvas
Canvas.FOLDER = Path("copy").resolve()
"""
LAB = "lab = LiveLab(Tiny(), [Curve('loss_d')])\nlab"


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.thorough
def test_an_edited_file_is_in_the_open_page_and_the_lab_goes_on(tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(assets.HERE, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    write_notebook(tmp_path / "lab.ipynb", SETUP, LAB)
    with Jupyter(tmp_path) as jupyter:
        jupyter.open("lab.ipynb")
        jupyter.run_all()
        page = jupyter.page
        page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
        lab = page.locator(".course-lab")
        lab.get_by_role("button", name="Start").click()
        jupyter.until("lab.trainer.steps > 20")
        lab.get_by_role("button", name="Pause").click()
        page.wait_for_selector(".course-canvas[data-state=paused]", timeout=60_000)
        steps, shown = jupyter.kernel("lab.trainer.steps"), jupyter.pixels()
        edit(copy / "axes.js", "const TICK_PX = 12.5;", "const TICK_PX = 20;")  # two imports away from canvas.js
        jupyter.redrawn(shown)
        edit(copy / "canvas.css", ".course-step { min-width: 7em;", ".course-step { min-width: 321px;")
        page.wait_for_function("() => getComputedStyle(document.querySelector('.course-step')).minWidth === '321px'")
        assert page.locator(".course-canvas").count() == 1
        assert page.locator(f".course-canvas[data-state=paused][data-step='{steps}']").count() == 1
        lab.get_by_role("button", name="Start").click()
        jupyter.until(f"lab.trainer.steps > {steps} + 20")
        page.wait_for_function("n => +document.querySelector('.course-canvas').dataset.step > n", arg=steps + 20)
        jupyter.nothing_is_wrong()
