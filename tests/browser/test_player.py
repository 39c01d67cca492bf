"""Recorded sessions of labs on a page from a file: no kernel, no server, nothing asked for."""

import base64
import re
from importlib.resources import files

import pytest
from every_view import ALL
from jupyter import bare_page
from tiny_experiment import Everything, Tiny

from course_lib.live import Curve, Density, LiveLab, recording
from course_lib.live.assets import script, styles
from course_lib.live.canvas import Canvas
from course_lib.live.frames import pack
from course_lib.live.history import History
from course_lib.live.static_figure import in_words
from course_lib.live.views import gather

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Two labs</title><style>:root { color-scheme: light dark; font-family: system-ui; }
body { margin: 16px; background: #fff; color: #222; }
@media (prefers-color-scheme: dark) { body { background: #14181c; color: #e6e6e6; } }</style></head>
<body><main><h1>Two labs</h1>{}</main></body></html>"""
EVERYTHING = [*ALL.values()]
AXE = "async () => (await axe.run()).violations.flatMap(({ id, nodes }) => nodes.map((n) => `${id}: ${n.html}`))"
PIXELS = "n => document.querySelectorAll('.course-player canvas')[n].toDataURL()"
LIVE = """async ([esm, specs, layout, data, words]) => { // what the live canvas makes of a frame, in the player's place
  const url = URL.createObjectURL(new Blob([esm], { type: 'text/javascript' }));
  const widget = (await import(url)).default, stage = document.querySelector('.course-stage');
  const el = document.createElement('div');
  stage.replaceWith(el);
  let receive;
  widget.render({ el, model: { get: () => specs, send: () => {}, on: (_, told) => { receive = told; } } });
  const status = { state: 'paused', word: 'Paused', steps: 12, rate: 0, changed: '', error: '', walk: null, words };
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  receive({ kind: 'frame', frame: 1, ack: false, layout, status }, [new DataView(bytes.buffer)]);
  while (!el.querySelector('[data-drawn]')) await new Promise(requestAnimationFrame);
  return [...el.querySelectorAll('canvas')].map((canvas) => canvas.toDataURL()); }"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A file with two labs that were recorded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_HEADLESS", "1")
        patch.setenv("COURSE_RECORD_LABS", "1")
        labs = [LiveLab(Everything(), EVERYTHING, headless_steps=12),
                LiveLab(Tiny(), [Density("real", "generated", grid="x", title="Second </script>"),
                                 Curve("loss_d")], headless_steps=8)]
        path = tmp_path_factory.mktemp("site") / "labs.html"
        made = "".join(f"<div>{lab._still()[0]['text/html']}</div>" for lab in labs)
        path.write_text(PAGE.replace("{}", made), encoding="utf-8")
    return path


@pytest.fixture
def opened(path):
    """Opens the file; whatever the browser complains of or asks for goes to `page.told`, and there is nothing."""
    with bare_page(1200, 900) as page:
        page.told = []
        page.on("console", lambda message: page.told.append(message.text))
        page.on("pageerror", lambda error: page.told.append(str(error)))

        def open_it(motion="no-preference", **media):
            page.emulate_media(reduced_motion=motion, **media)
            page.goto(path.as_uri())
            page.on("request", lambda request: request.url.startswith("blob:") or page.told.append(request.url))
            page.wait_for_function("document.querySelectorAll('.course-player[data-drawn]').length === 2")
            return page

        yield open_it
        assert page.told == []


def state(page, n, key="state"):
    return page.locator(".course-player").nth(n).get_attribute(f"data-{key}")


def test_it_plays_by_itself_once_it_is_seen_and_stops_at_the_end(opened):
    page = opened()
    page.wait_for_function("document.querySelector('.course-player').dataset.state === 'playing'")
    assert state(page, 1) == "paused" and state(page, 1, "step") == "8", "this one is not in view"
    page.wait_for_selector(".course-player[data-state=paused][data-step='12']", timeout=60_000)
    page.locator(".course-play").nth(1).scroll_into_view_if_needed()
    page.wait_for_function("document.querySelectorAll('.course-player')[1].dataset.state === 'playing'")


def test_by_keyboard_it_is_played_paused_and_scrubbed(opened):
    page = opened("reduce")
    assert [state(page, n) for n in (0, 1)] == ["paused"] * 2 and state(page, 0, "step") == "12", "nothing moves"
    slider, button = page.get_by_role("slider", name="Step of").first, page.locator(".course-play").first
    last = page.evaluate(PIXELS, 0)
    slider.press("Home")
    page.wait_for_selector(".course-player[data-step='0']")
    assert slider.get_attribute("aria-valuetext") == "step 0 of 12" and page.evaluate(PIXELS, 0) != last
    slider.press("ArrowRight")
    page.wait_for_selector(".course-player[data-step='1']")
    assert page.locator(".course-step").first.inner_text() == "step 1 of 12"
    said = page.locator(".course-player canvas").first.get_attribute("aria-label")
    assert re.fullmatch(r"Losses: from high to low loss \w \S+, loss \w \S+", said)
    slider.press("End")
    page.wait_for_selector(".course-player[data-step='12']")
    button.press("Enter")
    assert state(page, 0) == "playing" and button.inner_text() == "Pause"
    page.wait_for_selector(".course-player[data-step='2']", timeout=60_000)
    button.press("Enter")
    assert state(page, 0) == "paused" and button.inner_text() == "Play" and state(page, 1, "step") == "8"
    assert re.match(r"Paused at step \d+ of 12\. Losses: from", page.locator(".course-said").first.inner_text())
    button.press("Enter")
    slider.press("ArrowLeft")
    assert state(page, 0) == "paused", "who scrubs has paused it"


def test_its_last_frame_is_what_the_live_canvas_draws(opened):
    """To the pixel, of arrays that are rounded as a recording rounds them; how much that is, tests/live holds."""
    page = opened("reduce")
    experiment = Everything()
    history = History()
    for step in range(12):
        history.append(step + 1, experiment.step())
    arrays = {name: recording._rounded(array, recording._digits(EVERYTHING)[name])
              for name, array in gather(EVERYTHING, experiment.snapshot(), history.arrays()).items()}
    played = [page.evaluate(PIXELS, n) for n in range(len(EVERYTHING))]
    layout, data = pack(arrays)
    live = page.evaluate(LIVE, [script(Canvas.SCRIPT), [view.spec() for view in EVERYTHING], layout,
                                base64.b64encode(data).decode(), in_words(EVERYTHING, arrays)])
    assert [a == b for a, b in zip(played, live, strict=True)] == [True] * len(EVERYTHING)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(opened, scheme, width):
    page = opened("reduce", color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    for fold in page.locator(".course-player summary").all():
        fold.press("Enter")
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    assert page.evaluate(AXE) == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    assert page.locator(".course-numbers tbody tr").count() == 13 + 9


def test_where_no_script_runs_its_last_picture_and_its_numbers_stand(path):
    with bare_page() as page:
        still = page.context.browser.new_context(java_script_enabled=False).new_page()
        still.goto(path.as_uri())
        assert still.get_by_role("img", name="After 12 steps").is_visible()
        assert still.locator(".course-play").count() == 0
        still.locator("summary").first.click()
        assert still.locator(".course-numbers").first.is_visible()


def test_it_takes_the_colours_of_its_page(opened):
    page = opened("reduce")
    before = page.evaluate(PIXELS, 0)
    page.evaluate("document.body.style.cssText = 'background: #111; color: #eee'")
    page.wait_for_function(f"before => ({PIXELS})(0) !== before", arg=before)
    assert page.locator(".course-transport").first.evaluate("e => e.style.backgroundColor") == "rgb(17, 17, 17)"


def test_it_needs_no_more_than_its_own_files():
    for text in (script("player.js"), styles("page.css", "canvas.css", "player.css")):
        assert not re.findall(r"https?:|url\(|@import|\bimport\b.* from|</script", text)
