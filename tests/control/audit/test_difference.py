"""Differences, as people read them."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.control.audit.difference import changes

values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(st.sampled_from("abc"), values, max_size=3)


@given(objects)
def test_where_nothing_changed_nothing_is_shown(value):
    assert list(changes(value, value)) == []


@given(objects, objects)
def test_what_is_shown_one_way_is_shown_the_other_way_round(before, after):
    there, back = list(changes(before, after)), list(changes(after, before))
    flipped = {"+": "-", "-": "+", " ": " "}
    assert sorted(flipped[sign] for sign, _ in there) == sorted(sign for sign, _ in back)


def test_true_is_not_one():
    assert list(changes({"a": 1}, {"a": True})) == [(" ", "a: 1 → true")]
    assert list(changes({"a": [1]}, {"a": [True]})) == [(" ", "a: [1] → [true]")]


def test_long_values_are_cut():
    ((_, line),) = changes(None, {"a": "x" * 1000})
    assert line.endswith("…")
    assert len(line) < 220


def test_a_secret_that_changed_is_shown_however_long_what_stands_before_it():
    def settings(authorization):
        headers = {f"header-{number}": "x" * 100 for number in range(9)}
        return {"otel": [{"url": "https://a.example", "headers": headers, "authorization": authorization}]}

    assert list(changes(settings("********"), settings("******** (changed)"))) == [
        (" ", 'otel[0].authorization: "********" → "******** (changed)"')
    ]


def test_listed_objects_are_shown_by_their_members():
    two = {"a": [{"b": 1, "c": [1, 2]}, {"b": 2}]}
    assert list(changes(two, {"a": [{"b": 3, "c": [1]}]})) == [
        (" ", "a[0].b: 1 → 3"),
        (" ", "a[0].c: [1,2] → [1]"),
        ("-", "a[1].b: 2"),
    ]
    assert list(changes({"a": None}, two)) == [("+", "a[0].b: 1"), ("+", "a[0].c: [1,2]"), ("+", "a[1].b: 2")]
