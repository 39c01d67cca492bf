"""Library code shown in a notebook."""

import html
import inspect
import re

import pytest

from course_lib.models import naive_bayes
from course_lib.teach import show_source


@pytest.mark.parametrize("thing", [naive_bayes.BernoulliNB, naive_bayes.BernoulliNB.fit, naive_bayes])
def test_shows_the_source_folded(thing):
    page = show_source(thing).data
    text = html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", "", page, flags=re.S))
    assert inspect.getsource(thing).strip() in text
    assert page.startswith("<details><summary>Source of <code>") and "highlight" in page


@pytest.mark.parametrize("thing", [3, naive_bayes.BernoulliNB(), len])
def test_what_has_no_source_is_told(thing):
    with pytest.raises(TypeError, match="pass a function, a class or a module"):
        show_source(thing)
