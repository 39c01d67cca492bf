"""Right answers to "draw images" pass in whatever form they are written; a mistake gets one hint in each form."""

import pytest
import torch

from course_lib.teach.exercises import _tries, check


@pytest.fixture(autouse=True)
def _first_try():
    _tries.clear()


def with_break(p, u):
    values = []
    for row, number in zip(p, u, strict=True):
        value, total = 0, row[0]
        while total <= number:
            value += 1
            if value == len(row) - 1:
                break
            total = total + row[value]
        values.append(value)
    return torch.tensor(values)


FORMS = {
    "first above": lambda p, u: (p.cumsum(1) > u[:, None]).int().argmax(1),
    "count": lambda p, u: (u[:, None] >= p.cumsum(1)[:, :-1]).sum(1),
    "count all": lambda p, u: (u[:, None] >= p.cumsum(1)).sum(1),
    "search": lambda p, u: torch.searchsorted(p.cumsum(1), u[:, None].contiguous(), right=True)[:, 0],
    "loop": with_break,
}


def by_rows(H, W):
    return [(i, j) for i in range(H) for j in range(W)]


def walk(form, order=by_rows, passes="pixel", to_p=lambda logits: logits.softmax(1), dtype=torch.int64):
    """An answer: which form of the draw, in which order, with a pass for each pixel, row or picture."""
    def draw_images(logits_of, u):
        x = torch.zeros(u.shape, dtype=dtype)
        last, logits = None, None
        for i, j in order(*u.shape[1:]):
            now = {"pixel": (i, j), "row": i, "picture": 0}[passes]
            if now != last:
                last, logits = now, logits_of(x)
            x[:, i, j] = FORMS[form](to_p(logits[:, :, i, j]), u[:, i, j]).to(dtype)
        return x
    return draw_images


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_the_right_answer_passes(form):
    assert check("07.draw_images", walk(form)).status == "passed"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("changes", "word"), [
    ({"order": lambda H, W: [(i, j) for j in range(W) for i in range(H)]}, "column by column"),
    ({"order": lambda H, W: by_rows(H, W)[::-1]}, "backwards"),
    ({"passes": "row"}, "whole row"),
    ({"passes": "picture"}, "one pass"),
    ({"dtype": torch.float32}, "int64"),
])
def test_a_mistake_is_found_in_each_form(form, changes, word):
    assert word in check("07.draw_images", walk(form, **changes)).text


@pytest.mark.parametrize("form", ["first above", "count"])
def test_a_missing_softmax_is_found(form):
    assert "softmax" in check("07.draw_images", walk(form, to_p=lambda logits: logits)).text
