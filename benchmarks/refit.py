"""Notebook 01's sliders: how long both models take to refit, and the picture to be drawn. Medians, milliseconds."""

import statistics
import time
from collections.abc import Callable

import torch

from course_lib.data import TwoGaussians
from course_lib.models.logistic import SoftmaxRegression
from course_lib.models.naive_bayes import GaussianNB
from course_lib.plots import clouds_and_border, plane, png

REPEATS = 15


def milliseconds(function: Callable[[], object]) -> float:
    """Median wall time of a call."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        function()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def draw(x: torch.Tensor, y: torch.Tensor, nb: GaussianNB, lr: SoftmaxRegression) -> bytes:
    """The notebook's picture, as the bytes that go to the browser."""
    axis, grid = plane()
    grid = torch.tensor(grid, dtype=x.dtype)
    return png(clouds_and_border(x, y, mu=nb.mu, var=nb.var, axis=axis, density=nb.log_prob(grid).exp(),
                                 probability=lr.log_posterior(grid)[:, 1].exp(), title="benchmark"))


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(f"{'points':>8} {'naive Bayes':>12} {'logistic':>12} {'both':>8} {'drawing':>9}")
    for n in (20, 300, 500):
        world = TwoGaussians(separation=2.5, correlation=0.5)
        y = torch.arange(n) % 2
        x = world.sample_given(y, torch.Generator().manual_seed(0))
        nb, lr = GaussianNB().fit(x, y), SoftmaxRegression(l2=1e-3).fit(x, y)
        a = milliseconds(lambda x=x, y=y: GaussianNB().fit(x, y))
        b = milliseconds(lambda x=x, y=y: SoftmaxRegression(l2=1e-3).fit(x, y))
        c = milliseconds(lambda x=x, y=y, nb=nb, lr=lr: draw(x, y, nb, lr))
        print(f"{n:8d} {a:12.1f} {b:12.1f} {a + b:8.1f} {c:9.1f}")
