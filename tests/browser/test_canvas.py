"""The canvas alone, without a kernel: every view in a blank page, drawn from what Python says of it."""

import base64
import json
import re

import pytest
from every_view import ALL, LOOKS, arrays
from jupyter import bare_page

from course_lib.live.assets import script, styles
from course_lib.live.canvas import WORDS, Canvas
from course_lib.live.frames import pack

SHOW = """async ([esm, css, spec, layout, data, dark]) => {
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
  const status = { state: 'paused', word: 'Paused', steps: 3, rate: 0, changed: '', error: '', walk: null };
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

    def show(view, dark=False):
        layout, data = pack(arrays(view, 3))
        spec = json.loads(json.dumps(view.spec()))
        shown = page.evaluate(SHOW, [text, css, spec, layout, base64.b64encode(data).decode(), dark])
        assert page.errors == []
        return shown

    return show


@pytest.mark.parametrize("view", ALL.values(), ids=ALL.keys())
def test_every_view_is_drawn_on_a_light_page_and_on_a_dark_one(show, view):
    (light, _, heard), (dark, *_) = show(view), show(view, dark=True)
    assert light != dark and len(light) > 2000
    assert heard.startswith(view.axis["title"]) and "undefined" not in heard


def test_the_legend_names_more_than_one_series_and_gives_curves_their_last_value(show):
    assert ">real<" in show(ALL["density"])[1] and "repeating-linear-gradient" in show(ALL["density"])[1]
    assert re.search(r"loss d \d\.\d+$", show(ALL["log curve"])[2])
    assert all("course-series" not in show(ALL[name])[1] for name in ("scatter", "signs", "images", "heat map"))
    assert "course-bend" in show(ALL["mesh"])[1], "a net has a slider"


@pytest.mark.parametrize("kind, look", LOOKS.values(), ids=LOOKS.keys())
def test_every_value_of_a_look_counts_in_the_browser(show, kind, look, monkeypatch):
    drawn = [view for view in ALL.values() if type(view) is kind]
    before = [show(view)[0] for view in drawn]
    monkeypatch.setattr(kind, "look", look)
    assert before != [show(view)[0] for view in drawn]


def test_a_state_is_shown_by_the_word_that_python_gives(page, show):
    show(ALL["curve"])
    assert page.locator(".course-state").inner_text() == WORDS["paused"]
