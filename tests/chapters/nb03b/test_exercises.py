"""What the exercises of notebook 03b say to answers that stop with an error."""

import pytest
from torch.distributions import Normal

from course_lib.teach import check


def test_a_log_as_a_scale_is_told_that_the_exp_is_missing():
    def draw_q(m, log_s, eps):
        z = m + log_s * eps
        return z, Normal(m, log_s).log_prob(z).sum(dim=2)

    assert "the exp is missing" in check("03b.draw_q", draw_q).text


@pytest.mark.parametrize("error", [ValueError("another"), RuntimeError("parameter scale")], ids=repr)
def test_another_error_is_told_as_it_is(error):
    def draw_q(m, log_s, eps):
        raise error

    told = check("03b.draw_q", draw_q).text
    assert str(error) in told and "exp is missing" not in told


def test_the_library_that_is_given_the_scale_passes():
    def draw_q(m, log_s, eps):
        z = m + log_s.exp() * eps
        return z, Normal(m, log_s.exp()).log_prob(z).sum(dim=2)

    assert check("03b.draw_q", draw_q).status == "passed"
