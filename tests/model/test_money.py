"""Windows of budgets, and amounts in words."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core import instants
from penstock.model.money import FOREVER, NEVER, TICKS, Window, dollars

TIMES = st.integers(0, instants.parse("2999-12-31"))
UNITS = st.sampled_from(["day", "week", "month"])
FIXED = st.builds(Window, st.just("fixed"), UNITS) | st.builds(
    Window, st.just("fixed"), st.just("second"), st.integers(1, 10**8)
)
SLIDING = st.builds(Window, st.just("sliding"), UNITS) | st.builds(
    Window, st.just("sliding"), st.just("second"), st.integers(1, 10**8)
)


@pytest.mark.parametrize(
    ("unit", "begins", "ends"),
    [
        ("day", "2026-12-31", "2027-01-01"),
        ("week", "2026-12-28", "2027-01-04"),
        ("month", "2026-12-01", "2027-01-01"),
    ],
)
def test_fixed_windows_are_those_of_the_calendar(unit, begins, ends):
    window, now = Window("fixed", unit), instants.parse("2026-12-31T23:59:59.999")
    assert window.bucket(now) == window.oldest(now) == instants.parse(begins)
    assert window.ends(window.bucket(now)) == instants.parse(ends)


@given(FIXED, TIMES)
def test_a_fixed_window_begins_where_the_last_one_ended(window, now):
    begun = window.bucket(now)
    assert begun <= now < window.ends(begun)
    assert window.bucket(begun) == begun
    assert window.bucket(window.ends(begun)) == window.ends(begun)
    assert window.length(now) == window.ends(begun) - begun


@given(SLIDING, TIMES, st.integers(0, 10**12))
def test_spending_counts_for_a_whole_sliding_window_and_at_most_a_bucket_longer(window, spent, later):
    bucket, length = window.bucket(spent), window.length(0)
    counts = bucket >= window.oldest(spent + later)
    assert counts or later > length - 1
    assert not counts or later < length + max(1000, length // TICKS)
    assert counts == (spent + later < window.ends(bucket))


@given(FIXED | SLIDING, TIMES)
def test_a_bucket_lasts_until_the_next_one_begins(window, now):
    bucket = window.bucket(now)
    following = window.following(bucket)
    assert bucket <= now < following
    assert window.bucket(following - 1) == bucket
    assert window.bucket(following) == following


def test_what_counts_for_ever_has_one_bucket():
    assert FOREVER.bucket(5) == FOREVER.oldest(10**13) == 0
    assert FOREVER.ends(0) == FOREVER.following(0) == NEVER
    assert FOREVER.text() == "in all"


@given(TIMES)
def test_weeks_begin_on_monday(now):
    assert datetime.fromtimestamp(Window("fixed", "week").bucket(now) / 1000, UTC).isoweekday() == 1


def test_a_window_is_told_in_words():
    assert Window("fixed", "second", 3600).text() == "per 3600s, fixed"
    assert Window("sliding", "month").text() == "per month, sliding"


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "$0.00"),
        (1, "$0.000000001"),
        (12_500_000, "$0.0125"),
        (-5 * 10**9, "-$5.00"),
        (1_234_500_000_000, "$1,234.50"),
    ],
)
def test_amounts_are_dollars_without_an_exponent(nano, text):
    assert dollars(nano) == text
