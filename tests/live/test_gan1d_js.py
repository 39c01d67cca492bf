"""The 1-D GAN of the web page against PyTorch's: ten steps from the same weights, on the same numbers."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from course_lib.experiments.gan1d import GAN1DExperiment, GAN1DHyperparameters
from course_lib.live.assets import script

STEPS = 10
RUN = Path(__file__).with_name("run_gan1d.mjs")

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")


def in_node(tmp_path: Path, asked: dict) -> dict:
    (tmp_path / "gan1d.mjs").write_text(script("gan1d.js") + "\nexport { GAN1D };\n", encoding="utf-8")
    done = subprocess.run(["node", RUN, (tmp_path / "gan1d.mjs").as_uri()], input=json.dumps(asked),
                          capture_output=True, encoding="utf-8", timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def named(experiment: GAN1DExperiment) -> dict[str, list[float]]:
    """Weights by the names that the JavaScript has."""
    return {f"{player}.{name.replace('minibatch.T', 'minibatch.W')}": p.detach().flatten().tolist()
            for player in ("G", "D") for name, p in getattr(experiment, player).named_parameters()}


def keeping(kind: str, drawn: list[tuple[str, list[float]]]):
    """The method that draws a batch, which also keeps what it drew."""
    draw = getattr(GAN1DExperiment, kind)

    def method(self):
        batch = draw(self)
        drawn.append((kind, batch.flatten().tolist()))
        return batch

    return method


@pytest.mark.parametrize(("minibatch", "turns", "loss"), [(False, 1, "non-saturating"), (True, 2, "saturating"),
                                                          (True, 1, "non-saturating")])
def test_ten_steps_are_pytorchs(tmp_path, monkeypatch, minibatch, turns, loss):
    torch.set_default_dtype(torch.float64)
    try:
        h = GAN1DHyperparameters(minibatch=minibatch, d_steps=turns, loss=loss, batch_size=8, hidden_size=3)
        experiment = GAN1DExperiment(h, seed=0)
        drawn: list[tuple[str, list[float]]] = []
        for kind in ("real_batch", "noise_batch"):
            monkeypatch.setattr(GAN1DExperiment, kind, keeping(kind, drawn))
        weights, losses = named(experiment), []
        for _ in range(STEPS):
            metrics = experiment.step()
            losses.append([metrics["loss_d"].item(), metrics["loss_g"].item()])
        others, grid = torch.linspace(3, 5, 7), torch.linspace(-8, 8, 9)
        with torch.no_grad():
            decision = torch.sigmoid(experiment.D(grid[:, None], others[:, None] if minibatch else None))
        kinds = [kind for kind, _ in drawn]
        assert kinds == (["real_batch", "noise_batch"] * turns + ["noise_batch"]) * STEPS
        values = iter(values for _, values in drawn)
        numbers = [{"D": [{"real": next(values), "noise": next(values)} for _ in range(turns)], "G": next(values)}
                   for _ in range(STEPS)]
        found = in_node(tmp_path, {
            "minibatch": minibatch, "hidden": 3, "weights": weights, "numbers": numbers, "grid": grid.tolist(),
            "others": others.tolist(),
            "settings": {"rateD": h.learning_rate_d, "rateG": h.learning_rate_g, "beta1": h.beta1, "loss": loss}})
        for told, expected in zip(found["losses"], losses, strict=True):
            assert told == pytest.approx(expected, abs=1e-8)
        for name, expected in named(experiment).items():
            assert found["end"][name] == pytest.approx(expected, abs=1e-8), name
        moved = max(abs(a - b) for name in weights for a, b in zip(weights[name], named(experiment)[name], strict=True))
        assert moved > 1e-3
        assert found["decision"] == pytest.approx(decision.tolist(), abs=1e-8)
    finally:
        torch.set_default_dtype(torch.float32)
