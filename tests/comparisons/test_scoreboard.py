"""The scoreboard: its families on its data, its measures on what is known, its record."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import torch

from course_lib.comparisons.runs import map_runs
from course_lib.comparisons.scoreboard import family, record
from course_lib.comparisons.scoreboard.choose import choices
from course_lib.comparisons.scoreboard.measures import (
    MEASURES,
    SEED,
    Sizes,
    area_under_curve,
    chimeras,
    measured,
    of_draws,
    of_log_prob,
    why_empty,
)
from course_lib.comparisons.scoreboard.noise import COSINE, PATH, bits_bound, straightened
from course_lib.comparisons.scoreboard.pictures import PICTURES, Stream
from course_lib.comparisons.scoreboard.registry import ALL, BUDGETS, CONTROLS, FAMILIES, Entry, entry, made, steps_of
from course_lib.comparisons.scoreboard.weights import KEPT, is_kept, keep, kept, path_of
from course_lib.files import CourseFileError
from course_lib.models.naive_bayes import BernoulliNB
from course_lib.models.noised import NoisedMixture
from course_lib.seeds import seeded

TINY = Sizes(draws=80, scored=20, neighbours=10, completed=3, completions=2)
# Each kind of family once, where it is quickest: what is on several data differs there by sizes alone.
BY_KIND = {ALL[name][data].kind: (data, name) for data in ("mnist", "sprites", "digits8") for name in ALL
           if not isinstance(ALL[name][data], str)}
THERE = list(BY_KIND.values())
NOT_OF_DRAWS = ("train_seconds", "memory")
TIMES = ("train_seconds", "draw_seconds", "memory")


@pytest.fixture(autouse=True)
def a_short_search(monkeypatch):
    monkeypatch.setattr(family, "SEARCHED", 60)


def trained(name, data, steps=2, seed=0):
    one = made(name, data, steps, seed)
    one.train()
    return one


@pytest.mark.parametrize(("data", "name"), [pytest.param(data, name, marks=[pytest.mark.thorough] * (data == "mnist"))
                                            for data, name in THERE])
def test_it_trains_draws_completes_and_is_measured(data, name):
    one, pictures = trained(name, data), PICTURES[data]
    drawn = one.draw(4, seeded(1))
    assert drawn.shape == (4, *pictures.size) and drawn.dtype == torch.int64
    assert drawn.min() >= 0 and drawn.max() < pictures.n_classes
    assert one.draw(4, seeded(1)).equal(drawn)
    completed = one.complete(pictures.test[:2], 3, seeded(1))
    assert completed.shape == (3, 2, *pictures.size)
    assert completed[..., pictures.seen].equal(pictures.test[:2, pictures.seen].expand(3, -1, -1))
    ignored = torch.where(pictures.seen, pictures.test[:2], 0)
    assert one.complete(ignored, 3, seeded(1)).equal(completed), "what stands in hidden pixels matters"
    found = measured(one, TINY)
    for measure in (measure for measure in MEASURES if measure not in NOT_OF_DRAWS):
        assert (found[measure] is None) == bool(why_empty(type(one), data, measure)), measure
    assert one.density in ("exact", "bound", "estimate", "") and one.completes in ("exact", "approximate", "search")


@pytest.mark.parametrize("name", ["naive Bayes", "VAE", "conditional GAN", "RBM", "diffusion"])
def test_a_seed_is_a_run(name):
    short = {"data": "digits8", "family": name, "budget": "short", "steps": 3}
    a, b, other = (record.run(**short, seed=seed, sizes=TINY) for seed in (0, 0, 1))
    assert {measure: a[measure] for measure in MEASURES if measure not in TIMES} == {
        measure: b[measure] for measure in MEASURES if measure not in TIMES}
    assert (a["frechet"] != other["frechet"]) == (name != "naive Bayes")  # which counts


def test_each_cell_of_the_registry_is_a_family_or_a_reason():
    for cells in ALL.values():
        assert set(cells) == set(PICTURES)
        for cell in cells.values():
            if isinstance(cell, Entry):
                assert bool(cell.why_not_long) == (cell.long is None) and (cell.long or math.inf) > cell.short
            else:
                assert len(cell) > 20
    with pytest.raises(ValueError, match="there is no MADE on mnist: the course has no experiment"):
        entry("MADE", "mnist")
    with pytest.raises(ValueError, match="a budget is one of short, long, not 'endless'"):
        steps_of("VAE", "mnist", "endless")
    with pytest.raises(KeyError, match="the scoreboard has no 'vae'; known: naive Bayes, mixture, VAE"):
        entry("vae", "mnist")
    with pytest.raises(KeyError, match="the scoreboard has no 'cifar'; known: sprites, digits8, mnist"):
        record.settings(["cifar"])
    assert steps_of("naive Bayes", "mnist", "long") is None


def test_what_has_no_log_p_says_why():
    with pytest.raises(NotImplementedError, match=r"no log p\(x\): its network draws pictures from noise"):
        made("GAN", "digits8", 1, 0).log_prob(PICTURES["digits8"].test, seeded())


# The pictures.


@pytest.mark.parametrize("data", PICTURES)
def test_bits_and_pictures_say_the_same(data):
    pictures = PICTURES[data]
    x, y = pictures.batch(7, seeded())
    bits = pictures.bits(x)
    assert bits.shape == (7, pictures.D) and set(bits.unique().tolist()) <= {0.0, 1.0}
    assert pictures.from_bits(bits).equal(x) and y.min() >= 0 and y.max() < pictures.n_labels
    seen = torch.where(pictures.seen, x, 0)
    assert torch.where(pictures.seen_bits, bits, 0).equal(pictures.bits(seen))
    differing = (x[0] != x[1]).sum()
    assert (pictures.one_hot(x[:1]) - pictures.one_hot(x[1:2])).square().sum().item() == pytest.approx(differing.item())
    assert Stream(pictures, low=-1.0)(7, seeded()).equal(2 * bits - 1) and Stream(pictures).D == pictures.D


@pytest.mark.parametrize("data", PICTURES)
def test_test_pictures_are_not_trained_on(data):
    pictures = PICTURES[data]
    assert pictures.features(pictures.test[:3]).shape == (3, 64)
    if pictures.truth is None:
        known = {row.tobytes() for row in pictures.train[0].numpy()}
        alike = sum(row.tobytes() in known for row in pictures.test.byte().numpy())
        assert alike <= {"mnist": 1, "digits8": 15}[data]  # of 64 black and white pixels some digits are the same
    assert PICTURES[data].test.equal(type(pictures)().test)


# What is known.


def test_the_truth_scores_0_within_its_error():
    found = measured(trained("truth", "sprites"), Sizes(draws=1000, scored=500, neighbours=20, completed=60,
                                                        completions=4))
    assert found["kl"] == found["kl_error"] == found["kl_back"] == 0
    assert abs(found["surprise"]) < 1.5 and abs(found["completion_surprise"]) < 1.5
    assert found["frechet"] < 1.2 * found["frechet_bias"] + 0.2 and abs(found["kid"]) < 0.01
    assert found["precision"] > 0.6 and found["recall"] > 0.6 and 0.75 < found["nearest"] < 1.25 and not found["copied"]


@pytest.mark.parametrize("data", PICTURES)
def test_cheats_are_found_by_the_measure_that_is_made_for_them(data):
    sizes = Sizes(draws=150, scored=1, neighbours=100, completed=2, completions=2)
    copier, shifted, mean, exact = (measured(trained(name, data), sizes) for name in (
        "copier", "shifted copier", "mean picture", "exact denoiser"))
    assert copier["copied"] == exact["copied"] == 1 and copier["nearest"] == exact["nearest"] == 0
    assert shifted["copied"] < 0.1 and shifted["nearest"] > 0.5
    assert mean["recall"] < 0.05 and copier["recall"] > 0.3
    assert copier["frechet"] < min(shifted["frechet"], mean["frechet"])


def test_naive_bayes_of_two_colours_is_the_course_s():
    (x, y), test = PICTURES["digits8"].train, PICTURES["digits8"].test
    known = BernoulliNB().fit(x.flatten(1).double(), y)
    found = trained("naive Bayes", "digits8").log_prob(test, seeded())
    assert torch.allclose(found, known.log_prob(test.flatten(1).double()))


def test_a_mixture_s_density_is_that_of_the_lifted_one():
    one = trained("mixture", "digits8")
    v = PICTURES["digits8"].bits(PICTURES["digits8"].test[:20]) + 0.5
    assert torch.allclose(one.log_density(v), one.space.lift(one.model).log_prob(v), rtol=1e-8)


def test_an_exact_denoiser_s_bound_is_tight():
    corners = 2 * (torch.arange(8)[:, None] >> torch.arange(3) & 1).double() - 1
    p = torch.tensor([0.3, 0.02, 0.08, 0.2, 0.05, 0.25, 0.0, 0.1], dtype=torch.float64)
    mixture, n = NoisedMixture(corners, 0.0, p), 4000
    picked = torch.multinomial(p, n, replacement=True, generator=seeded())
    for schedule in (COSINE, PATH):
        def denoiser(x, t, schedule=schedule):
            return mixture.denoiser(x, schedule.alpha(t), schedule.sigma(t)).float()

        gap = p[picked].log() - bits_bound(denoiser, schedule, corners[picked].float(), seeded(1), levels=64)
        assert abs(gap.mean()) < 4 * gap.std() / n**0.5 + 0.005
        worse = p[picked].log() - bits_bound(lambda x, t: 0 * x, schedule, corners[picked].float(), seeded(1))
        assert worse.mean() > 0.5


def test_a_denoiser_s_velocity_on_the_straight_path():
    mixture, x = NoisedMixture(torch.tensor([[-1.0, 1.0], [1.0, 1.0]]), 0.0), torch.randn(6, 2, generator=seeded())
    t = torch.linspace(0.05, 0.95, 6)

    def denoiser(x, t):
        return mixture.denoiser(x, COSINE.alpha(t), COSINE.sigma(t)).float()

    exact = mixture.field("velocity", x, t, PATH).float()
    assert torch.allclose(straightened(denoiser, COSINE)(x, t), exact, atol=1e-3)


def test_a_search_takes_the_draws_that_agree_most():
    one, some = trained("copier", "digits8"), torch.zeros(3, 8, 8, dtype=torch.int64)
    some[0, 0, :5], some[1, 0, 0], some[1, 4:], some[2, 7] = 1, 1, 1, 1
    one.draw = lambda n, generator: some
    found = one.complete(torch.zeros(1, 8, 8, dtype=torch.int64), 2, seeded())
    assert found[0, 0].equal(some[2]) and found[1, 0, 4:].equal(some[1, 4:]) and not found[1, 0, :4].any()


def test_chimeras_and_the_curve_by_hand():
    x = torch.arange(3)[:, None, None].expand(3, 4, 2)
    assert chimeras(x)[:, :, 0].tolist() == [[0, 0, 2, 2], [1, 1, 0, 0], [2, 2, 1, 1]]
    assert area_under_curve(torch.tensor([2.0, 1.0]), torch.tensor([0.0, 1.0])) == (2 + 1 + 0.5) / 4


def test_peak_memory_sees_what_was_given_back():
    """In a process of its own: in this one memory that other tests gave back is there to be used again."""
    code = ("import torch; from course_lib.comparisons.scoreboard.measures import peak_memory\n"
            "with peak_memory() as peak:\n    torch.ones(40 * 2**18).sum()\nprint(peak.mib)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "None" or 30 < float(done.stdout) < 80


def test_a_family_that_has_diverged_is_refused():
    one = trained("MADE", "digits8")
    one.log_prob = lambda x, generator: torch.full((len(x),), math.nan)
    with pytest.raises(ValueError, match="as a diverged model makes them"):
        measured(one, Sizes(draws=80, scored=20, neighbours=5, completed=2, completions=2))


# The record.


def fake(data, family, budget, seed, **numbers):
    setting = {"data": data, "family": family, "budget": budget, "steps": steps_of(family, data, budget), "seed": seed}
    return json.dumps({"setting": setting, "result": dict.fromkeys(MEASURES) | numbers}) + "\n"


@pytest.fixture
def three_families(tmp_path):
    path = tmp_path / "scoreboard.jsonl"
    path.write_text("".join([
        *(fake("sprites", "VAE", "short", seed, nll=nll) for seed, nll in ((0, 30.0), (1, 20.0))),
        *(fake("sprites", "MADE", "short", seed, nll=nll) for seed, nll in ((1, 25.0), (0, 25.0))),
        fake("sprites", "naive Bayes", "short", 0, nll=90.0), fake("sprites", "naive Bayes", "short", 1, nll=90.0),
        fake("sprites", "GAN", "short", 0, frechet=3.0), fake("sprites", "truth", "short", 0, nll=24.0),
        fake("sprites", "VAE", "long", 0, nll=19.0),
        fake("sprites", "MADE", "long", 0, nll=18.0).replace('"steps": ', '"steps": 1'),  # as of an older registry
    ]), encoding="utf-8")
    return path


def test_ranks_have_errors_and_leave_controls_out(three_families):
    some = record.of_data(record.rows(three_families), "sprites", "short")
    assert [row.family for row in some] == ["naive Bayes", "VAE", "GAN", "MADE", "truth"]
    ranks = record.ranks(some, "nll")
    assert ranks == {"naive Bayes": (3, 0), "VAE": (1.5, 0.5), "MADE": (1.5, 0.5)}
    with pytest.raises(ValueError, match="neither much nor little is good of surprise"):
        record.ranks(some, "surprise")
    text = record.table(some, ["nll", "frechet"]).splitlines()
    assert len(text) == 6 and "25 ± 5 (1.5)" in text[2] and text[3].count("–") == 1 and "24" in text[5]


def test_a_long_table_has_the_short_row_of_what_has_no_long_one(three_families):
    some = record.of_data(record.rows(three_families), "sprites", "long")
    assert [(row.family, row.budget) for row in some] == [("naive Bayes", "short"), ("VAE", "long"), ("GAN", "short"),
                                                          ("truth", "short")]


def test_equal_numbers_share_a_rank():
    some = [record.Row("sprites", family, "short", [{"precision": value}])
            for family, value in (("VAE", 0.5), ("GAN", 0.5), ("MADE", 0.9))]
    assert {family: rank.value for family, rank in record.ranks(some, "precision").items()} == {
        "VAE": 2.5, "GAN": 2.5, "MADE": 1}


def test_a_choice_stands_on_rows_and_says_what_cannot_be_told_apart():
    def row(name, frechet, seconds):
        return record.Row("mnist", name, "short", [{"frechet": f, "draw_seconds": seconds, "anomaly": None}
                                                   for f in frechet])

    some = [row("VAE", (0.3, 0.5), 0.1), row("GAN", (0.2, 0.4), 0.2), row("PixelCNN", (0.1, 0.1), 9.0),
            row("copier", (0.0, 0.0), 0.0)]
    found = choices(some, "draw well")
    assert [choice.row.family for choice in found] == ["PixelCNN", "GAN", "VAE"]
    assert [choice.behind for choice in found] == pytest.approx([0, 2, 3])
    quick = choices(some, "draw well", draw_seconds=1)
    assert [choice.row for choice in quick] == [some[1], some[0]] and quick[1].behind == pytest.approx(0.1 / 0.02**0.5)
    assert choices(some, "draw fast")[0].row.family == "VAE" and choices(some, "find anomalies") == []
    with pytest.raises(ValueError, match="a task is one of tell how likely, find anomalies"):
        choices(some, "win")


def test_a_study_goes_on_from_its_record(tmp_path, monkeypatch):
    asked = list(record.settings(["digits8"], ["copier", "mean picture"], ["short"], seeds=1))
    assert [setting["family"] for setting in asked] == ["copier", "mean picture"]
    ran = []

    def tiny(**setting):
        ran.append(setting["family"])
        return record.run(**setting, sizes=TINY)

    path = tmp_path / "scoreboard.jsonl"
    map_runs(tiny, asked[:1], path, workers=1, progress=False)
    map_runs(tiny, asked, path, workers=1, progress=False)
    assert ran == ["copier", "mean picture"] and [row.family for row in record.rows(path)] == ran
    left = record.missing(path, seeds=1)
    assert asked[0] not in left and len(left) == len(record.settings(seeds=1)) - 2


@pytest.mark.parametrize(("data", "name"), sorted(KEPT))
def test_kept_weights_give_the_same_measures(data, name, tmp_path):
    setting = {"data": data, "family": name, "budget": "short", "steps": 2, "seed": 0}
    assert is_kept(setting) and not is_kept(setting | {"seed": 1}) and not is_kept(setting | {"budget": "long"})
    one = trained(name, data)
    keep(one, setting, tmp_path)
    again, x = kept(setting, tmp_path), PICTURES[data].test[:5]
    assert again.draw(3, seeded(1)).equal(one.draw(3, seeded(1)))
    if one.density:
        assert again.log_prob(x, seeded(1)).equal(one.log_prob(x, seeded(1)))
    path_of(setting, tmp_path).write_bytes(b"none")
    with pytest.raises(CourseFileError, match="does not hold the weights"):
        kept(setting, tmp_path)


def test_settings_are_all_that_the_registry_has():
    asked = record.settings(seeds=2)
    assert len(asked) == 2 * sum((cell.long is not None) + 1 for cells in ALL.values() for cell in cells.values()
                                 if isinstance(cell, Entry))
    assert [setting["budget"] for setting in asked] == sorted((setting["budget"] for setting in asked),
                                                              key=BUDGETS.index)
    assert set(FAMILIES) | set(CONTROLS) == {setting["family"] for setting in asked}


def test_no_data_folder_is_told(tmp_path):
    with pytest.raises(CourseFileError, match="data folder"):
        record.rows(tmp_path / "none" / "scoreboard.jsonl")


def test_what_is_recorded_is_what_is_asked():
    """Each line of the committed record has steps of the registry and a number wherever there can be one."""
    for row in record.rows() if record.RECORD.exists() else ():
        kind = entry(row.family, row.data).kind
        for result in row.results:
            assert set(result) == set(MEASURES)
            for name, value in result.items():
                assert (value is None) <= bool(why_empty(kind, row.data, name)), (row.family, row.data, name)
                assert value is None or np.isfinite(value)


@pytest.mark.parametrize(("data", "name"), sorted(KEPT))
def test_what_is_recorded_is_measured_again_from_kept_weights(data, name):
    """Another processor rounds in another way: so nearly the same."""
    (first,) = record.settings([data], [name], ["short"], seeds=1)
    results = [row.results for row in record.rows() if (row.data, row.family, row.budget) == (data, name, "short")]
    if not results or not path_of(first).exists():
        pytest.skip("this part of the study has not been run")
    one, (recorded, *_) = kept(first), results[0]
    if one.density:
        assert of_log_prob(one, Sizes())["nll"] == pytest.approx(recorded["nll"], abs=0.05)
    if data != "mnist":  # whose draws take a minute
        found = of_draws(PICTURES[data], one.draw(Sizes().draws, seeded(SEED)), Sizes())
        assert found["frechet"] == pytest.approx(recorded["frechet"], rel=0.05, abs=0.02)
