"""Claims: what holds, what does not, and who is told."""

import math

import numpy as np
import pytest
import torch

from course_lib.teach import ClaimFailed, claim, claim_table
from course_lib.teach import claims as module
from course_lib.teach.claims import Limits, Summary


@pytest.fixture
def shown(monkeypatch):
    """The messages that a claim displays."""
    messages = []
    monkeypatch.setattr(module, "display", messages.append)
    return messages


@pytest.fixture
def strict(monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "1")


HOLD = [(0.5, {"near": 0.6, "within": 0.11}), (0.5, {"above": 0.4}), (0.5, {"below": 0.6}),
        (0.5, {"above": 0.4, "below": 0.6}), (torch.tensor(0.5), {"below": 0.6}), (np.float64(0.5), {"above": 0}),
        (3, {"near": 3, "within": 0}), (True, {}), (np.bool_(True), {}),
        (torch.tensor(True), {}), (math.inf, {"above": 1})]
FAIL = [(0.5, {"near": 0.6, "within": 0.09}), (0.5, {"above": 0.5}), (0.5, {"below": 0.5}),
        (0.7, {"above": 0.4, "below": 0.6}), (math.nan, {"above": 0}), (math.nan, {"near": 0, "within": math.inf}),
        (torch.tensor(math.nan), {"below": 1}), (False, {}),
        (np.bool_(False), {}), (torch.tensor(False), {}), (-math.inf, {"above": 1})]


@pytest.mark.parametrize(("value", "expected"), HOLD)
def test_holds(value, expected, shown, strict):
    claim("the sky is blue", value, **expected)
    assert shown[0].status == "holds" and "the sky is blue" in shown[0].text


@pytest.mark.parametrize(("value", "expected"), FAIL)
def test_failure_raises_in_ci_only(value, expected, shown, monkeypatch):
    claim("the sky is green", value, **expected)
    assert shown[0].status == "does NOT hold" and shown[0].mood == "bad"
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(ClaimFailed, match="the sky is green"):
        claim("the sky is green", value, **expected)


def test_a_tensor_with_a_gradient_is_taken_without_a_warning(shown, recwarn):
    claim("a", torch.tensor(0.5, requires_grad=True) * 2, near=1, within=0.1)
    assert shown[0].status == "holds" and not recwarn


def test_shows_what_was_measured_and_expected(shown):
    claim("a", 0.123456, near=0.12, within=0.01)
    claim("b", 12345.6, above=3, below=20_000)
    assert "(measured 0.1235, expected 0.12 ± 0.01)" in shown[0].text
    assert "(measured 12,346, expected above 3 and below 20000)" in shown[1].text
    assert "<b>holds:</b>" in shown[0]._repr_html_() and repr(shown[0]).startswith("holds: a")


@pytest.mark.parametrize(("value", "expected"), [(0.5, {}), (0.5, {"near": 1}), (0.5, {"within": 1}),
                                                 (True, {"above": 0}), (0.5, {"above": 0, "within": 1})])
def test_an_expectation_that_cannot_fail_is_refused(value, expected, shown):
    with pytest.raises(TypeError, match="give a number with"):
        claim("?", value, **expected)


@pytest.mark.parametrize(("value", "expected"), [
    (None, {"above": 0}), ("lots", {"above": 0}),
    (np.array([True, False]), {}), (torch.tensor([True, True]), {}), (1j, {"below": 3})], ids=str)
def test_what_is_no_number_is_told(value, expected, shown):
    with pytest.raises(TypeError, match=r"^one number is needed here, not (None|an? )"):
        claim("?", value, **expected)


SEVERAL = [1.0, 2.0, 3.0, 4.0]  # mean 2.5, standard deviation 1.29, standard error .645: from 1.21 to 3.79


@pytest.mark.parametrize("kind", [list, tuple, np.array, torch.tensor])
@pytest.mark.parametrize(("expected", "holds"), [
    ({"above": 1.2}, True), ({"above": 1.22}, False), ({"below": 3.8}, True), ({"below": 3.78}, False),
    ({"above": 1.2, "below": 3.8}, True), ({"near": 2.5, "within": 1.3}, True), ({"near": 2.5, "within": 1.28}, False),
    ({"near": 3, "within": 1.8}, True), ({"near": 3, "within": 1.7}, False)])
def test_of_several_values_the_mean_must_be_clear_of_the_limit(kind, expected, holds, shown):
    claim("a", kind(SEVERAL), **expected)
    assert (shown[0].status == "holds") == holds


def test_of_several_values_all_is_told_that_a_reader_needs(shown):
    claim("a", SEVERAL, above=1.5)
    assert ("(mean 2.5 ± 0.6455 of n = 4, standard deviation 1.291, 3 of 4 alone; expected above 1.5, by two "
            "standard errors)") in shown[0].text


