"""The web site as its readers meet it: a small one, or the whole of `dist/site` by `make test-site`."""

from __future__ import annotations

import html
import os
import re
from pathlib import Path

import nbformat
import pytest
from jupyter import CHROMIUM, FLAGS
from playwright.sync_api import sync_playwright
from tiny_course import COURSE, write_course
from walked_site import SIZES, SLOW, dead_links, faults, found_by_search, pages, served

from course_lib.authoring.site.build import build_site
from course_lib.authoring.site.katex import WebToolsMissing, require_web_tools
from course_lib.authoring.text import CODE, MATHS, read_cells, sources

WHOLE = Path(os.environ["COURSE_SITE"]).resolve() if "COURSE_SITE" in os.environ else None
PAGES = pages(WHOLE) if WHOLE else [
    "index.html", "notebooks/00_all.html", "docs/glossary.html", "search.html", "taste.html"]
TERMS = {"variational autoencoder": "term-variational-autoencoder", "变分自编码器": "term-variational-autoencoder",
         "变分": "docs/glossary.html"}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> tuple[Path, Path]:
    """The site's folder, and that of the course that it is of."""
    if WHOLE:
        return WHOLE, COURSE
    try:
        require_web_tools(COURSE / "web")
    except WebToolsMissing as error:
        if os.environ.get("COURSE_REQUIRE_BROWSER") == "1":
            raise
        pytest.skip(str(error))
    course, said = tmp_path_factory.mktemp("course"), []
    notebooks = write_course(course)
    for _ in range(2):
        build_site(course / "dist/site", notebooks, course=course, tell=said.append)
    assert ["to run" in line for line in said].count(True) == 1, "the second time nothing runs"
    return course / "dist/site", course


@pytest.fixture(scope="module")
def folder(site) -> Path:
    return site[0]


@pytest.fixture(scope="module")
def browser(site):  # which is built first: playwright keeps the event loop that running notebooks needs
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def web(folder):
    with served(folder) as address:
        yield address


def notebook_pages(folder: Path) -> list[Path]:
    return sorted((folder / "notebooks").glob("*.html"))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_served_is_without_fault(browser, web, page):
    assert {(size, theme): found for size in SIZES for theme in ("light", "dark")
            if (found := faults(browser, web + page, size, theme))} == {}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_on_the_disk_is_without_fault(browser, folder, page):
    assert faults(browser, (folder / page).as_uri(), "phone", "light", axe=False) == []


def test_every_link_leads_somewhere(folder):
    assert dead_links(folder) == []


def test_every_formula_is_set_and_can_be_listened_to(site):
    folder, course = site
    made = {page.stem: page.read_text(encoding="utf-8") for page in notebook_pages(folder)}
    assert made
    for name, page in made.items():
        cells = nbformat.read(course / f"notebooks/{name}.ipynb", as_version=4).cells
        written = sum(len(MATHS.findall(CODE.sub(" ", cell.source))) for cell in cells if cell.cell_type == "markdown")
        article = page[page.index("<article"):page.index("</article>")]
        assert article.count("<math ") == written > 0, name
        assert "katex-error" not in page
        words = re.sub(r"<annotation.*?</annotation>|<pre.*?</pre>|<code.*?</code>|<[^>]*>", "", article, flags=re.S)
        assert "$" not in words, name


def test_a_gan_trains_in_a_page_from_the_disk(browser, folder):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(SLOW)
    page.goto((folder / "taste.html").as_uri())
    lab = page.locator(".course-taste")
    before = abs(float(lab.get_attribute("data-mean")) - 4)
    lab.get_by_role("button", name="Train").click()
    page.wait_for_function("document.querySelector('.course-taste').dataset.step > 300")
    lab.get_by_label("batch size").fill("8")
    assert lab.locator(".course-taste-knobs .course-value").all_text_contents()[3] == "8"
    lab.get_by_role("button", name="Pause").click()
    assert lab.get_by_role("status").text_content() == "Paused."
    step, name = lab.get_attribute("data-step"), lab.get_by_role("img").first.get_attribute("aria-label")
    assert abs(float(lab.get_attribute("data-mean")) - 4) < before - 0.5, "it came nearer to the real mean"
    assert "made numbers have mean" in name and f"step {int(step):,}" in lab.locator(".course-step").text_content()
    page.wait_for_timeout(300)
    assert lab.get_attribute("data-step") == step, "it rests"
    lab.get_by_label("minibatch discrimination").check()
    assert lab.get_attribute("data-step") == "0"
    for slider, end in (("learning rate of D", "-1"), ("learning rate of G", "-1")):
        lab.get_by_label(slider).fill(end)
    lab.get_by_role("button", name="Train").click()
    page.wait_for_function("document.querySelector('.course-taste').dataset.step > 10")
    page.close()


