"""Names of notebooks become links that lead somewhere."""

import jupytext
import pytest
from tiny_source import edit, write

from course_lib.authoring.build import SourceError, build, convert
from course_lib.authoring.links import UnknownNotebook, anchors, link_notebooks
from course_lib.authoring.lint import lint

FILES = {"03": "03_elbo.ipynb", "03b": "03b_estimators.ipynb", "04": "04_vae.ipynb"}
ELBO, ESTIMATORS, VAE = (f"({name})" for name in FILES.values())


@pytest.mark.parametrize(("text", "linked"), [
    ("see notebook 03.", f"see [notebook 03]{ELBO}."),
    ("Notebook 03b's, or notebook\n04:", f"[Notebook 03b]{ESTIMATORS}'s, or [notebook\n04]{VAE}:"),
    ("notebooks 03 and 03b", f"notebooks [03]{ELBO} and [03b]{ESTIMATORS}"),
    ("Notebooks 03 to 04", f"Notebooks [03]{ELBO} to [04]{VAE}"),
    ("notebooks 03–04", f"notebooks [03]{ELBO}–[04]{VAE}"),
    ("notebooks 03, 03b and 04", f"notebooks [03]{ELBO}, [03b]{ESTIMATORS} and [04]{VAE}"),
    ("notebooks 03 (a bound),\n04", f"notebooks [03]{ELBO} (a bound),\n[04]{VAE}"),
    ("notebook 03 (see 04), 20 of them", f"[notebook 03]{ELBO} (see 04), 20 of them"),
    ("**Next:** notebook 04, a VAE", f"**Next:** [notebook 04]{VAE}, a VAE"),
    ("| You need | notebook 03 |", f"| You need | [notebook 03]{ELBO} |"),
])
def test_plain_words_become_links(text, linked):
    assert link_notebooks(text, FILES) == linked
    assert link_notebooks(linked, FILES) == linked


@pytest.mark.parametrize("text", [
    "`notebook 03`", "```\nnotebook 03\n```", r"$\text{notebook 03}$", "$$\n\\text{notebook 03}\n$$",
    "## As in notebook 03", "[notebook 03](https://example.org)", "this notebook", "notebook 3", "my notebook 031"])
def test_code_formulas_headings_and_links_stay(text):
    assert link_notebooks(text, FILES) == text


def test_only_the_heading_is_skipped_not_what_follows_it():
    assert link_notebooks("## notebook 03\nnotebook 03", FILES) == f"## notebook 03\n[notebook 03]{ELBO}"


def test_a_notebook_does_not_link_to_itself():
    assert link_notebooks("notebooks 03 and 04", FILES, own="04") == f"notebooks [03]{ELBO} and 04"


def test_an_unknown_number_is_told_with_its_cell(tmp_path):
    with pytest.raises(UnknownNotebook, match="there is no notebook 05"):
        link_notebooks("notebooks 03 and 05", FILES)
    source = write(tmp_path)
    edit(source, "Doubling.", "See notebook 05.")
    with pytest.raises(SourceError, match=r"07_double\.py, cell 5: there is no notebook 05"):
        build(tmp_path)
    assert not list(tmp_path.glob("*.ipynb"))


@pytest.mark.parametrize("teacher", [False, True])
def test_both_versions_have_the_links(tmp_path, teacher):
    assert "**Next:** [notebook 08](08_triple.ipynb), tripling." in convert(write(tmp_path), teacher).cells[-1].source


def test_headings_are_found_as_jupyterlab_names_them():
    text = "# %% [markdown]\n# # 03 · A *bound*\n# ## The `q` of notebook 03\n# ```\n# # none\n# ```\n# ###### Six"
    assert anchors(jupytext.reads(text, fmt="py:percent").cells) == {"03-·-A-bound", "The-q-of-notebook-03", "Six"}


@pytest.mark.parametrize("target", ["08_triple.ipynb", "08_triple.ipynb#08-·-Title", "#What-to-keep",
                                    "#07-%C2%B7-Title", "https://example.org/#any"])
def test_a_link_that_leads_somewhere_passes(tmp_path, target):
    source = write(tmp_path)
    edit(source, "Doubling.", f"See [there]({target}).")
    assert not lint(source)


@pytest.mark.parametrize("target", ["07_none.ipynb", "08_triple.ipynb#07-·-Title", "#What-To-Keep",
                                    "../docs/notation.md"])
def test_a_link_that_leads_nowhere_is_told(tmp_path, target):
    source = write(tmp_path)
    edit(source, "Doubling.", f"See [there]({target}).")
    assert [f.message for f in lint(source)] == [f"the link to {target!r} leads nowhere"]


def test_the_last_notebook_needs_no_next_one(tmp_path):
    last = write(tmp_path).with_name("08_triple.py")
    assert "notebook" not in last.read_text(encoding="utf-8").split("**Next:**")[1] and not lint(last)
