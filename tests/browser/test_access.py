"""What the course adds to JupyterLab's page, for those who do not see it, use no mouse, or read it on a phone."""

import re
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jupyter import Jupyter, write_notebook

import course_lib
from course_lib.plots.style import READABLE_TEXT, SMALLEST_TEXT

SETUP = f"""
import sys
sys.path[:0] = {[str(Path(__file__).parents[1]), str(Path(course_lib.__file__).parents[1])]!r}
import numpy as np
from tiny_experiment import Everything, Exploding, Tiny
from course_lib.live import *
from course_lib.plots import curves, figure, images, show
from course_lib.teach import claim, claim_table, predict
from course_lib.teach.message import Message

def line(n=3, kind="up", dotted=False):
    return curves([1, 2], {{"y": [0, n]}}, title="t", xlabel="x", ylabel="y")

def broken(width=3):
    raise ValueError("never drawn")
"""
CELLS = {
    "lab": "lab = LiveLab(Everything(), [Density('real', 'generated', grid='x', title='Densities'),\n"
           "    Curve('loss_d', 'loss_g', title='Losses'), Bars('counts', names=list('abc'), title='Counts')])\nlab",
    "short": "short = LiveLab(Tiny(), [Curve('loss_d', 'loss_g', title='Short')], steps=20)\nshort",
    "exploding": "boom = LiveLab(Exploding(), [Curve('loss_d', 'loss_g', title='Explodes')])\nboom",
    "pad": "def columns(drawing):\n    return {'p': drawing.mean(0)[:2]}\n"
           "explore_canvas(columns, [Bars('p', names=list('ab'), title='Columns')], alt='What is drawn',\n"
           "               drawing=SketchPad(np.eye(8)[None], label='Draw a line'))",
    "explore": "explore(line, alt='Explored', n=(1, 9, 1), kind=['up', 'down'], dotted=False)",
    "never drawn": "explore(broken, alt='Broken', labels={'width': 'width of it'}, width=(1, 9, 1))",
    "film": "frames = np.random.default_rng(0).random((5, 8, 4, 4))\n"
            "show_film(images(frames[-1], columns=8, title='t'), frames, alt='A film')",
    "wide": "fig, axes = figure(10, 4, 1, 2)\nshow(fig, alt='Two panels')",
    "predictions": "predict('a', 'Which?', options=['one', 'two'])\npredict('b', 'How many?', low=0, high=9)",
    "claims": "claim('Good', 1, above=0)\nclaim('Bad', 1, below=0)\nwith claim_table():\n"
              "    claim('Good', 1, above=0)\n    claim('Bad', 1, below=0)",
    "messages": "for mood in ('good', 'bad', 'neutral'):\n    display(Message('status', 'of `code` and text', mood))",
}
AXE = """async (without) => { // all else is JupyterLab's
  const rules = Object.fromEntries((without ?? []).map((rule) => [rule, { enabled: false }]));
  const { violations } = await axe.run({ include: [['.jp-OutputArea-output']] }, { rules });
  return violations.flatMap(({ id, nodes }) => nodes.map((n) => `${id}: ${n.target}: ${n.html.slice(0, 200)}`)); }"""
HEARD = """() => { window.heard = []; // each new text of a live region, with its role
    new MutationObserver((changes) => { for (const { target } of changes) {
        const region = (target.closest ? target : target.parentElement)?.closest('[role=status], [role=alert]');
        const text = region?.textContent;
        if (text && window.heard.at(-1)?.[1] !== text) window.heard.push([region.getAttribute('role'), text]);
    } }).observe(document.querySelector('.jp-Notebook'), { subtree: true, childList: true, characterData: true });
    return 1; }"""
SAID = """([role, ...words]) => heard.some(([where, text]) => where === role && words.every((w) => text.includes(w)))"""
CONTROLS = ("button", "checkbox", "combobox", "slider", "textbox")
THEME = """async (theme) => { await jupyterapp.commands.execute('apputils:change-theme', { theme }); return 1 }"""


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    write_notebook(folder / "access.ipynb", SETUP, *CELLS.values())
    with Jupyter(folder) as jupyter:
        jupyter.open("access.ipynb")
        jupyter.run_all()
        jupyter.page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
        jupyter.page.locator("img:visible[alt^='Explored']").wait_for(timeout=60_000)
        jupyter.page.locator("[role=alert]:visible", has_text="never drawn").wait_for(timeout=60_000)
        jupyter.page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
        yield jupyter