def test_figures_are_files_with_their_words(folder):
    seen = 0
    for page in notebook_pages(folder):
        for tag in re.findall(r"<img[^>]*>", page.read_text(encoding="utf-8")):
            if "_static/figures/" in tag:
                seen += 1
                assert len(html.unescape(re.search(r'alt="([^"]*)"', tag)[1])) > 10, f"{page.name}: {tag}"
                assert re.search(r'width="\d+" height="\d+" src="\.\./_static/figures/\w+\.webp"', tag)
    assert seen >= len(notebook_pages(folder))


def test_no_page_holds_a_solution(site):
    folder, course = site
    solved = set()
    for source in sources(course / "notebooks"):
        for cell in read_cells(source):
            inside = re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", cell.source, re.S)
            solved |= {line.strip() for part in inside for line in part.splitlines() if len(line.strip()) > 30}
    known = "".join(cell.source for path in (course / "notebooks").glob("*.ipynb")
                    for cell in nbformat.read(path, as_version=4).cells)
    solved = {line for line in solved if line not in known}
    assert solved
    for page in [folder / name for name in pages(folder)] + [folder / "searchindex.js"]:
        words = html.unescape(re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8")))
        assert not [line for line in solved if line in words], page.name


def test_an_exercise_says_how_to_solve_it_and_no_page_that_it_failed(folder):
    for page in notebook_pages(folder):
        text = page.read_text(encoding="utf-8")
        assert "not attempted" not in text and '<a href="../course.zip">download the notebooks</a>' in text
        assert text.count('class="course-solve"') >= 1
    assert (folder / "course.zip").is_file()


@pytest.mark.parametrize("where", ["served", "on the disk"])
@pytest.mark.parametrize("query", TERMS)
def test_the_search_finds_a_term_in_english_and_in_chinese(browser, web, folder, where, query):
    address = web if where == "served" else f"{folder.as_uri()}/"
    assert any(TERMS[query] in link for link in found_by_search(browser, address, query))


def test_the_glossary_shows_the_rows_that_are_asked_for(browser, web):
    page = browser.new_page()
    page.goto(f"{web}docs/glossary.html")
    rows = page.locator("article tbody tr:visible")
    everything = rows.count()
    page.get_by_label("Show terms with").fill("下界 evidence")
    assert 1 <= rows.count() < everything and "evidence lower bound" in rows.first.inner_text()
    page.get_by_label("Show terms with").fill("")
    assert rows.count() == everything
    page.close()


def test_a_term_tells_its_meaning_to_the_mouse_and_to_the_keyboard(browser, web, folder):
    page = browser.new_page()
    first = next(path for path in notebook_pages(folder) if 'class="term' in path.read_text(encoding="utf-8"))
    page.goto(f"{web}notebooks/{first.name}")
    term, tip = page.locator("a.term").first, page.get_by_role("tooltip")
    term.focus()
    assert re.search(r"[\u4e00-\u9fff]+ · \w", tip.inner_text())
    page.keyboard.press("Escape")
    assert tip.count() == 0
    term.hover()
    assert tip.is_visible()
    term.click()
    page.wait_for_url("**/docs/glossary.html#term-*")
    assert page.locator("tr:target").count() == 1
    page.close()


def test_what_was_computed_waits_in_a_fold(browser, web, folder):
    first = next(path for path in notebook_pages(folder) if "course-reveal" in path.read_text(encoding="utf-8"))
    page = browser.new_page()
    page.goto(f"{web}notebooks/{first.name}")
    fold = page.locator("details.course-reveal").first
    assert not fold.locator("[role=status]").is_visible()
    fold.locator("summary").click()
    assert fold.locator("[role=status]").is_visible()
    page.close()


def test_on_paper_all_is_there(browser, web, folder):
    first = notebook_pages(folder)[0]
    page = browser.new_page()
    page.goto(f"{web}notebooks/{first.name}")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator("details:not([open]):not(.course-film)").count() == 0
    assert not page.locator(".course-run").is_visible() and not page.locator(".sidebar-drawer").is_visible()
    page.close()
