"""A student's own run of a notebook, exported: every picture is in it, with its alt text where the format has room."""

import base64
import copy
import io
import json
import os
import re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbclient import NotebookClient
from nbconvert import HTMLExporter, LatexExporter, MarkdownExporter, SlidesExporter
from PIL import Image

TESTS = Path(__file__).parent
SETUP = f"""
import sys
sys.path[:0] = {[str(TESTS), str(TESTS.parent)]!r}
import numpy as np
from tiny_experiment import Tiny
from course_lib.live import Bars, Curve, Density, LiveLab, explore, explore_canvas, show_film
from course_lib.plots import curves, images, show

def line(n=3):
    return curves([1, 2], {{"y": [0, n]}}, title="t", xlabel="x", ylabel="y")

def numbers(n=3):
    return {{"p": np.arange(n)}}
"""
PICTURES = {  # by the start of the alt text, each way in which a notebook of the course shows one
    "Shown <plainly> & \"well\"": "show(line(), alt='Shown <plainly> & \"well\"')",
    "Explored (n = 3)": "explore(line, alt='Explored', n=(1, 9, 1))",
    "On a canvas (n = 3)": "explore_canvas(numbers, [Bars('p')], alt='On a canvas', n=(1, 9, 1))",
    "After 0 steps. Lab": "LiveLab(Tiny(), [Density('real', 'generated', grid='x', title='Lab'), Curve('loss_d')])",
    "Filmed": "show_film(images(np.zeros((2, 4, 4)), title='t'), np.ones((2, 2, 4, 4)) * 0.5, alt='Filmed')",
}
STATE = "application/vnd.jupyter.widget-state+json"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The notebook, run with a page that never opens, its widgets' state saved with it."""
    names = {name: value for name, value in os.environ.items() if not name.startswith("COURSE_")}
    cells = [nbformat.v4.new_code_cell(source) for source in (SETUP, *PICTURES.values())]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=300, kernel_name="python3", store_widget_state=True,
                   resources={"metadata": {"path": str(tmp_path_factory.mktemp("run"))}}).execute(env=names)
    return notebook


@pytest.fixture(params=["with the widgets' state", "as it is saved by default"])
def notebook(run, request):
    notebook = copy.deepcopy(run)
    assert notebook.metadata.widgets[STATE]["state"]
    if request.param == "as it is saved by default":
        del notebook.metadata["widgets"]
    return notebook


@pytest.mark.parametrize("exporter", [HTMLExporter, SlidesExporter, MarkdownExporter])
def test_pages_have_every_picture_with_its_alt_text(exporter, notebook):
    body, _ = exporter().from_notebook_node(notebook)
    pictures = BeautifulSoup(body, "html.parser").find_all("img", src=re.compile("^data:image/(png|gif);base64,"))
    alts = [picture["alt"] for picture in pictures]
    expected = [*PICTURES, "Filmed"]  # a film that is stopped shows its last picture
    assert len(alts) == len(expected)
    assert all(alt.startswith(start) for alt, start in zip(alts, expected, strict=True))


def test_latex_has_every_picture(notebook):
    body, resources = LatexExporter().from_notebook_node(notebook)
    files = re.findall(r"\\adjustimage\{[^}]*\{[^}]*\}\{[^}]*\}\}\{([^}]*)\}", body)
    assert len(files) == len(set(files)) == len(PICTURES)
    for name in files:
        assert Image.open(io.BytesIO(resources["outputs"][name])).format == "PNG"


def test_each_picture_is_an_output_of_its_own_with_its_size_and_words(run):
    pictures = [output for cell in run.cells for output in cell.outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == len(PICTURES)
    for output, start in zip(pictures, PICTURES, strict=True):
        assert not [mime for mime in output.data if "widget" in mime]
        assert {"text/html", "text/plain"} < set(output.data)
        about = output.metadata["image/png"]
        assert about["alt"] == output.data["text/plain"] and about["alt"].startswith(start)
        width = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))).width
        assert width == pytest.approx(2 * about["width"], abs=2)


def test_a_saved_picture_takes_few_bytes(run):
    size = {start: len(json.dumps(cell.outputs)) for start, cell in zip(PICTURES, run.cells[1:], strict=True)}
    assert max(size.values()) < 150_000, size
