"""The parts of the web site that need no browser: runs, outputs, links, the drawing of what needs what."""

import base64
import html
import io
import re

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image
from tiny_course import COURSE, write_course

from course_lib.authoring.site import katex as katex_module
from course_lib.authoring.site.execute import NotebookFailed, executed, kept_as
from course_lib.authoring.site.graph import Node, needs, ranks, reduced, svg
from course_lib.authoring.site.katex import FormulaError, Katex, WebToolsMissing, require_web_tools
from course_lib.authoring.site.outputs import Figures, for_page, webp
from course_lib.authoring.site.pages import Site, front_page, relinked, run_notebook
from course_lib.plots.style import output
from course_lib.teach.message import Message


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


NOISE = np.random.default_rng(0).integers(0, 255, (5, 7, 3), dtype=np.uint8)


def shown(code, *pages):
    """The HTML that a cell's outputs have on its page."""
    cell = new_code_cell(code, outputs=[new_output("display_data", data={"text/html": page, "text/plain": "words"})
                                        for page in pages])
    return cell


def test_a_failing_cell_is_told_with_its_traceback_and_the_other_notebooks_are_kept(tmp_path):
    (tmp_path / "course_lib").mkdir()
    (tmp_path / "constraints.txt").write_text("", encoding="utf-8")
    paths = {}
    for name, last in (("01_good", "2 + 2"), ("02_bad", "x = 0\n1 / x")):
        paths[name] = tmp_path / f"{name}.ipynb"
        nbformat.write(new_notebook(cells=[nbformat.v4.new_markdown_cell("# Title"), new_code_cell(last)]), paths[name])
    told = []
    with pytest.raises(NotebookFailed, match=r"(?s)^02_bad\.ipynb, cell 1:.*1 / x.*ZeroDivisionError"):
        executed([*paths.values()], tmp_path, tmp_path / "cache", told.append)
    assert any("01_good" in line and "failed" not in line for line in told)
    (kept,) = (tmp_path / "cache").glob("*.ipynb")
    assert kept.name.startswith("01_good-") and "4" in kept.read_text(encoding="utf-8")


def test_what_is_kept_goes_by_cells_and_by_what_is_behind_them_alone(tmp_path):
    path = tmp_path / "01_a.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("1")]), path)
    first = kept_as(path, "behind", tmp_path)
    nbformat.write(new_notebook(cells=[new_code_cell("1")], metadata={"other": 1}), path)
    assert kept_as(path, "behind", tmp_path) == first != kept_as(path, "another", tmp_path)
    nbformat.write(new_notebook(cells=[new_code_cell("2")]), path)
    assert kept_as(path, "behind", tmp_path) != first


def test_a_figure_is_the_same_picture_with_the_same_words(tmp_path):
    data, metadata = output(png(NOISE), 'noise of "3" & more', 70)
    cell = new_code_cell("show()", outputs=[new_output("display_data", data=data, metadata=metadata)])
    figures = Figures(tmp_path)
    for_page(cell, figures, "../_static/figures", "../course.zip")
    page = cell.outputs[0].data["text/html"]
    assert "base64" not in page and html.unescape(re.search(r'alt="([^"]*)"', page)[1]) == 'noise of "3" & more'
    (name,) = figures.used
    assert f'src="../_static/figures/{name}"' in page and 'width="7" height="5"' in page
    assert np.array_equal(np.asarray(Image.open(tmp_path / name).convert("RGB")), NOISE)


def test_a_film_keeps_its_frames_its_pace_and_the_way_to_stop_it():
    frames = [Image.fromarray(np.full((8, 8, 3), 20 * k, dtype=np.uint8)) for k in range(5)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=70, loop=0)
    film = Image.open(io.BytesIO(webp(Image.open(buffer))))
    assert film.n_frames == 5
    for k in range(5):
        film.seek(k)
        assert abs(np.asarray(film.convert("RGB")).astype(int) - 20 * k).max() <= 1 and film.info["duration"] == 70
    assert Image.open(io.BytesIO(webp(Image.open(buffer)))).info["loop"] == 0


@pytest.mark.parametrize(("code", "message", "folded"), [
    ("reveal('a', 3)", Message("computed", "3"), True), ("print(3)", Message("computed", "3"), False),
    ("reveal('a', 3)", Message("holds", "3"), False)])
def test_only_what_reveal_says_is_folded(tmp_path, code, message, folded):
    cell = shown(code, message._repr_html_())
    for_page(cell, Figures(tmp_path), "s", "z")
    page = cell.outputs[0].data["text/html"]
    assert message._repr_html_() in page and ("<details" in page) == folded


def test_an_exercise_that_nobody_has_attempted_says_where_to(tmp_path):
    cell = shown("check('a', f)", Message("not attempted", "it returns None")._repr_html_())
    for_page(cell, Figures(tmp_path), "s", "../course.zip")
    page = cell.outputs[0].data["text/html"]
    assert "not attempted" not in page and 'href="../course.zip"' in page


