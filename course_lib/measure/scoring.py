"""A score for a prediction of which only draws are known.

Reference: T. Gneiting, A. E. Raftery, Strictly Proper Scoring Rules, Prediction, and Estimation, J. American
    Statistical Association 102 (2007): equation 22, the energy score.
"""

from __future__ import annotations

import itertools

import numpy as np

from course_lib.validation import finite_result, float_array


@np.errstate(over="ignore", invalid="ignore")
def energy_score(draws: np.ndarray, x: np.ndarray) -> np.ndarray:
    """E ‖c − x‖ − ½ E ‖c − c'‖ for each outcome `x` `[n, d]`, estimated from draws c of its prediction, `[K, n, d]`:
    `[n]`, without bias.

    It is strictly proper: its mean over outcomes is least if the predictions are the distributions that outcomes come
    from. One sure guess pays with the first term, guesses that are far too broad with both.

    Raises:
        ValueError: shapes that do not fit together, fewer than two draws, NaN or infinity, or numbers whose squares
            overflow.
    """
    draws, x = float_array(draws, "draws", ("K", "n", "d"), rows=2), float_array(x, "x", ("n", "d"))
    if draws.shape[1:] != x.shape:
        raise ValueError(f"each outcome needs its draws: {list(draws.shape)} do not fit {list(x.shape)}")
    pairs = list(itertools.combinations(range(len(draws)), 2))
    to_x = np.mean([np.linalg.norm(c - x, axis=1) for c in draws], axis=0)
    within = np.mean([np.linalg.norm(draws[i] - draws[j], axis=1) for i, j in pairs], axis=0)
    return finite_result(to_x - within / 2, "an energy score")
