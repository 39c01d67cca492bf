"""Hints of notebook 10b for answers that raise, or that are written in another way."""

import pytest
import torch

from course_lib.teach.exercises import _tries, check


@pytest.fixture(autouse=True)
def _first_try():
    _tries.clear()


def data_in_both_phases(x, x_negative, W, c):
    p_h = torch.sigmoid(x @ W + c)
    return torch.einsum("ni,nj->ij", x, p_h) / len(x) - torch.einsum("ni,nj->ij", x_negative, p_h) / len(x_negative)


def test_the_datas_h_in_both_phases_are_told_although_their_number_does_not_fit():
    assert "data's h stand in both phases" in check("10b.weight_gradient", data_in_both_phases).text


def test_another_error_is_told_as_it_is():
    told = check("10b.weight_gradient", lambda x, x_negative, W, c: x @ W.T).text
    assert "raised" in told and "phases" not in told


def test_a_sum_over_units_in_the_place_of_a_product_is_named():
    def free_energy(x, W, b, c):
        return -(x @ b) - torch.logsumexp(x @ W + c, dim=1)

    assert "exactly *one* unit" in check("10b.free_energy", free_energy).text
