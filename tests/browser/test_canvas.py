"""The canvas alone, without a kernel: every view in a blank page, drawn from what Python says of it."""

import base64
import json
import re

import numpy as np
import pytest
from every_view import ALL, LOOKS, arrays
from jupyter import bare_page

from course_lib.live import Bars, Curve, Density, Scatter
from course_lib.live.assets import script, styles
from course_lib.live.canvas import WORDS, Canvas
from course_lib.live.frames import pack
from course_lib.live.static_figure import in_words

LETTERS = "abcd"
NUMBERS = {"x": np.linspace(0, 3, 40), "metric:step": np.arange(40.0),
           **{prefix + key: np.linspace(0.2, 1, 40) for key in LETTERS for prefix in ("", "metric:")}}
POINTS = {key: np.random.default_rng(0).normal(size=(9, 2)) for key in LETTERS}
SERIES = {  # of every kind as many as it tells apart, each of them the same numbers
    "curves": (Curve(*LETTERS), NUMBERS),
    "densities": (Density(*LETTERS, grid="x"), NUMBERS),
    "densities and a line": (Density("a", "b", grid="x", lines=["c"]), NUMBERS),
    "points": (Scatter(*LETTERS), POINTS),
    "layers of points": (Scatter("a") + Scatter("b", outline=True) + Scatter("c", outline=True), POINTS),
    "bars": (Bars(*LETTERS), {key: np.array([0.5, 1.0]) for key in LETTERS}),
}

SHOW = """async ([esm, css, spec, layout, data, dark, words]) => {
  document.body.style.cssText = dark ? 'background: #111; --jp-ui-font-color0: #eee' : '';
  const style = document.createElement('style'), el = document.createElement('div');
  style.textContent = css;
  el.style.width = '600px';
  document.head.replaceChildren(style);
  document.body.replaceChildren(el);
  const url = URL.createObjectURL(new Blob([esm], { type: 'text/javascript' }));
  const widget = (await import(url)).default;
  let receive;
  const end = widget.render({ el, model: { get: (name) => ({ views: [spec] })[name], send: () => {},
                                           on: (_, told) => { receive = told; } } });
  const status = { state: 'paused', word: 'Paused', steps: 3, rate: 0, changed: '', error: '', walk: null, words };
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  receive({ kind: 'frame', frame: 1, ack: false, layout, status }, [new DataView(bytes.buffer)]);
  while (!el.querySelector('[data-drawn]')) await new Promise(requestAnimationFrame);
  end();
  return [el.querySelector('canvas').toDataURL(), el.querySelector('figcaption').innerHTML,
          el.querySelector('canvas').getAttribute('aria-label')]; }"""


@pytest.fixture(scope="module")
def page():
    with bare_page() as page:
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.errors = []
        yield page


@pytest.fixture(scope="module")
def show(page):
    """Draws a view in the page; returns its pixels, its legend and what a screen reader hears."""
    text, css = script(Canvas.SCRIPT), styles(*Canvas.STYLES)

    def show(view, dark=False, drawn=None, change=lambda spec: None):
        drawn = drawn or arrays(view, 3)
        layout, data = pack(drawn)
        spec = json.loads(json.dumps(view.spec()))
        change(spec)
        shown = page.evaluate(SHOW, [text, css, spec, layout, base64.b64encode(data).decode(), dark,
                                     in_words([view], drawn)])
        assert page.errors == []
        return shown

    return show


@pytest.mark.parametrize("view", ALL.values(), ids=ALL.keys())
def test_every_view_is_drawn_on_a_light_page_and_on_a_dark_one(show, view):
    (light, _, heard), (dark, *_) = show(view), show(view, dark=True)
    assert light != dark and len(light) > 2000
    assert heard.startswith(view.axis["title"]) and "undefined" not in heard


def test_the_legend_names_more_than_one_series_and_gives_curves_their_last_value(show):
    assert ">real<" in show(ALL["density"])[1] and 'stroke-dasharray="7 5"' in show(ALL["density"])[1]
    assert re.search(r"loss d \d\.\d+$", show(ALL["log curve"])[2])
    assert re.fullmatch(r"Losses: from high to low loss (d|g) [\d.]+, loss (d|g) [\d.]+", show(ALL["curve"])[2])
    assert all("course-series" not in show(ALL[name])[1] for name in ("scatter", "signs", "images", "heat map"))
    assert "course-bend" in show(ALL["mesh"])[1], "a net has a slider"


def test_of_no_names_nothing_stands_below_bars(show):
    drawn = SERIES["bars"][1]
    unnamed, blank, numbered = (show(Bars(*LETTERS, names=names), drawn=drawn)[0] for names in ([], ["", ""], None))
    assert unnamed == blank != numbered


@pytest.mark.parametrize("kind, look", LOOKS.values(), ids=LOOKS.keys())
def test_every_value_of_a_look_counts_in_the_browser(show, kind, look, monkeypatch):
    drawn = [view for view in ALL.values() if type(view) is kind]
    before = [show(view)[0] for view in drawn]
    monkeypatch.setattr(kind, "look", look)
    assert before != [show(view)[0] for view in drawn]


@pytest.mark.parametrize("name", SERIES)
def test_series_that_are_drawn_together_differ_without_colours(show, name):
    """The same numbers drawn as each of the series, all of them black: no two pictures, and no two legends, are one."""
    view, drawn = SERIES[name]

    def blackened(spec, only=None):
        for layer in spec["layers"]:
            for series in layer["series"]:
                series["color"] = "#000000"
            if only is not None and len(spec["layers"]) > 1:
                layer["on"] = only in [series["array"] for series in layer["series"]]
            elif only is not None:
                layer["series"] = [series for series in layer["series"] if series["array"] == only]

    arrays_of = [series["array"] for layer in view.spec()["layers"] for series in layer["series"]]
    pictures = {show(view, drawn=drawn, change=lambda spec, only=only: blackened(spec, only))[0] for only in arrays_of}
    legend = show(view, drawn=drawn, change=blackened)[1]
    samples = re.findall(r'class="course-swatch">(.*?)</span>', legend)
    assert len(pictures) == len({*samples}) == len(samples) == len(arrays_of) > 1


def test_a_state_is_shown_by_the_word_that_python_gives(page, show):
    show(ALL["curve"])
    assert page.locator(".course-state").inner_text() == WORDS["paused"]
