"""The lab of flow matching: headless it trains and shows all six pictures; its pad makes the data."""

import numpy as np
import pytest

from course_lib.experiments.diffusion2d import EXAMPLES
from course_lib.experiments.flow_matching2d import FlowMatching2DHyperparameters
from course_lib.live import flow_matching2d_lab


@pytest.fixture
def small():
    return FlowMatching2DHyperparameters(data="clusters", width=8, batch_size=16)


def test_headless_it_trains_and_its_still_has_six_pictures(small, monkeypatch):
    monkeypatch.setenv("COURSE_HEADLESS", "1")
    lab = flow_matching2d_lab(small, headless_steps=3)
    assert lab._experiment.steps == 3
    data, _ = lab._still()
    text = data["text/plain"]
    assert "After 3 steps" in text and all(title in text for title in ("One step", "Eight steps", "net", "half-way"))


def test_what_is_drawn_becomes_the_data_and_no_knob_is_missing(small):
    lab = flow_matching2d_lab(small)
    try:
        assert set(lab._knobs) == set(small.fields()) - {"drawing", "total_steps"}
        lab._pads[0].pixels = (EXAMPLES[1] * 255).round().astype(np.uint8).tobytes()
        lab.trainer.run(1)
        assert lab.trainer.ask(lambda e: e.hyperparameters.data) == "drawn"
    finally:
        lab.close()
