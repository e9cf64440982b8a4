"""The law of the log's filters: a page is what a plain filter over all records gives."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.core import ids
from penstock.model.record import LogRecord
from penstock.storage.log_query import LogFilter, page
from penstock.storage.log_rows import LogReader
from penstock.storage.logs import LogTable
from penstock.storage.sql import SQLITE, Sql
from tests.kit.logsink import a_record

KINDS = st.sampled_from([None, "a", "a;b=c", "aa", "b"])
NAMES = st.sampled_from(["a", "b", "c"])
SMALL = st.none() | st.integers(0, 6)
RANGE = st.tuples(SMALL, SMALL)

FIELDS = st.fixed_dictionaries(
    {"provider": NAMES, "model": NAMES, "model_type": st.none() | NAMES, "success": st.booleans()}
    | {"request_content_type": KINDS, "response_content_type": KINDS}
    | {"cached": st.booleans(), "cost": SMALL, "duration": st.integers(0, 6), "tokens_in": SMALL, "tokens_out": SMALL}
)
MOMENTS = st.integers(0, 30)
RECORDS = st.lists(st.tuples(MOMENTS, FIELDS), max_size=60)
FILTERS = st.builds(
    LogFilter,
    provider=st.none() | NAMES,
    model=st.none() | NAMES,
    model_type=st.none() | NAMES,
    request_content_type=st.none() | NAMES,
    response_content_type=st.none() | NAMES,
    success=st.none() | st.booleans(),
    cached=st.none() | st.booleans(),
    since=st.none() | MOMENTS,
    until=st.none() | MOMENTS,
    **dict.fromkeys(("cost", "duration", "tokens_in", "tokens_out", "total_tokens"), st.just((None, None)) | RANGE),
)
DATES = st.builds(LogFilter, since=st.none() | MOMENTS, until=st.none() | MOMENTS)


def matches(where: LogFilter, record: LogRecord) -> bool:
    for name in ("provider", "model", "model_type", "success", "cached"):
        wanted = getattr(where, name)
        if wanted is not None and getattr(record, name) != wanted:
            return False
    for name in ("request_content_type", "response_content_type"):
        kind, wanted = getattr(record, name), getattr(where, name)
        if wanted is not None and (kind or "").partition(";")[0] != wanted:
            return False
    return within((where.since, where.until), record.created_at) and all(
        within(getattr(where, name), value) for name, value in numbers(record).items()
    )


def numbers(record: LogRecord) -> dict[str, int | None]:
    values: dict[str, Any] = {name: getattr(record, name) for name in ("cost", "duration", "tokens_in", "tokens_out")}
    into, out = record.tokens_in, record.tokens_out
    return values | {"total_tokens": None if into is None or out is None else into + out}


def within(limits: tuple[int | None, int | None], value: int | None) -> bool:
    least, most = limits
    if value is None:
        return least is None and most is None
    return (least is None or value >= least) and (most is None or value <= most)


def records_of(drawn: list[tuple[int, dict[str, Any]]]) -> list[LogRecord]:
    made: list[LogRecord] = []
    for number, (moment, fields) in enumerate(drawn):
        log_id = moment.to_bytes(6, "big") + number.to_bytes(10, "big")
        made.append(a_record(id=log_id, created_at=moment, **fields))
    return made


@pytest.fixture
def connection(lasting: Sql) -> Sql:
    return lasting


def emptied(connection: Sql) -> Sql:
    for table in ("logs", "log_bodies", "log_zones", "log_names"):
        connection.execute(f"DELETE FROM {table}")
    return connection


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    drawn=RECORDS,
    where=st.lists(FILTERS, min_size=1, max_size=4),
    batch=st.integers(1, 20),
    limit=st.integers(1, 9),
    ascending=st.booleans(),
)
def test_a_page_is_what_a_plain_filter_gives(
    connection: Sql,
    drawn: list[tuple[int, dict[str, Any]]],
    where: list[LogFilter],
    batch: int,
    limit: int,
    ascending: bool,
):
    records = records_of(drawn)
    write(connection, records, batch)
    records.sort(key=lambda record: record.id, reverse=not ascending)
    reader = LogReader(connection)
    for one in where:
        wanted = [ids.text(record.id) for record in records if matches(one, record)]
        for offset in (0, 3):
            rows = reader.list_rows(1, one, limit=limit, offset=offset, ascending=ascending)
            assert [row.id for row in rows] == wanted[offset : offset + limit]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=RECORDS, where=st.lists(FILTERS | DATES, min_size=1, max_size=4), batch=st.integers(1, 20))
def test_a_summary_is_that_of_all_rows_that_match(
    connection: Sql, drawn: list[tuple[int, dict[str, Any]]], where: list[LogFilter], batch: int
):
    records = records_of(drawn)
    write(connection, records, batch)
    for one in where:
        found = LogReader(connection).summary(1, one)
        matching = [numbers(record) for record in records if matches(one, record)]
        assert found.count == len(matching)
        for name, ends in found.ranges.items():
            values = [value for row in matching if (value := row[name]) is not None]
            assert ends == (min(values, default=None), max(values, default=None))


def write(connection: Sql, records: list[LogRecord], batch: int) -> None:
    table = LogTable(emptied(connection), zone_rows=5)
    for at in range(0, len(records), batch):
        table.write(records[at : at + batch])


STRAIGHT = ("Index Scan", "Index Scan Backward")
FILTERED: list[LogFilter] = [
    LogFilter(),
    LogFilter(model="a"),
    LogFilter(success=False),
    LogFilter(cached=True, since=5),
    LogFilter(cost=(1, None), until=9),
]


@pytest.mark.parametrize("where", FILTERED)
@pytest.mark.parametrize("ascending", [False, True])
def test_no_page_sorts_or_reads_a_whole_table(connection: Sql, where: LogFilter, ascending: bool):
    number_of: Callable[[str], int] = lambda _: 1  # noqa: E731
    sql, values = page(connection.dialect, 1, where, number_of, 50, 0, ascending=ascending)
    if connection.dialect is SQLITE:
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
        assert all(step.startswith("SEARCH") and "PRIMARY KEY" in step for step in steps), steps
        assert "id>? AND id<?" in steps[-1]
        return
    plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN (COSTS OFF) {sql}", values))
    steps = set(re.findall(r"^ *(?:->  )?([A-Z][A-Za-z ]+?)(?: on .*| using .*|)$", plan, re.MULTILINE))
    # The incremental kind sorts the rows of one zone at a time.
    assert steps <= {"Limit", "Incremental Sort", "Nested Loop", "Subquery Scan", *STRAIGHT}, plan
    assert set(re.findall(r"using (\w+)", plan)) <= {"logs_pkey", "log_zones_pkey", "log_names_name"}, plan