def test_how_many_keep_a_limit_alone_is_not_told_of_a_tolerance_of_the_mean(shown):
    claim("a", SEVERAL, near=2.5, within=1.4)
    assert ("(mean 2.5 ± 0.6455 of n = 4, standard deviation 1.291; expected 2.5 ± 1.4, by two standard errors)"
            in shown[0].text)


@pytest.mark.parametrize(("above", "holds"), [(0.9, True), (1.0, False)])
def test_an_identity_holds_for_each_value(above, holds, shown):
    claim("a", SEVERAL, above=above, exact=True)
    assert (shown[0].status == "holds") == holds
    assert f"(measured 1 to 4, n = 4, expected of each above {above:g})" in shown[0].text


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("expected", [{"above": 0}, {"below": 9}, {"near": 2, "within": 9}])
def test_nan_among_several_values_holds_for_nothing(expected, exact, shown):
    claim("a", [1.0, math.nan, 2.0], exact=exact, **expected)
    assert shown[0].status == "does NOT hold"


@pytest.mark.parametrize("value", [[1.0], [], np.ones((2, 2)), torch.ones(2, 1), ["a", "b"], [None, 1.0], np.ones(0)],
                         ids=str)
def test_several_values_of_another_form_are_told(value, shown):
    with pytest.raises(ValueError, match="the values of a claim"):
        claim("?", value, above=0)
    assert not shown


def test_listeners_are_told_before_a_failed_claim_raises(shown, strict, monkeypatch):
    outcomes = []
    monkeypatch.setattr(module, "listeners", [outcomes.append])
    claim("a", 0.5, above=0)
    claim("b", True)
    claim("c", SEVERAL, near=2.5, within=9)
    with pytest.raises(ClaimFailed):
        claim("d", 0.5, below=0)
    assert [(o.text, o.limits, o.exact, o.holds) for o in outcomes] == [
        ("a", Limits(above=0), False, True), ("b", Limits(), True, True),
        ("c", Limits(near=2.5, within=9), False, True), ("d", Limits(below=0), False, False)]
    assert list(outcomes[2].values) == SEVERAL and outcomes[0].frame.f_code.co_filename == __file__


def test_claims_within_a_table_are_its_rows(shown):
    with claim_table():
        claim("the sky is blue", 0.5, above=0.4)
        claim("the <sea> is flat", [1.0, 2.0], exact=True, below=1.5)
        claim("it rains", True)
    (table,) = shown
    assert table.rows == (("the sky is blue", "0.5", "above 0.4", True),
                          ("the <sea> is flat", "1 to 2, n = 2", "of each below 1.5", False),
                          ("it rains", "True", "True", True))
    assert repr(table).splitlines()[1] == (
        "does NOT hold: the <sea> is flat  [measured 1 to 2, n = 2, expected of each below 1.5]")
    page = table._repr_html_()
    assert page.count('<th scope="col"') == 4 and page.count("<tr>") == 4
    assert "&lt;sea&gt;" in page and "does NOT hold" in page
    claim("afterwards", True)
    assert shown[1].text.startswith("afterwards")


def test_a_claim_that_fails_in_a_table_stops_ci_and_shows_the_rows_so_far(shown, strict):
    with pytest.raises(ClaimFailed, match="does NOT hold: two"), claim_table():
        claim("one", 1, above=0)
        claim("two", 2, above=3)
        claim("three", 3, above=0)
    assert [row[0] for row in shown[0].rows] == ["one", "two"]


def test_tables_nest_and_an_empty_one_shows_nothing(shown):
    with claim_table():
        with claim_table():
            claim("inner", True)
        with claim_table():
            pass
    assert [[row[0] for row in table.rows] for table in shown] == [["inner"]]


@pytest.mark.parametrize(("limits", "bounds"), [
    (Limits(near=3, within=0.5), [(2.5, 1), (3.5, -1)]), (Limits(above=-1e-5, below=2), [(-1e-5, 1), (2, -1)]),
    (Limits(), []), (Limits(near=0, within=math.inf), [])])
def test_the_bounds_of_limits(limits, bounds):
    assert limits.bounds() == bounds


@pytest.mark.parametrize(("limits", "values", "exact", "holds"), [
    (Limits(above=1), [2.0], False, True), (Limits(above=1), [math.nan], False, False),
    (Limits(above=1), [1.1, 2.9], False, False), (Limits(above=1), [1.1, 2.9], True, True),
    (Limits(above=1), [0.9, 2.9], True, False), (Limits(), [1.0], True, True), (Limits(), [0.0], True, False)])
def test_a_summary_is_judged_as_the_values_are(limits, values, exact, holds):
    assert limits.judge(Summary.of(np.array(values)), exact) is holds
