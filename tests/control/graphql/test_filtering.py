"""Filters of GraphQL: the time that they leave, and the roll-ups that can answer them."""

import pytest

from penstock.control.graphql.filtering import Refused, understood
from penstock.storage.log.analytics import During, Either, Where
from penstock.storage.log.measures import DAY, HOUR, MINUTE

NOW = 20_000 * DAY + 12 * HOUR + 5  # 2024-10-04T12:05:00Z
TODAY, MODEL = 20_000 * DAY, Where("model", "eq", ("a",))
A = {"model": "a"}


def day(number, **more):
    return {"date": f"2024-10-{number:02}"} | more


@pytest.mark.parametrize(
    ("given", "since", "until"),
    [
        ({}, NOW + 1 - DAY, NOW + 1),
        (day(3), TODAY - DAY, TODAY),
        ({"AND": [{"date_geq": "2024-10-01"}, {"AND": [{"date_lt": "2024-10-03"}]}]}, TODAY - 3 * DAY, TODAY - DAY),
        ({"OR": [day(1), day(3)]}, TODAY - 3 * DAY, TODAY),
        ({"OR": [day(1), day(3)], "date_geq": "2024-10-02"}, TODAY - 2 * DAY, TODAY),
        ({"OR": [day(1), A]}, NOW + 1 - DAY, NOW + 1),
        ({"OR": [day(1), {"date_geq": "2024-10-03"}]}, TODAY - 3 * DAY, NOW + 1),
        ({"OR": [{"date_leq": "2024-10-03"}, day(1)]}, TODAY - DAY, TODAY),
    ],
)
def test_the_time_that_a_filter_leaves(given, since, until):
    found = understood(given, NOW)
    assert (found.since, found.until) == (since, until)


def test_alternatives_keep_their_own_times():
    found = understood({"OR": [day(1, **A), {"AND": [A, {"cached": None}]}], "model": "a"}, NOW)
    assert found.tests == (Either(((During(TODAY - 3 * DAY, TODAY - 2 * DAY), MODEL), (MODEL,))), MODEL)


@pytest.mark.parametrize(
    ("given", "coarsest"),
    [
        ({"OR": [day(1), day(3)]}, DAY),
        ({"OR": [day(1), {"datetimeHour": "2024-10-03T05:00:00Z"}], **day(3)}, HOUR),
        ({"date_geq": "2024-10-01", "OR": [{"OR": [{"datetime_lt": "2024-10-03T05:07:00Z"}, A]}, A]}, MINUTE),
        ({"date_geq": "2024-10-01", "OR": [{"datetime_lt": "2024-10-04T23:59:00Z"}, A]}, DAY),  # after now
    ],
)
def test_no_roll_up_reaches_across_an_edge(given, coarsest):
    found = understood(given, NOW)
    assert next(span for span in (DAY, HOUR, MINUTE) if found.fits(span, NOW)) == coarsest


def test_an_alternative_of_none_is_refused():
    with pytest.raises(Refused, match="OR"):
        understood({"AND": [{"OR": []}]}, NOW)
