"""The clock."""

import pytest

from penstock.doctor import clock


def test_a_clock_that_is_right_is_good(subject, levels):
    ((level, text),) = levels(clock.check(subject()))
    assert (level, "UTC" in text) == ("ok", True)


def test_the_clock_is_compared_with_that_of_the_database_server(subject, postgres):
    (found,) = clock.check(subject(database_url=postgres, master_key="5a" * 32))
    assert (found.level, "clock of the database server" in found.text) == ("ok", True)


def test_a_database_that_is_away_tells_no_time(subject, closed_port):
    asked = subject(database_url=f"postgresql://x@127.0.0.1:{closed_port}/x", master_key="5a" * 32)
    assert list(clock.check(asked)) == []


@pytest.mark.parametrize(("seconds", "level"), [(0.2, "ok"), (-5.0, "ok"), (5.1, "warning"), (-3600.0, "warning")])
def test_more_than_five_seconds_are_too_many(seconds, level):
    found = clock.difference("somebody", seconds)
    assert (found.level, f"{abs(seconds):.1f} s" in found.text) == (level, True)
