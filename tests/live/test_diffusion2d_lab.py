"""The lab of denoising in the plane: headless it trains and shows all six pictures; its pad makes the data."""

import numpy as np
import pytest

from course_lib.experiments.diffusion2d import EXAMPLES, Diffusion2DHyperparameters
from course_lib.live import diffusion2d_lab


@pytest.fixture
def small():
    return Diffusion2DHyperparameters(data="clusters", width=8, batch_size=16)


def test_headless_it_trains_and_its_still_has_six_pictures(small, monkeypatch):
    monkeypatch.setenv("COURSE_HEADLESS", "1")
    lab = diffusion2d_lab(small, headless_steps=3)
    assert lab._experiment.steps == 3
    data, _ = lab._still()
    words = data["text/plain"]
    assert words.startswith("After 3 steps")
    assert [words.count(name) for name in ("Exact field", "Learned", "Loss", "Error over")] == [2, 2, 1, 1]


def test_what_is_drawn_becomes_the_data_and_no_knob_is_missing(small):
    lab = diffusion2d_lab(small)
    try:
        assert set(lab._knobs) == set(small.fields()) - {"drawing", "total_steps"}
        lab._pads[0].pixels = (EXAMPLES[1] * 255).round().astype(np.uint8).tobytes()
        lab.trainer.run(1)
        assert lab.trainer.ask(lambda e: e.hyperparameters.data) == "drawn"
    finally:
        lab.close()