def test_widgets_leave_words_and_a_player_stays_as_it_is(tmp_path):
    picture = base64.b64encode(png(NOISE)).decode()
    player = f'<div>lab<img src="data:image/png;base64,{picture}"></div><script>1</script>'
    cell = shown("LiveLab()", player)
    cell.outputs.append(new_output("display_data", data={"application/vnd.jupyter.widget-view+json": {},
                                                         "text/plain": "a pad <b>"}))
    for_page(cell, Figures(tmp_path), "s", "z")
    assert cell.outputs[0].data["text/html"] == player
    assert cell.outputs[1].data == {"text/html": '<p class="course-widget">Interactive: a pad &lt;b&gt;.</p>'}


def test_links_lead_to_pages_or_are_words():
    pages, came = {"docs/glossary.md", "notebooks/01_generative_discriminative.ipynb"}, []
    text = ("[a](../docs/glossary.md#x) [b](03_elbo.ipynb) [c](../LICENSE) [d](https://x.org) `[e](f.py)` "
            "$[f](g.py)$ [h](#i) ![j](../docs/pictures/lab.png) [k](../course_lib)")
    made = relinked(text, "notebooks/02_gaussian_mixtures.ipynb", pages, COURSE, came.append)
    assert made == text.replace("[b](03_elbo.ipynb)", "b").replace("[k](../course_lib)", "k")
    assert came == ["LICENSE", "docs/pictures/lab.png"]
    assert relinked("[h](#i)", "README.md", pages, COURSE, came.append) == "h"  # GitHub's anchors are not the site's


NODES = [Node("01", "One", "1.html", ()), Node("02", "Two & a half", "2.html", ("01",)),
         Node("03", "Three", "", ("01", "02")), Node("04", "Four", "4.html", ("01",))]


def test_what_needs_what_is_read_ranked_and_drawn_without_detours():
    header = "| You need | Bayes (notebook 01), notebooks 03 and 03b, 1999 |"
    assert needs(header, ["01", "02", "03", "03b"]) == ("01", "03", "03b")
    assert ranks(NODES) == {"01": 0, "02": 1, "03": 2, "04": 1}
    assert reduced(NODES) == {"01": (), "02": ("01",), "03": ("02",), "04": ("01",)}
    drawn = svg(NODES)
    assert drawn.count("<path") == 3 and drawn.count("<a ") == 3 and "Two &amp; a half" in drawn
    assert 'aria-label="02 Two &amp; a half, needs 01"' in drawn
    with pytest.raises(ValueError, match="01, 02"):
        ranks([Node("01", "", "", ("02",)), Node("02", "", "", ("01",))])
    with pytest.raises(ValueError, match="You need"):
        needs("| Time | long |", ["01"])


def test_the_real_headers_make_a_graph_that_has_each_notebook_once():
    notebooks = tuple(sorted((COURSE / "notebooks").glob("*.ipynb")))
    page = front_page(Site(COURSE, notebooks, False, "", 10**7), None)
    drawn = page[page.index("<svg"):page.index("</svg>")]
    for path in notebooks:
        assert drawn.count(f'href="notebooks/{path.stem}.html"') == 1


def test_the_front_page_is_the_readmes_beginning_without_its_way_to_the_site(tmp_path):
    notebooks = write_course(tmp_path)
    page = front_page(Site(tmp_path, tuple(notebooks), False, "", 10**7), "<div>PLAYER</div>")
    assert page.startswith("# Tiny\n") and "A course of one notebook" in page and "not on the front page" not in page
    assert "PLAYER" in page and "notebooks/00_all" in page


def test_colab_is_named_once_a_repository_is():
    def how(repository):
        return run_notebook("00_a.ipynb", Site(COURSE, (), False, repository, 10**7))

    assert "Colab" not in how("") + how("https://example.org/course")
    assert 'href="https://colab.research.google.com/github/o/r/blob/main/notebooks/00_a.ipynb"' in how(
        "https://github.com/o/r")


def test_pages_for_teachers_are_there_on_demand(tmp_path):
    write_course(tmp_path)
    (tmp_path / "docs/teaching").mkdir()
    (tmp_path / "docs/teaching/week.md").write_text("# Week", encoding="utf-8")
    names = [Site(tmp_path, (), teacher, "", 0).documents() for teacher in (False, True)]
    assert [("docs/teaching/week.md" in found) for found in names] == [False, True]


def test_without_node_or_its_packages_it_says_what_to_run(tmp_path, monkeypatch):
    (tmp_path / "package.json").write_text('{"dependencies": {"katex": "1"}}', encoding="utf-8")
    monkeypatch.setattr(katex_module.shutil, "which", lambda name: "/bin/node")
    with pytest.raises(WebToolsMissing, match=r"katex is not in .*: run `npm ci`"):
        require_web_tools(tmp_path)
    monkeypatch.setattr(katex_module.shutil, "which", lambda name: None)
    with pytest.raises(WebToolsMissing, match=r"install Node\.js"):
        require_web_tools(tmp_path)


def test_a_formula_that_cannot_be_set_is_told():
    try:
        require_web_tools(COURSE / "web")
    except WebToolsMissing as error:
        pytest.skip(str(error))
    with Katex(COURSE / "web") as katex:
        assert "<math" in katex.html(r"\frac12", True) and 'display="block"' in katex.html(r"\frac12", True)
        assert katex.html("x", False) == katex.html("x", False) and katex.count == 2
        with pytest.raises(FormulaError, match=r"\\nosuch"):
            katex.html(r"\nosuch{", False)
