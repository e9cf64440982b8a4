"""Roll-ups go when their time is over, or with their gateway, a batch at a time."""

from collections import Counter

import pytest

from penstock.storage.log import rollup_reap
from penstock.storage.log.measures import DAY, HOUR, MINUTE
from penstock.storage.log.rollup_reap import days_of, expire, orphans, reap
from penstock.storage.log.table import LogTable
from penstock.storage.sql import Sql
from tests.kit.logsink import a_gateway, a_record

MINUTES = 60_000
NOW = 20_000 * DAY * MINUTES  # midnight


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollup_reap, "ROWS", 3)


def write(connection: Sql, days: range, gateway: int = 1) -> None:
    """Two calls on each of the days before now, of a metadata value each."""
    LogTable(connection).write(
        [
            a_record(
                gateway=gateway, created_at=NOW - day * DAY * MINUTES, metadata=f'{{"user":"{user}"}}', rolled=("user",)
            )
            for day in days
            for user in "ab"
        ]
    )


def spans(connection: Sql, gateway: int = 1) -> dict[int, int]:
    """Calls in the roll-ups of each span, those of metadata values among them."""
    return dict(
        connection.execute("SELECT span, sum(calls) FROM log_rollups WHERE gateway = ? GROUP BY span", (gateway,))
    )


def test_each_span_is_kept_for_its_own_time(connection: Sql):
    beta = a_gateway(connection, "beta")
    for gateway in (1, beta):
        write(connection, range(30), gateway)
    steps = sum(1 for _ in expire(connection, {MINUTE: 5, HOUR: 10, DAY: 20}, NOW))
    assert steps > 60  # bounded ones
    for gateway in (1, beta):
        assert spans(connection, gateway) == {MINUTE: 6 * 2, HOUR: 11 * 4, DAY: 21 * 4}


def test_a_longer_span_is_kept_as_long_as_a_shorter_one():
    assert days_of(62, 10, 5) == {MINUTE: 62, HOUR: 62, DAY: 62}
    assert days_of(1, 20, 3) == {MINUTE: 1, HOUR: 20, DAY: 20}


def test_those_of_a_gateway_go_in_batches(connection: Sql):
    beta = a_gateway(connection, "beta")
    for gateway in (1, beta, 77):
        write(connection, range(10), gateway)
    assert orphans(connection) == [77]
    batches = Counter(iter(lambda: reap(connection, beta, limit=3), False))
    assert batches[True] > 10
    assert spans(connection, beta) == {}
    assert spans(connection) == {MINUTE: 20, HOUR: 40, DAY: 40}
