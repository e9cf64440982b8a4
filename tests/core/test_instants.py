from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core import instants


@given(st.datetimes(timezones=st.just(UTC)))
def test_what_is_written_is_read_back(moment: datetime):
    millis = instants.parse(moment.isoformat())
    assert instants.parse(instants.text(millis)) == millis
    assert instants.text(millis)[:19] == moment.isoformat()[:19]


@pytest.mark.parametrize(
    "spelling",
    ["2027-01-31T12:00:00Z", "2027-01-31T12:00:00", "2027-01-31T13:30:00+01:30", "2027-01-31 12:00:00.000000+00:00"],
)
def test_one_moment_in_many_spellings(spelling: str):
    assert instants.text(instants.parse(spelling)) == "2027-01-31T12:00:00.000Z"


def test_a_date_alone_is_its_first_moment_in_utc():
    assert instants.text(instants.parse("2027-01-31")) == "2027-01-31T00:00:00.000Z"


@pytest.mark.parametrize(
    "wrong", ["", "tomorrow", "2027-13-01", "9999-12-31T23:59:59-10:00", "0001-01-01T00:00:00+10:00"]
)
def test_what_is_no_time_is_refused(wrong: str):
    with pytest.raises(ValueError):
        instants.parse(wrong)
