"""Denoising score matching in training: what it measures of itself, and the data that may be drawn."""

import numpy as np
import pytest
import torch

from course_lib.data import Drawing
from course_lib.data.moons import MOONS
from course_lib.data.plane import EXTENT, SPIRAL, WAVE
from course_lib.experiments.diffusion2d import (
    EXAMPLES,
    PANELS,
    Diffusion2DExperiment,
    Diffusion2DHyperparameters,
    drawing_changes,
    mixture_of,
)
from course_lib.models.diffusion import denoising_loss
from course_lib.models.schedules import KINDS
from course_lib.seeds import seeded
from course_lib.training import run

H = Diffusion2DHyperparameters


def train(experiment, steps):
    return [{k: float(v) for k, v in metrics.items()} for metrics in run(experiment, steps, progress=False)]


@pytest.fixture(scope="module")
def trained():
    experiment = Diffusion2DExperiment(H(data="clusters", total_steps=800, width=32), seed=1)
    return experiment, train(experiment, 800)


def test_training_brings_the_loss_to_its_floor_and_the_field_to_the_exact_one(trained):
    experiment, metrics = trained
    excess = [m["excess"] for m in metrics]
    assert [i + 1 for i in range(1, 800) if excess[i] != excess[i - 1]][:3] == [25, 50, 75]
    assert excess[-1] < 0.1 < 0.5 < excess[0]
    last = np.mean([m["loss"] for m in metrics[-50:]])
    assert 0.9 * metrics[0]["floor"] < last < 1.2 * metrics[0]["floor"]
    assert experiment.evaluate(True)["excess"] == pytest.approx(excess[-1], rel=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_expected_loss_is_floor_and_excess(kind):
    experiment = Diffusion2DExperiment(H(kind=kind, width=8, t_low=0.2, t_high=0.9, batch_size=4096), seed=2)
    losses, off = [], []
    with torch.no_grad():
        for _ in range(25):
            x_0, t, eps = experiment.next_batch()
            losses.append(denoising_loss(experiment.model, x_0, t, eps, experiment.schedule, kind).mean())
            x = experiment.schedule.noised(x_0, t, eps)
            exact = experiment.mixture.field(kind, x, t, experiment.schedule)
            off.append((experiment.model(x, t) - exact).square().sum(dim=1).mean())
    error = torch.stack(losses).std() / 5 + torch.stack(off).std() / 5
    assert abs(np.mean(losses) - np.mean(off) - experiment.floor.item()) < 4 * error.item()
    assert float(train(experiment, 1)[0]["excess"]) == pytest.approx(np.mean(off), rel=0.2)


def test_the_error_over_t_and_the_pictures_hold_the_learned_field_against_the_exact_one(trained):
    experiment, _ = trained
    seen = experiment.snapshot()
    t, off = experiment.error_over_t("data")
    assert np.allclose(seen["off_data"], np.sqrt(off)) and np.allclose(seen["level_t"], t)
    for name, allowed in zip(PANELS, (0.5, 0.1), strict=True):  # with little noise the field bends within a hair
        pixel = 2 * EXTENT / 48
        assert seen[f"{name}_density"].sum() * pixel**2 == pytest.approx(1, abs=0.05)
        near = np.linalg.norm(seen[f"{name}_at"], axis=1) < 2
        exact, learned = seen[f"{name}_exact"][near], seen[f"{name}_learned"][near]
        assert np.square(exact - learned).sum() < allowed * np.square(exact).sum(), name
        off = seen[f"{name}_off"].reshape(-1)
        assert off.min() >= 0 and np.average(off, weights=seen[f"{name}_density"].reshape(-1)) < 0.5


def test_moons_are_the_moons():
    x = MOONS.sample(20_000, seeded()).double()
    off = MOONS.log_prob(x) - mixture_of("moons").log_prob(x)
    assert off.mean().abs() < 1e-4 and off.abs().max() < 0.5  # farthest beyond the ends of the arcs
    with pytest.raises(ValueError, match="data must be Blobs, a Drawing or 'moons'"):
        mixture_of("suns")


def test_a_drawing_is_a_mixture_over_its_inked_pixels():
    drawing = Drawing(SPIRAL)
    mixture = mixture_of(drawing)
    drawn, made = drawing.sample(20_000, seeded()), mixture.sample(20_000, seeded(1))
    assert len(mixture.mu) == int((drawing.shares > 0).sum()) and mixture.s[0] == EXTENT / 24
    torch.testing.assert_close(drawn.mean(dim=0), made.mean(dim=0), atol=0.05, rtol=0)
    torch.testing.assert_close(drawn.T.cov(), made.T.cov(), atol=0.06, rtol=0)
    assert (drawing.log_prob(mixture.mu.float()) > -9).all()


def test_what_is_drawn_becomes_the_data():
    assert drawing_changes(np.zeros((24, 24))) == {}
    changes = drawing_changes(EXAMPLES[1])
    assert changes["data"] == "drawn" and changes["drawing"] == SPIRAL != WAVE
    experiment = Diffusion2DExperiment(H(width=8))
    assert experiment.set(**changes) and len(experiment.mixture.mu) == int((Drawing(SPIRAL).shares > 0).sum())
