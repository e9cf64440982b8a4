from hypothesis import given
from hypothesis import strategies as st

from penstock.control.logs import rendering
from penstock.control.logs.schema import LogQuery
from penstock.core import instants
from penstock.storage.log.filters import Test
from penstock.storage.log.reader import Summary


@given(st.integers(0, 10**13))
def test_a_cost_that_was_shown_finds_its_row(nanos):
    shown = rendering.ranges(Summary(1, {"cost": (nanos, nanos)}))
    query = LogQuery.model_validate({name: str(value) for name, value in shown.items()})
    assert query.filter().tests == (Test("cost", "gte", (nanos,)), Test("cost", "lte", (nanos,)))


@given(st.integers(0, 4_102_444_800_000))
def test_a_time_that_was_shown_finds_its_row(millis):
    shown = instants.text(millis)
    where = LogQuery.model_validate({"start_date": shown, "end_date": shown}).filter()
    assert (where.since, where.until) == (millis, millis)


@given(st.dates())
def test_a_day_is_all_of_its_milliseconds(day):
    where = LogQuery.model_validate({"start_date": day.isoformat(), "end_date": day.isoformat()}).filter()
    assert where.since is not None
    assert where.until is not None
    first = max(0, instants.parse(day.isoformat()))
    assert where.since == first
    assert where.until == first + 24 * 3600 * 1000 - 1
