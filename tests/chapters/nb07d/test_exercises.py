"""The exercises of notebook 07d in the forms in which readers write them."""

import math

import pytest
import torch

from course_lib.teach.exercises import _tries, check


@pytest.fixture(autouse=True)
def _first_try():
    _tries.clear()


def by_hand(x, n_symbols, pseudo=1, upto=0):
    """Counts in loops; pairs that end by place t + upto."""
    p = torch.zeros(*x.shape, n_symbols)
    for i, row in enumerate(x.tolist()):
        for t, present in enumerate(row):
            c = [pseudo] * n_symbols
            for s in range(1, min(t + 1 + upto, len(row))):
                if row[s - 1] == present:
                    c[row[s]] += 1
            p[i, t] = torch.tensor(c) / max(sum(c), 1)
    return p


def test_loops_pass_and_so_do_single_precision_numbers():
    assert check("07d.from_counts", by_hand).status == "passed"


@pytest.mark.parametrize(("changes", "word"), [({"pseudo": 0}, "prior is missing"), ({"upto": 1}, "it is the answer")])
def test_a_mistake_in_a_loop_is_named(changes, word):
    assert word in check("07d.from_counts", lambda x, n_symbols: by_hand(x, n_symbols, **changes)).text


def weights(q, k, real, no=-torch.inf, queries=False):
    scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[2])
    T = scores.shape[1]
    for t in range(T):
        scores[:, t, t + 1:] = no
    scores = torch.where(real[:, None, :], scores, no)
    if queries:
        scores = torch.where(real[:, :, None], scores, no)
    return torch.nan_to_num(scores.softmax(dim=2))


@pytest.mark.parametrize(("changes", "word"), [({"no": -1e9}, "large negative number"),
                                               ({"queries": True}, "to *look*")])
def test_padding_has_a_hint_for_each_way_to_go_wrong(changes, word):
    assert check("07d.causal_weights", weights).status == "passed"
    assert word in check("07d.causal_weights", lambda q, k, real: weights(q, k, real, **changes)).text