@pytest.fixture
def phone(jupyter):
    """The page as wide as a phone's."""
    jupyter.page.set_viewport_size({"width": 390, "height": 800})
    yield jupyter.page
    jupyter.page.set_viewport_size({"width": 1200, "height": 900})


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_axe_finds_nothing_in_the_outputs(jupyter, theme):
    jupyter.page.evaluate(THEME, theme)
    jupyter.page.wait_for_function("dark => (document.body.dataset.jpThemeLight === 'false') === dark",
                                   arg=theme.endswith("Dark"), timeout=60_000)
    assert jupyter.page.evaluate(AXE) == []


def test_axe_finds_nothing_on_a_phone(phone):
    """What must be scrolled takes the focus in browsers since 2024, as the next test sees; axe waits for all."""
    assert phone.evaluate(AXE, ["scrollable-region-focusable"]) == []


@pytest.mark.parametrize("name", ["width of it", "n"])
def test_a_slider_has_a_name_and_says_its_value_also_where_nothing_could_be_drawn(jupyter, name):
    slider = jupyter.page.get_by_role("slider", name=name, exact=True)
    assert slider.count() == 1 and slider.get_attribute("aria-valuetext") == "3"
    slider.press("End")
    jupyter.page.locator(f"[role=slider][aria-label='{name}'][aria-valuetext='9']").wait_for(timeout=60_000)


def test_a_labs_picture_says_its_last_values_and_who_is_ahead(jupyter):
    lab = jupyter.page.locator(".course-lab").first
    lab.get_by_role("button", name="Step").click()
    jupyter.page.wait_for_selector(".course-canvas[data-step='1']", timeout=60_000)
    jupyter.page.wait_for_selector(".course-plot[aria-label^='Losses: from']", timeout=60_000)  # in a frame of its own
    said = [picture.get_attribute("aria-label") for picture in lab.locator(".course-plot").all()]
    assert re.fullmatch(r"Densities: real highest at \S+, generated highest at \S+", said[0])
    first, second = re.fullmatch(r"Losses: from high to low loss \w (\S+), loss \w (\S+)", said[1]).groups()
    assert float(first.replace("−", "-")) >= float(second.replace("−", "-"))
    assert re.fullmatch(r"Counts: counts highest at [abc] with \S+", said[2])


@dataclass
class Node:
    """What a screen reader is told of a part of the page. `state` holds its properties, by Chromium's names."""

    role: str
    name: str
    description: str = ""
    value: Any = None
    state: dict[str, Any] = field(default_factory=dict)


