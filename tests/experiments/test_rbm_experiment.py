"""RBMs in training: exact measures, where chains begin, and the order of the three gradients."""

import math

import numpy as np
import pytest
import torch

from course_lib.experiments.rbm import RBMExperiment, RBMHyperparameters, exact_probabilities
from course_lib.models.rbm import all_states
from course_lib.training import run


def experiment(seed=0, **changes):
    return RBMExperiment(RBMHyperparameters(**changes), seed)


def train(e, steps):
    return [{k: v.item() for k, v in metrics.items()} for metrics in run(e, steps, progress=False)]


def test_a_snapshot_has_what_it_says():
    e = experiment(hidden_size=5)
    train(e, 30)
    shot = e.snapshot()
    assert shot["chains"].shape == (28, 3, 3) and shot["weights"].shape == (5, 3, 3)
    assert shot["weights"].min() >= 0 and shot["weights"].max() <= 1
    assert shot["model"].sum() == pytest.approx(1) and shot["data"].tolist() == [1 / 14] * 14 + [0]


def test_kl_is_the_sum_over_all_pictures():
    e = experiment(machines=2)
    train(e, 40)
    p = exact_probabilities(e.rbm)
    assert torch.allclose(p.sum(1), torch.ones(2), atol=1e-5)
    where = {tuple(x): i for i, x in enumerate(all_states(9).tolist())}
    by_sum = [sum(math.log(1 / 14 / p[i, where[tuple(x)]]) / 14 for x in e.data[0].tolist()) for i in range(2)]
    assert e.kl().tolist() == pytest.approx(by_sum, abs=1e-4)
    assert e.shares().sum(1).tolist() == pytest.approx([1, 1], abs=1e-5)


def test_cd_starts_at_the_data_and_pcd_where_it_was():
    cd, pcd = experiment(method="CD"), experiment(method="PCD")
    for e in (cd, pcd):
        with torch.no_grad():
            e.rbm.W.zero_()
            e.rbm.b.copy_(torch.full((1, 9), 30.0))  # whatever h is, every pixel will be ink
        e.step()
        assert (e.chains.x == 1).all()
    with torch.no_grad():
        pcd.rbm.b.zero_(), cd.rbm.b.zero_()
        for e in (cd, pcd):
            e.rbm.W.zero_()
            e.rbm.W[0, :, 0] = 8.0
            e.rbm.b.fill_(-4.0)
            e.rbm.c.zero_()
            e.rbm.c[0, 0] = -68.0                    # a switch: full pictures stay full, all others empty
        cd.step(), pcd.step()
    assert (pcd.chains.x == 1).float().mean() > 0.8 and (cd.chains.x == 0).float().mean() > 0.8


def test_exact_before_persistent_before_cd():
    """The order that notebook 10b shows, on other seeds and in fewer steps."""
    ends = {}
    for method, rate, steps in (("exact", 0.5, 800), ("PCD", 0.15, 2000), ("CD", 0.3, 2000)):
        e = experiment(11, method=method, learning_rate=rate, total_steps=steps, machines=8)
        train(e, steps)
        ends[method] = np.median(e.kl().numpy())
    assert ends["exact"] < 0.55 * ends["PCD"] and ends["PCD"] < 0.85 * ends["CD"]


def test_metrics_hold_between_measurements():
    metrics = train(experiment(), 30)
    assert len({m["kl"] for m in metrics}) == 3 and set(metrics[0]) == {"kl", "reconstruction"}
