"""Library code shown in a notebook."""

import inspect

import pytest

from course_lib.models import naive_bayes
from course_lib.teach import show_source


@pytest.mark.parametrize("thing", [naive_bayes.BernoulliNB, naive_bayes.BernoulliNB.fit, naive_bayes])
def test_shows_the_source(thing):
    code = show_source(thing)
    assert code.data == inspect.getsource(thing)
    assert "highlight" in code._repr_html_()


@pytest.mark.parametrize("thing", [3, naive_bayes.BernoulliNB(), len])
def test_what_has_no_source_is_told(thing):
    with pytest.raises(TypeError, match="pass a function, a class or a module"):
        show_source(thing)
