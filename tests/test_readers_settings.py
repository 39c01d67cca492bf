"""The reader's own matplotlib settings, from a file or set in a notebook, change no figure, and stay what they were."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import every_figure
import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib import plots
from course_lib.authoring.lint import FIGURE_MAKERS
from course_lib.plots.style import quick_png

TESTS = Path(__file__).parent
STYLES = Path(matplotlib.get_data_path(), "stylelib")
SETTINGS = {
    "usetex": "text.usetex: True\nfont.family: serif\n",
    "white on black": (STYLES / "dark_background.mplstyle").read_text(encoding="utf-8")
    + "text.color: white\nsavefig.transparent: True\nfigure.dpi: 40\nsavefig.dpi: 40\nsavefig.format: pdf\n"
      "savefig.bbox: tight\nsavefig.facecolor: red\nbackend: svg\naxes.titlecolor: white\n",
    "other in every way": (STYLES / "classic.mplstyle").read_text(encoding="utf-8")
    + "path.sketch: 3, 60, 2\nlines.antialiased: False\ntext.antialiased: False\nimage.cmap: jet\nimage.origin: lower\n"
      "mathtext.fontset: cm\naxes.unicode_minus: False\naxes.formatter.limits: 0, 0\nfigure.autolayout: True\n"
      "lines.marker: s\npatch.linewidth: 7\nhatch.linewidth: 5\nlegend.loc: center\nxtick.direction: in\n"
      "axes.titlelocation: right\nfont.size: 30\npath.simplify_threshold: 1\n",
}


def digests_under(settings: str | None, folder: Path) -> dict[str, str]:
    """Hashes of every figure in a process of its own, with a `matplotlibrc` of these lines or with none."""
    file = folder / "matplotlibrc"
    file.write_text(settings or "", encoding="utf-8")
    env = os.environ | {"MATPLOTLIBRC": str(file)}
    env.pop("MPLBACKEND", None)
    done = subprocess.run([sys.executable, TESTS / "every_figure.py"], env=env, capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def as_they_are(tmp_path_factory):
    return digests_under(None, tmp_path_factory.mktemp("none"))


@pytest.mark.parametrize("settings", ["white on black", *(
    pytest.param(name, marks=pytest.mark.thorough) for name in ("usetex", "other in every way"))])
def test_a_readers_matplotlibrc_changes_no_figure(settings, as_they_are, tmp_path):
    under = digests_under(SETTINGS[settings], tmp_path)
    assert [name for name in as_they_are if under[name] != as_they_are[name]] == []


def test_every_function_that_makes_a_figure_is_among_them():
    makers = {name for name, function in FIGURE_MAKERS.items() if function.__annotations__["return"] == "Figure"}
    assert len(makers) > 40 and makers - set(every_figure.FIGURES) == set()


def test_what_a_reader_sets_in_a_notebook_changes_no_figure():
    names = ("by hand", "around_modes", "lab")
    before = [every_figure.digest(quick_png(every_figure.FIGURES[name]())) for name in names]
    with matplotlib.rc_context():
        matplotlib.rcParams.update({"text.color": "white", "lines.linewidth": 9, "axes.facecolor": "black",
                                    "savefig.bbox": "tight", "axes.titlelocation": "right", "font.family": "serif"})
        assert [every_figure.digest(quick_png(every_figure.FIGURES[name]())) for name in names] == before


def test_a_figure_begun_under_one_setting_and_drawn_under_another_is_the_same():
    fig = every_figure.by_hand()
    with matplotlib.rc_context({"text.hinting": "none", "axes.titlecolor": "red", "text.usetex": True}):
        assert every_figure.digest(quick_png(fig)) == every_figure.digest(quick_png(every_figure.by_hand()))


def test_the_course_changes_no_setting_of_the_reader():
    code = ("import matplotlib; before = dict(matplotlib.rcParams); import course_lib.live, course_lib.plots as p; "
            "p.png(p.curves([0, 1], {'a': [0, 1]}, title='t', xlabel='x', ylabel='y')); "
            "assert dict(matplotlib.rcParams) == before")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_a_failure_in_the_style_leaves_the_readers_settings():
    with matplotlib.rc_context({"lines.linewidth": 9}):
        with pytest.raises(ValueError, match="must have shape"):
            plots.images(np.zeros((4, 4)), title="t")
        with pytest.raises(ZeroDivisionError), plots.styled(), plots.styled():
            assert matplotlib.rcParams["lines.linewidth"] == plots.style.STYLE["lines.linewidth"]
            raise ZeroDivisionError
        assert matplotlib.rcParams["lines.linewidth"] == 9


def test_figures_drawn_at_once_in_two_threads_have_the_style_and_leave_the_settings():
    expected = every_figure.digest(quick_png(every_figure.by_hand()))
    with matplotlib.rc_context({"lines.linewidth": 9, "text.color": "red"}):
        seen: list[str] = []
        threads = [threading.Thread(target=lambda: seen.extend(
            every_figure.digest(quick_png(every_figure.by_hand())) for _ in range(3))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert seen == [expected] * 6
        assert (matplotlib.rcParams["lines.linewidth"], matplotlib.rcParams["text.color"]) == (9, "red")


def test_a_reader_may_make_figures_in_the_style():
    with matplotlib.rc_context({"lines.linewidth": 9}), plots.styled():
        line, = Figure().subplots().plot([0, 1])
    assert line.get_linewidth() == plots.style.STYLE["lines.linewidth"]
