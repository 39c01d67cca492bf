"""The course on a machine whose locale is not UTF-8: every file is read in the encoding it was written in, and every
print comes out, in whatever characters there are."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}  # what Python opens files in is then ASCII
CODE_PAGES = ["ascii", "cp1252", "cp936", *(pytest.param(page, marks=pytest.mark.thorough) for page in (
    "cp437", "cp1250", "cp1253", "cp874", "cp932", "cp949", "cp950"))]
COMMANDS = ["", "lab", "handout", "train", "train gan1d", "train vae", "train pixelrnn", "checkpoints", "notebooks",
            "student-zip"]
STRICT = """
import sys, warnings
warnings.filterwarnings("error", category=EncodingWarning, module="course_lib")
"""


def python(code: str, *options: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHONIO"))} | environment
    return subprocess.run([sys.executable, *options, "-c", code], cwd=cwd, capture_output=True, timeout=300,
                          env=environment | {"PYTHONPATH": str(ROOT), "COURSE_HEADLESS": "1"}, check=False)


def printed(done: subprocess.CompletedProcess) -> str:
    return done.stderr.decode("ascii", "replace")


def unnamed(path: Path) -> list[str]:
    """The places of a file that read or write text and name no encoding."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or any(k.arg in ("encoding", None) for k in node.keywords):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        owner = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        values = [a.value for a in (*node.args, *(k.value for k in node.keywords)) if isinstance(a, ast.Constant)]
        mode = next((v for v in values if isinstance(v, str) and v and set(v) <= set("rwxatb+")), "r")
        opens = (name == "open" and owner in ("", "io", "codecs", "gzip")) or name == "fdopen"
        if name in ("read_text", "write_text") or (opens and "b" not in mode):
            found.append(f"{path.name}:{node.lineno}: {ast.unparse(node.func)}")
    return found


@pytest.mark.parametrize("folder", ["course_lib", "benchmarks", "docs", "tests", "notebooks/source"])
def test_every_text_file_is_opened_in_a_named_encoding(folder):
    assert [place for path in sorted((ROOT / folder).rglob("*.py")) for place in unnamed(path)] == []


@pytest.mark.parametrize("path", [*(ROOT / "benchmarks").glob("*.py"), *(ROOT / "docs").glob("*.py")],
                         ids=lambda p: p.name)
def test_every_script_that_prints_signs_can_print_them_anywhere(path):
    text = path.read_text(encoding="utf-8")
    shown = re.sub(r'"""[\s\S]*?"""|#.*', "", text)  # neither docstrings nor comments
    assert shown.isascii() or "survive_any_encoding()" in text


@pytest.mark.parametrize(("code", "faults"), [
    ("p.read_text()", 1), ("p.read_text('utf-8')", 1), ("p.write_text(x, encoding='utf-8')", 0), ("open(p)", 1),
    ("open(p, 'wb')", 0), ("open(p, mode='a')", 1), ("io.open(p, 'r')", 1), ("Image.open(p)", 0)])
def test_the_test_sees_what_it_looks_for(tmp_path, code, faults):
    (tmp_path / "a.py").write_text(code, encoding="utf-8")
    assert len(unnamed(tmp_path / "a.py")) == faults


def test_every_module_can_be_imported(tmp_path):
    modules = sorted(".".join(p.relative_to(ROOT).with_suffix("").parts) for p in (ROOT / "course_lib").rglob("*.py")
                     if p.name not in ("__init__.py", "__main__.py"))
    code = f"{STRICT}\nimport importlib, locale\nassert locale.getencoding() == 'ANSI_X3.4-1968'\n"
    done = python(f"{code}for name in {modules}: importlib.import_module(name)", "-X", "warn_default_encoding",
                  cwd=tmp_path, **ASCII)
    assert done.returncode == 0, printed(done)


def test_the_canvas_has_the_signs_of_its_source(tmp_path):
    code = "from course_lib.live.assets import script\nassert '\\u2212' in script('canvas.js')"
    done = python(code, cwd=tmp_path, **ASCII)
    assert done.returncode == 0, printed(done)


MAIN = """
from course_lib.commands import main as cli
def main(options): assert cli.main(options) == 0
"""
WORK = {
    "training, saving, filming": "main('train gan1d --num-steps 3 --save a.pt --anim-path b.gif'.split())",
    "weights and their card": """
from course_lib.experiments.vae import VAEExperiment
VAEExperiment.evaluate = lambda self, thorough: {'test': 1.0}
main('train vae --num-steps 1 --set width=16 --save a.safetensors'.split())""",
    "handing out": "main(['handout', 'there']); main(['handout', 'there']); main(['student-zip', 'a.zip'])",
    "building": """
import shutil
from pathlib import Path
from course_lib.authoring.build import build
from course_lib.authoring.lint import lint
from course_lib.authoring.readme import write_readme
from course_lib.authoring.text import sources
folder = Path(ROOT, 'notebooks')
lint(sources(folder)[0])
build(folder, Path('built'))
shutil.copytree(folder / 'source', 'notebooks/source')
Path('README.md').write_bytes(Path(ROOT, 'README.md').read_bytes())
write_readme(Path('.'))""",
    "data and checkpoints": """
from course_lib.data.text import load_text
from course_lib.comparisons.ring_seeds import recorded
from course_lib.training.pretrained import load_pretrained
load_text('rhymes'), recorded(), load_pretrained('classifier')""",
    "what a notebook says": """
import io
from course_lib.teach import check, claim, predict, reveal, show_source
from course_lib.teach.tree import table
show_source(check), table()""",
}


@pytest.mark.parametrize("what", [name if name in ("building", "training, saving, filming") else pytest.param(
    name, marks=pytest.mark.thorough) for name in WORK])
def test_the_work_of_the_course_is_done(tmp_path, what):
    code = f"{STRICT}\nROOT = {str(ROOT)!r}\n{MAIN}\n{WORK[what]}"
    done = python(code, "-X", "warn_default_encoding", cwd=tmp_path, **ASCII)
    assert done.returncode == 0, printed(done)


HELP = f"""
import contextlib
from course_lib.commands.main import main
for command in {COMMANDS}:
    for options in ([*command.split(), "--help"], [*command.split(), "--grö\\udce9−"]):
        try:
            main(options)
        except SystemExit as done:
            assert done.code in (0, 2)
"""


@pytest.mark.parametrize("page", CODE_PAGES)
def test_every_help_and_every_mistake_can_be_printed(tmp_path, page):
    done = python(HELP, cwd=tmp_path, PYTHONIOENCODING=page)
    assert done.returncode == 0, printed(done)
    assert b"log p(x)" in done.stdout
    if page in ("ascii", "cp437"):
        assert b"-log p(x)" in done.stdout  # readable, not a number in place of the sign


def test_a_path_that_is_no_text_can_be_told(tmp_path):
    done = python("from course_lib.commands.main import main\nraise SystemExit(main(['handout', 'ordn\\udce9r']))",
                  cwd=tmp_path, **ASCII)
    assert done.returncode == 0 and b"ordn" in done.stdout, printed(done)
