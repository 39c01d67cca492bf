"""The claims of notebook 09b can fail, each broken on purpose; and the record that it shows is of today's settings."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from notebook_cells import broken, cells_of

from course_lib.comparisons.ring_seeds import TrainingCurve, recorded, train_and_record
from course_lib.experiments.gan2d import GAN2DHyperparameters
from course_lib.measure import frechet_distance

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("09b")
PEAKS = ("grid = np.linspace", 'predict("09b.js"', "theta = np.linspace")
DUAL = ("real, fake =",)
CRITIC = ("def gradient_penalty", "rng = seeded(3)")
TWICE = ("def gradient_penalty", "torch.set_default_dtype")
PRICE = ('predict("09b.value"', "def critic")
FEW = ((r"\(1\.0, 3\.0, 10\.0\)", "(1.0,)"), (r"steps=400", "steps=250"))
TABLE = ("table = recorded()",)
GIVEN = """
class found: near, covered = .94, 8
now, table = found, recorded()
gp_course = its_course = type("C", (), {"neg_loss_d": np.arange(9), "js": np.arange(9), "steps": np.arange(9),
                                         "tracks": lambda self: .8})()
"""


@pytest.fixture(autouse=True)
def doubles_are_put_back():
    import torch

    yield
    torch.set_default_dtype(torch.float32)


def test_the_record_is_of_todays_settings_and_the_committed_seeds():
    listed = Path(__file__).parents[3] / "benchmarks/evaluation_seeds_gan2d.txt"
    lines = listed.read_text(encoding="utf-8").splitlines()
    seeds = [int(line) for line in lines if not line.startswith("#")]
    table = recorded()
    assert sorted(table) == ["R1", "WGAN", "WGAN-GP", "vanilla"]  # the others are in the sweep's record
    for variant, row in table.items():
        assert row.hyperparameters == dataclasses.asdict(GAN2DHyperparameters(variant=variant))
        assert row.seeds == seeds[:len(row.seeds)]
        assert {len(of_each) for of_each in (row.covered, row.near, row.tracks, row.tracks_late, row.tracks_frechet)
                } == {len(row.seeds)}
    assert len(table["WGAN-GP"].seeds) == len(table["vanilla"].seeds) == 8
    good = [m == 8 and n >= 0.9 for m, n in zip(table["WGAN-GP"].covered, table["WGAN-GP"].near, strict=True)]
    assert sum(good) >= 6


def test_a_course_is_what_was_watched():
    experiment, course = train_and_record(GAN2DHyperparameters(d_steps=1, batch_size=8), seed=1, steps=100)
    assert course.steps.tolist() == [25, 50, 75, 100] and course.shares.shape == (4, 8)
    assert course.js[-1] == pytest.approx(experiment.quality()["js"])
    assert (course.neg_loss_d > -1.6).all() and (course.neg_loss_d < 0).all()  # losses of a D that has hardly learned
    assert course.frechet[-1] == pytest.approx(frechet_distance(experiment.samples(2000), experiment.own_real.numpy()))
    straight = TrainingCurve(np.arange(8), np.arange(8.0), np.array([0, 1, 2, 3, 7, 6, 5, 4.0]), np.arange(8.0) ** 2,
                      np.zeros((8, 8)))
    assert straight.tracks(begin=0.5) == pytest.approx(-1) and -1 < straight.tracks() < 1
    assert straight.tracks("frechet") == pytest.approx(1)


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (PEAKS, r"normal_quantiles\(1000, theta", "normal_quantiles(1000, theta**2", "W₁ falls at the same rate"),
    (PEAKS, r"return js\(p, q, grid\)", "return theta / 4", "JS at θ = 3"),
    (PEAKS, r"normal_density\(grid, 3, SPREAD\)\)", "normal_density(grid, 3, 2 * SPREAD))", "The best D's logit"),
    (DUAL, r"-np\.sign\(F_real - F_fake\)", "np.sign(F_real - F_fake)", "The best D reaches"),
    (DUAL, r"slope \* np\.diff", "1.1 * slope * np.diff", "The best D reaches"),
    (DUAL, r"lambda x: -x", "lambda x: -3 * x", "Value of each other D"),
    (CRITIC, r"epsilon \* real", "0.5 * real", "Our penalties"),
    (CRITIC, r"clamp\(min=0\)", "abs()", "Our penalties"),
    (CRITIC, r"-value \+ weight", "value + weight", "After twenty steps"),
    (CRITIC, r"betas=\(0\.5, 0\.999\)", "betas=(0.9, 0.999)", "After twenty steps"),
    (TWICE, r"\(excess \*\* 2\)", "(excess.detach() * excess)", "The penalty's derivative"),
    (TABLE, r"table = recorded\(\)", "table['WGAN-GP'].covered[:] = [7] * 8", "Recorded WGAN-GP games: modes"),
    (TABLE, r"table = recorded\(\)", "table['vanilla'].covered[:] = [8] * 8", "Recorded vanilla games"),
    (TABLE, r"now\.near - ", "now.near - 0.2 - ", "Today's game"),
])
def test_what_is_broken_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new), given=GIVEN if starts is TABLE else "")


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r'told\["slope"\] / \(1 \+', 'told["slope"] / (1 + 1 +', "slope over that of the formula"),
    (r'told\["value"\] / told\["slope"\]', 'told["value"] / 2', "value divided by slope"),
])
def test_a_wrong_price_is_caught(old, new, claim):
    broken(CELLS, PRICE, claim, *FEW, (old, new))


def test_a_trap_that_is_none_is_caught():
    few = ((r"seeds = range\(8\)", "seeds = range(1)"), (r"(?s)far = .*?within=0\.02\)", ""))
    broken(CELLS, (PRICE[1], 'predict("09b.trap"', "seeds = range"), "whose value is below 0", *few,
           (r'limit="penalty"', 'limit="one-sided"'))
