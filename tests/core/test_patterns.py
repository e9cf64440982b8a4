import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.patterns import matches

words = st.text("ab*/", max_size=8)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [("*", ""), ("a*", "a"), ("*a", "a"), ("a*a", "aa"), ("o/*-mini", "o/gpt-4o-mini"), ("*b*", "abc"), ("a.c", "a.c")],
)
def test_a_star_stands_for_anything_and_for_nothing(pattern, name):
    assert matches(pattern, name)


@pytest.mark.parametrize(
    ("pattern", "name"), [("", "a"), ("a*a", "a"), ("a.c", "abc"), ("A", "a"), ("o/*-mini", "o/mini"), ("*b*b*", "b")]
)
def test_all_else_counts(pattern, name):
    assert not matches(pattern, name)


@given(words, st.text("ab/", max_size=8))
def test_it_is_the_expression_with_any_characters_in_the_place_of_stars(pattern, name):
    expression = ".*".join(map(re.escape, pattern.split("*")))
    assert matches(pattern, name) == (re.fullmatch(expression, name) is not None)


@given(words, words, st.text("ab/", max_size=8))
def test_a_pattern_that_another_has_has_no_name_that_the_other_has_not(wide, narrow, name):
    if matches(wide, narrow) and matches(narrow, name):
        assert matches(wide, name)
