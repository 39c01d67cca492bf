"""The metrics of a whole run in bounded memory, for curves."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


class History:
    """Means of each metric over bins of equal width; when the bins run out, neighbours merge and the width doubles.

    Metrics arrive as 0-d tensors and stay so until somebody looks, so that no step waits for `.item()`.
    """

    CAPACITY = 512
    PENDING = 256

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._names = ["step"]
        self._pending: list[tuple[int, dict[str, Tensor]]] = []
        self._bins = np.empty((0, 1))
        self._tail = np.empty((0, 1))  # rows that do not fill a bin yet
        self._width = 1

    def append(self, step: int, metrics: dict[str, Tensor]) -> None:
        """Add the 0-d metrics of one update."""
        self._pending.append((step, metrics))
        if len(self._pending) >= self.PENDING:
            self._flush()

    def arrays(self) -> dict[str, np.ndarray]:
        """step and each metric by name, `[bins]`; NaN where a metric has no value. At most CAPACITY + 1 bins."""
        self._flush()
        tail = self._tail.mean(axis=0, keepdims=True) if len(self._tail) else self._tail
        rows = np.concatenate([self._bins, tail])
        return {name: rows[:, column] for column, name in enumerate(self._names)}

    def _flush(self) -> None:
        if not self._pending:
            return
        pending, self._pending = self._pending, []
        for name in dict.fromkeys(name for _, metrics in pending for name in metrics):
            if name not in self._names:
                self._names.append(name)
                self._bins, self._tail = _with_nan_column(self._bins), _with_nan_column(self._tail)
        columns = [np.array([step for step, _ in pending], dtype=float)]
        nan = torch.tensor(float("nan"))
        for name in self._names[1:]:
            values = [metrics.get(name, nan) for _, metrics in pending]
            columns.append(torch.stack(values).double().cpu().numpy())
        self._tail = np.concatenate([self._tail, np.stack(columns, axis=1)])
        self._fill_bins()
        while len(self._bins) > self.CAPACITY:
            self._merge_bins()

    def _fill_bins(self) -> None:
        whole = len(self._tail) // self._width * self._width
        bins = self._tail[:whole].reshape(-1, self._width, len(self._names)).mean(axis=1)
        self._bins, self._tail = np.concatenate([self._bins, bins]), self._tail[whole:]

    def _merge_bins(self) -> None:
        if len(self._bins) % 2:  # the odd one goes back, as rows that have its mean
            self._tail = np.concatenate([np.repeat(self._bins[-1:], self._width, axis=0), self._tail])
            self._bins = self._bins[:-1]
        self._bins = self._bins.reshape(-1, 2, len(self._names)).mean(axis=1)
        self._width *= 2
        self._fill_bins()


def _with_nan_column(rows: np.ndarray) -> np.ndarray:
    return np.concatenate([rows, np.full((len(rows), 1), np.nan)], axis=1)