def told(page, css) -> list[Node]:
    """What a screen reader is told of an element and all in it, in the order in which it reads them."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("Accessibility.enable")
    root = cdp.send("Runtime.evaluate", {"expression": f"document.querySelector({css!r})"})["result"]["objectId"]
    wanted = cdp.send("DOM.describeNode", {"objectId": root})["node"]["backendNodeId"]
    nodes = cdp.send("Accessibility.getFullAXTree")["nodes"]
    by_id = {node["nodeId"]: node for node in nodes}
    found: list[Node] = []

    def walk(node):
        def text(key):
            return node.get(key, {}).get("value")

        if not node["ignored"]:
            state = {each["name"]: each["value"].get("value") for each in node.get("properties", [])}
            found.append(Node(text("role"), text("name") or "", text("description") or "", text("value"), state))
        for child in node.get("childIds", []):
            if child in by_id:
                walk(by_id[child])

    walk(next(node for node in nodes if node.get("backendDOMNodeId") == wanted))
    cdp.detach()
    return found


@pytest.mark.parametrize("css", [".course-lab", ".course-lab:has(.course-pad)", ".course-explore"])
def test_whatever_takes_the_focus_has_a_role_and_a_name_and_a_slider_its_range(jupyter, css):
    nodes = told(jupyter.page, css)
    assert nodes[0].role == "group" and nodes[0].name.startswith("Controls and ")
    controls = [node for node in nodes if node.role in CONTROLS]
    assert controls and all(node.name for node in controls)
    assert [node for node in nodes if node.state.get("focusable") and not (node.name and node.role != "generic")] == []
    for slider in (node for node in controls if node.role == "slider"):
        assert slider.state["valuemin"] < slider.state["valuemax"] and slider.state["valuetext"]
        counts = slider.state["valuetext"] == f"{slider.value:g}"
        assert counts or re.search(r" From \S+ to \S+\.$", slider.description), "its ends are numbers of stops"


def test_a_lab_is_read_from_its_name_and_buttons_over_its_state_and_pictures_to_its_hyperparameters(jupyter):
    nodes = told(jupyter.page, ".course-lab")
    order = [(node.role, node.name.partition(":")[0]) for node in nodes if node.role in {"group", "status", "image"}]
    assert order == [("group", "Controls and pictures"), ("group", "Training"), ("status", ""),
                     *(("image", title) for title in ("Densities", "Losses", "Counts")), ("group", "Hyperparameters")]
    names = [node.name for node in nodes if node.role in CONTROLS]
    assert names[:5] == ["Start", "Step", "Reset", "Replay", "Speed"]
    assert names[5:] == ["learning rate of D", "learning rate of D: value", "learning rate of G",
                         "learning rate of G: value", "steps of D", "steps of D: value", "label smoothing",
                         "label smoothing: value", "saturating loss", "noise", "hidden units", "hidden units: value"]
    helped = {node.name: node.description for node in nodes if node.role in CONTROLS}
    assert helped["saturating loss"].startswith("Let G minimise") and helped["noise"] == "What G is fed with."


def test_each_state_of_a_lab_is_said(jupyter):
    page = jupyter.page
    page.evaluate(HEARD)

    def hears(role, *words):
        page.wait_for_function(SAID, arg=[role, *words], timeout=60_000)

    lab, short, boom = (page.locator(".course-lab", has=page.locator(f"text={title}")).first
                        for title in ("Densities", "Short", "Explodes"))
    lab.get_by_role("button", name="Start").click()
    hears("status", "Training, step ", "Losses: from high to low")
    lab.get_by_role("button", name="Pause").click()
    hears("status", "Paused, step ")
    lab.get_by_role("slider", name="learning rate of G").press("ArrowRight")
    hears("status", "Paused, step ", "learning rate of G")
    lab.get_by_role("button", name="Reset").click()
    hears("status", "Ready, step 0")
    short.get_by_role("button", name="Start").click()
    hears("status", "Done, step 20")
    boom.get_by_role("button", name="Start").click()
    hears("status", "Stopped by an error, step 29")
    hears("alert", "the fuse was 29 steps long")


def test_what_a_pad_and_a_slider_changed_is_said(jupyter):
    page = jupyter.page
    page.evaluate(HEARD)
    pad = page.locator(".course-pad canvas")
    pad.press("ArrowLeft")
    page.wait_for_function(SAID, arg=["status", "Column 4 of 8, row 5 of 8"], timeout=60_000)
    page.get_by_role("button", name="Clear").click()
    page.wait_for_function(SAID, arg=["status", "The sheet is empty"], timeout=60_000)
    page.wait_for_function(SAID, arg=["status", "What is drawn. Columns: p highest at"], timeout=60_000)
    page.get_by_role("slider", name="n", exact=True).press("Home")
    page.wait_for_function(SAID, arg=["status", "Explored (n = 1,"], timeout=60_000)


def test_a_film_is_stopped_and_played_by_keyboard(jupyter):
    page = jupyter.page
    moving, still = (page.locator(f"img[alt='A film'][src^='data:image/{kind}']") for kind in ("gif", "png"))
    button = page.get_by_text("Film: stop it")
    assert moving.is_visible() and not still.is_visible()
    button.press("Enter")
    still.wait_for(state="visible", timeout=30_000)
    assert not moving.is_visible()
    button.press("Enter")
    moving.wait_for(state="visible", timeout=30_000)
    assert not still.is_visible()


@pytest.mark.parametrize("alt", ["Two panels", "A film", "Explored"])
def test_on_a_phone_text_is_readable_and_the_picture_is_scrolled_by_keyboard_too(phone, alt):
    picture = phone.locator(f"img:visible[alt^='{alt}']").first
    shown, own = picture.evaluate("img => [img.getBoundingClientRect().width, img.naturalWidth]")
    own = own if alt == "A film" else own / 2  # a PNG has two pixels for one of the page
    assert SMALLEST_TEXT * shown / own >= READABLE_TEXT - 0.1
    assert phone.evaluate("document.scrollingElement.scrollWidth") <= 390
    right, edge, focused, scrolls = picture.evaluate("""img => {
        let box = img.parentElement;
        while (box && !['auto', 'scroll'].includes(getComputedStyle(box).overflowX)) box = box.parentElement;
        box.scrollLeft = 1e6;
        box.focus();
        return [img.getBoundingClientRect().right, box.getBoundingClientRect().right, document.activeElement === box,
                box.scrollWidth > box.clientWidth]; }""")
    assert right <= edge + 1, "scrolled to the end, the right side is seen"
    assert focused == scrolls, "so arrow keys scroll it"
