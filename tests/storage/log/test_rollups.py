"""Roll-ups are the sums of the calls, however these came."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.core import codec
from penstock.model.record import LogRecord
from penstock.storage.log import measures, rollups
from penstock.storage.log.measures import BOUNDS, COLUMNS, DAY, DIMENSIONS, HOUR, OTHER, SPANS
from penstock.storage.log.table import LogTable
from penstock.storage.sql import Sql
from tests.kit.logsink import a_record

MINUTE = 60_000
NOON = 20_000 * 24 * 60 * MINUTE

Rolled = dict[tuple[Any, ...], Counter[str]]


def stored(connection: Sql) -> Rolled:
    """Every roll-up, words in the place of their numbers."""
    words = {0: None, **dict(connection.execute("SELECT id, name FROM log_names"))}
    found: Rolled = {}
    key = ", ".join(measures.KEY)
    for row in connection.execute(f"SELECT {key}, {', '.join(COLUMNS)} FROM log_rollups"):
        place = dict(zip(measures.KEY, row, strict=False))
        named = [words[value] if name in measures.WORDS else value for name, value in place.items()]
        sums = Counter(dict(zip(COLUMNS, row[len(place) :], strict=True)))
        found[tuple(named)] = +sums
    return found


def summed(records: Iterable[LogRecord], keys: Iterable[str] = ()) -> Rolled:
    """The same, plainly."""
    made: Rolled = {}
    for record in records:
        one = Counter[str](
            calls=1,
            unpriced=int(record.cost is None),
            tokens_in=record.tokens_in or 0,
            tokens_out=record.tokens_out or 0,
            cache_read=record.cache_read,
            cost=record.cost or 0,
            charge=record.charge[1] if record.charge else 0,
        )
        one.update(dict(zip(("saved_tokens_in", "saved_tokens_out", "saved_cost"), record.saved or (), strict=False)))
        for name in ("duration", "latency"):
            value = getattr(record, name)
            if value is not None:
                one[f"{name}_sum"] += value
                one[f"{name}_{sum(bound < value for bound in BOUNDS)}"] += 1
        metadata = codec.decode(record.metadata or "{}")
        pairs = [(None, None), *((key, metadata[key]) for key in keys if key in metadata)]
        minute = record.created_at // MINUTE
        dimensions = [getattr(record, name) for name in DIMENSIONS]
        for key, value in pairs:
            for span in SPANS if key is None else (HOUR, DAY):
                place = (record.gateway, span, key, minute // span * span, value, *dimensions)
                made[place] = made.get(place, Counter()) + one
    return made


NUMBER = st.none() | st.integers(0, 2**40)
RECORDS = st.builds(
    a_record,
    gateway=st.integers(1, 3),
    created_at=st.integers(0, 3000).map(lambda minutes: NOON + minutes * MINUTE + 59_999),
    logged=st.booleans(),
    provider=st.sampled_from(["openai", "anthropic"]),
    model=st.sampled_from(["", "a", "b"]),
    status_code=st.sampled_from([0, 200, 429, 503]),
    outcome=st.sampled_from(["answered", "refused", "failed"]),
    success=st.booleans(),
    cached=st.booleans(),
    duration=st.sampled_from([0, *BOUNDS, 10**9]) | st.integers(0, 10**7),
    latency=st.none() | st.integers(0, 10**6),
    tokens_in=NUMBER,
    tokens_out=NUMBER,
    cost=NUMBER,
    cache_read=st.integers(0, 10**6),
    saved=st.none() | st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(0, 10**12)),
    metadata=st.sampled_from([None, '{"user":"u1"}', '{"user":"u2","team":"t"}', '{"team":"t"}']),
    rolled=st.just(("user",)),
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(batches=st.lists(st.lists(RECORDS, max_size=8), max_size=4))
def test_roll_ups_equal_a_plain_sum_of_the_calls(lasting: Sql, batches: list[list[LogRecord]]):
    for table in ("logs", "log_bodies", "log_zones", "log_rollups"):
        lasting.execute(f"DELETE FROM {table}")
    table = LogTable(lasting)
    for batch in batches:
        table.write(batch)
    calls = [record for batch in batches for record in batch]
    assert stored(lasting) == {place: +sums for place, sums in summed(calls, ["user"]).items()}
    logged = sum(record.logged for record in calls)
    assert lasting.execute("SELECT count(*) FROM logs") == [(logged,)]


def test_calls_to_addresses_that_exist_nowhere_are_not_rolled_up(connection: Sql):
    LogTable(connection).write([a_record(gateway=0), a_record(gateway=0, logged=False)])
    assert stored(connection) == {}


def values(connection: Sql) -> dict[str | None, int]:
    days: Counter[str | None] = Counter()
    for place, sums in stored(connection).items():
        if place[1:3] == (DAY, "user"):
            days[place[4]] += sums["calls"]
    return dict(days)


def test_beyond_so_many_values_a_day_of_a_key_the_rest_count_as_others(connection: Sql, monkeypatch):
    monkeypatch.setattr(rollups, "VALUES", 3)

    def calls(*users: object, day: int = 0) -> list[LogRecord]:
        at = NOON + day * 1440 * MINUTE
        metadata = [codec.encode({"user": user}).decode() for user in users]
        return [a_record(created_at=at, metadata=text, rolled=("user", "no")) for text in metadata]

    table = LogTable(connection)
    table.write(calls("a", "b", "a", 7))
    table.write(calls("c", "d", "b"))
    assert values(connection) == {"a": 2, "b": 2, "7": 1, OTHER: 2}
    LogTable(connection).write(calls("c", "a"))  # another writer knows which values the day has
    assert values(connection) == {"a": 3, "b": 2, "7": 1, OTHER: 3}
    table.write(calls("c", True, day=1))
    assert values(connection) == {"a": 3, "b": 2, "7": 1, OTHER: 3, "c": 1, "true": 1}
