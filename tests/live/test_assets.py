"""The JavaScript of widgets: files that import each other become one text, which follows their edits on request."""

import os
import threading
import time

import pytest

from course_lib.live import assets
from course_lib.live.assets import PageWidget, script
from course_lib.live.canvas import Canvas
from course_lib.live.pad import SketchPad
from course_lib.live.picture import Picture

ENTRY = """import { twice } from "./numbers.js";
import * as words from "./words.js";

const hidden = twice(1);
export default { render: ({ el }) => { el.textContent = words.SAID + hidden; } };
"""
FILES = {
    "entry.js": ENTRY,
    "numbers.js": 'import {\n  SAID,\n} from "./words.js";\nconst hidden = 2;\n'
                  "export const twice = (v) => hidden * v;\n",
    "words.js": 'const hidden = "a";\nexport const SAID = hidden;\nexport function say() {}\nexport class Word {}\n',
    "look.css": ".a { color: red; }\n",
}


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def widget_class(folder):
    class Small(PageWidget):
        FOLDER, SCRIPT, STYLES = folder, "entry.js", ("look.css",)

    return Small


def test_a_file_and_what_it_imports_are_one_module_in_which_each_has_its_scope(folder):
    assert script("entry.js", folder) == """const _words_js = (() => {
const hidden = "a";
const SAID = hidden;
function say() {}
class Word {}

return { SAID, say, Word };
})();
const _numbers_js = (() => {
const {
  SAID,
} = _words_js;
const hidden = 2;
const twice = (v) => hidden * v;

return { twice };
})();
const { twice } = _numbers_js;
const words = _words_js;

const hidden = twice(1);
export default { render: ({ el }) => { el.textContent = words.SAID + hidden; } };
"""


@pytest.mark.parametrize("name, text, said", [
    ("words.js", "const SAID = 1;", "imports SAID, which words.js does not export"),
    ("words.js", 'import { twice } from "./numbers.js";', "numbers.js → words.js → numbers.js"),
    ("words.js", "export default 1;", "words.js has 'export default 1;'"),
    ("entry.js", 'import d3 from "https://d3js.org";', "entry.js has 'import d3 from"),
    ("entry.js", "export { a };", "entry.js has 'export { a };'"),
    ("entry.js", "export async function a() {}", "entry.js has 'export async function"),
])
def test_what_cannot_be_joined_is_refused(folder, name, text, said):
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=said.replace("{", r"\{")):
        script("entry.js", folder)


@pytest.mark.parametrize("kind", [Canvas, SketchPad, Picture])
def test_every_widget_of_the_course_can_be_joined(kind):
    text = script(kind.SCRIPT)
    assert text.count("export default { render };") == 1
    assert "import " not in text


def test_a_widget_has_its_files_as_they_are_when_it_is_made(widget_class, folder):
    first = widget_class()
    assert first._esm == script("entry.js", folder) and first._css.endswith("; }\n" + FILES["look.css"])
    (folder / "look.css").write_text(".b {}", encoding="utf-8")
    assert widget_class()._css.endswith(".b {}")
    assert {"_esm", "_css"} <= first.get_state().keys()


def edit(folder, name, text):
    """As an editor saves; the time moves on even where the file system counts in long ticks."""
    (folder / name).write_text(text, encoding="utf-8")
    later = time.time_ns() + 10**9
    os.utime(folder / name, ns=(later, later))


def wait_for(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_with_the_switch_on_an_open_widget_follows_every_file(widget_class, folder, monkeypatch, capfd):
    monkeypatch.setattr(assets, "LOOK_EVERY", 0.02)
    monkeypatch.setenv("ANYWIDGET_HMR", "1")
    widget, told = widget_class(), []
    widget.observe(lambda change: told.append(change["name"]), ["_esm", "_css"])
    edit(folder, "words.js", FILES["words.js"].replace('"a"', '"b"'))
    wait_for(lambda: 'const hidden = "b";' in widget._esm)
    edit(folder, "look.css", ".b {}")
    wait_for(lambda: widget._css.endswith(".b {}"))
    edit(folder, "words.js", "export { wrong };")
    wait_for(lambda: "does not understand" in capfd.readouterr().err)
    assert 'const hidden = "b";' in widget._esm, "a mistake leaves the page as it is"
    edit(folder, "words.js", FILES["words.js"])
    wait_for(lambda: 'const hidden = "a";' in widget._esm)
    assert told == ["_esm", "_css", "_esm"]


def test_without_the_switch_nothing_is_watched(widget_class, folder, monkeypatch):
    monkeypatch.delenv("ANYWIDGET_HMR", raising=False)
    watcher = assets._Watcher()
    monkeypatch.setattr(assets, "_watcher", watcher)
    before, widget = set(threading.enumerate()), widget_class()
    assert watcher._thread is None and set(threading.enumerate()) <= before
    widget.close()
