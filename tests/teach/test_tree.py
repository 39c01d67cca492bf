"""The tree of generative models: consistent in itself, complete, and what the picker says of it."""

import itertools
from pathlib import Path

import pytest

from course_lib.authoring.text import sources
from course_lib.chapters.nb00.plots import tree
from course_lib.comparisons.scoreboard.registry import FAMILIES
from course_lib.teach.tree import SCORES, leaves, nested, pick, table

COURSE = Path(__file__).resolve().parents[2]
NUMBERS = [source.stem.split("_")[0] for source in sources(COURSE / "notebooks")]
LEAVES = list(leaves())
ANSWERS = list(itertools.product(("not at all", "roughly", "exactly"), (False, True), (False, True)))


@pytest.mark.parametrize(("way", "leaf"), LEAVES, ids=lambda value: getattr(value, "name", ""))
def test_each_family_keeps_what_its_branch_says(way, leaf):
    assert leaf.notebooks and set(leaf.notebooks) <= set(NUMBERS)
    assert leaf.score in SCORES and leaf.drawback
    assert (leaf.score == "none") == (way[0] == "implicit density")
    assert (leaf.score == "exact") == (way[1] == "tractable")
    assert ("chain" in leaf.sampling) == bool({"Markov chain", "variational, Markov chain"} & set(way))
    assert leaf.one_pass == leaf.sampling.startswith("one pass")
    assert list(leaf.notebooks) == sorted(set(leaf.notebooks))
    assert leaf.latent or not leaf.readable
    assert leaf.exact or leaf.score != "exact"


def test_the_names_differ_and_every_notebook_but_those_of_the_whole_is_on_the_tree():
    assert len({leaf.name for _, leaf in LEAVES}) == len(LEAVES)
    assert sorted({number for _, leaf in LEAVES for number in leaf.notebooks}) == NUMBERS[1:-1]
    assert (NUMBERS[0], NUMBERS[-1]) == ("00", "12")
    assert {leaf.scored for _, leaf in LEAVES} - {""} <= set(FAMILIES)


def test_the_table_has_a_row_and_every_cell_for_each_family():
    lines = table().splitlines()
    assert len(lines) == 2 + len(LEAVES) and {line.count("|") for line in lines} == {8}


def test_the_drawing_has_every_leaf():
    texts = [text.get_text() for text in tree(nested(), title="t").axes[0].texts]
    assert {leaf.name for _, leaf in LEAVES} <= set(texts)


@pytest.mark.parametrize(("score", "one_pass", "code"), ANSWERS)
def test_the_picker_names_all_families_that_give_what_is_needed_and_no_other(score, one_pass, code):
    def enough(leaf):
        known = {"exactly": ("exact",), "roughly": ("exact", "a lower bound"), "not at all": SCORES}[score]
        return leaf.score in known and (leaf.one_pass or not one_pass) and (leaf.readable or not code)

    picked = pick(score, one_pass, code)
    assert picked and {f.name for f in picked} == {f.name for _, f in LEAVES if enough(f)}
    assert [f.notebooks[0] for f in picked] == sorted(f.notebooks[0] for f in picked)


@pytest.mark.parametrize(("answers", "names"), [
    (("exactly", False, False), "discrete latents, marginalised; autoregressive models; normalizing flows, ICA"),
    (("exactly", True, True), "discrete latents, marginalised; normalizing flows, ICA"),
    (("roughly", True, True), "discrete latents, marginalised; variational autoencoders; normalizing flows, ICA"),
    (("not at all", True, False), "discrete latents, marginalised; variational autoencoders; "
                                  "generative adversarial networks; normalizing flows, ICA; moment matching")])
def test_the_picker_knows_the_well_known_choices(answers, names):
    assert "; ".join(leaf.name for leaf in pick(*answers)) == names


def test_who_needs_nothing_gets_every_family():
    assert len(pick("not at all", False, False)) == len(LEAVES)


def test_a_score_up_to_log_z_is_not_even_roughly_log_p():
    assert not [f.name for f in pick("roughly", False, False) if "log Z" in f.score]


def test_an_unknown_answer_is_told():
    with pytest.raises(ValueError, match="score must be one of not at all, roughly, exactly, not 'maybe'"):
        pick("maybe", True, True)
