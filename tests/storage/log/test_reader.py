"""The law of the log's filters: a page is what a plain filter over all records gives."""

import json
import re
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.core import ids
from penstock.core.codec import encode
from penstock.model.record import LogRecord
from penstock.storage.log.columns import BY_KEY, BY_NAME, COLUMNS, ID, ORDERS, RANGED, TOTAL, Column
from penstock.storage.log.filters import OPERATORS, Filter, Test
from penstock.storage.log.listing import Asked
from penstock.storage.log.query import by_time, conditions, span
from penstock.storage.log.reader import LogReader
from penstock.storage.log.table import LogTable
from penstock.storage.sql import SQLITE, Sql
from tests.kit.logsink import a_record

KINDS = st.sampled_from([None, "a", "a;b=c", "aa", "b"])
NAMES = st.sampled_from(["a", "b", "B%", "c_", "é"])
SMALL = st.none() | st.integers(-1, 6)

OF_KIND: dict[str, st.SearchStrategy[Any]] = {
    "flag": st.booleans(),
    "small": st.integers(-1, 6),
    "number": st.integers(-1, 6),
    "word": NAMES,
    "media": KINDS.filter(lambda kind: kind is not None),
    "text": NAMES,
    "id": NAMES,
    "moment": SMALL,
}
DRAWN = [column for column in COLUMNS if column.name not in ("created_at", "metadata", "charge") and not column.later]
LONG = "Long" * 100
KEYS = st.sampled_from(["a", "b", 'q"$.', "é", "key", "\0"])
ENTRY = st.sampled_from(["a", "B%", "aa", "3", "", LONG, "\0", 3, 2.5, -1, True, False])
METADATA = st.none() | st.dictionaries(KEYS, ENTRY, min_size=1, max_size=3)
FIELDS = st.fixed_dictionaries(
    {c.name: st.none() | OF_KIND[c.kind] if c.null else OF_KIND[c.kind] for c in DRAWN}
    | {"metadata": METADATA.map(lambda entries: entries and encode(entries).decode())}
)
MOMENTS = st.integers(0, 30)
RECORDS = st.lists(st.tuples(MOMENTS, FIELDS), max_size=60)


def some_test(column: Column) -> st.SearchStrategy[Test]:
    of_kind = OF_KIND[column.kind] | OWN if column.kind == "id" else OF_KIND[column.kind]
    values = st.lists(of_kind | st.none(), min_size=1, max_size=3).map(tuple)
    return st.builds(Test, st.just(column.name), st.sampled_from(OPERATORS[column.kind]), values)


OWN = st.builds(lambda moment, number: ids.text(log_id(moment, number)), st.integers(0, 30), st.integers(0, 9))
WANTED = st.sampled_from(["a", "b", "AA", "3", "2.5", "1e0", "true", "", "\0", LONG, LONG[1:], "long"])
OF_METADATA = st.builds(
    Test,
    st.sampled_from(["key", "value", "a", "b", 'q"$.', "nobody"]).map(lambda key: f"metadata.{key}"),
    st.sampled_from(OPERATORS["text"]),
    st.lists(WANTED | st.none(), min_size=1, max_size=3).map(tuple),
)
TESTS = st.sampled_from([*BY_KEY.values()]).flatmap(some_test) | OF_METADATA
ENDS = {"since": st.none() | MOMENTS, "until": st.none() | MOMENTS}
FILTERS = st.builds(Filter, st.lists(TESTS, max_size=3).map(tuple), **ENDS)
DATES = st.builds(Filter, **ENDS)


def matches(where: Filter, record: LogRecord) -> bool:
    moment = record.created_at
    inside = (where.since is None or moment >= where.since) and (where.until is None or moment <= where.until)
    return inside and all(holds(test, record) for test in where.tests)


def holds(test: Test, record: LogRecord) -> bool:
    if test.column.startswith("metadata."):
        found = entry_fits(test, json.loads(record.metadata or "{}"))
        return not found if test.operator == "neq" else found
    column = BY_NAME[test.column]
    value = value_of(record, column)
    found = [fits(column, "eq" if test.operator == "neq" else test.operator, value, wanted) for wanted in test.values]
    return not any(found) if test.operator == "neq" else any(found)


def value_of(record: LogRecord, column: Column) -> Any:
    if column is TOTAL:
        return numbers(record)[TOTAL.name]
    return ids.text(record.id) if column is ID else getattr(record, column.name, None)


def entry_fits(test: Test, entries: dict[str, Any]) -> bool:
    name = test.column.removeprefix("metadata.")
    if name == "key":
        entries = {key: key for key in entries}
    elif name != "value":
        entries = {key: value for key, value in entries.items() if key == name}
    operator = "eq" if test.operator == "neq" else test.operator
    if operator == "eq" and None in test.values and not entries:
        return True
    return any(
        one_fits(operator, value, wanted) for value in entries.values() for wanted in test.values if wanted is not None
    )


def one_fits(operator: str, value: Any, wanted: Any) -> bool:
    """A number is less or greater than numbers alone, and so is what looks like one."""
    text = (value if isinstance(value, str) else json.dumps(value)).replace("\0", "\ufffd")
    if operator in ("eq", "contains"):
        wanted = wanted.replace("\0", "\ufffd")
        return text == wanted if operator == "eq" else wanted.lower() in text.lower()
    if wanted in ("3", "2.5", "1e0"):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and fits(TOTAL, operator, value, float(wanted))
    return fits(BY_NAME["path"], operator, text, wanted.replace("\0", "\ufffd"))


def fits(column: Column, operator: str, value: Any, wanted: Any) -> bool:
    if value is None or wanted is None:
        return operator == "eq" and value is wanted
    if operator == "eq":
        return value == wanted or (column.kind == "media" and value.partition(";")[0] == wanted)
    if operator == "contains":
        return wanted.replace("B", "b") in value.replace("B", "b")
    return {"lt": value < wanted, "gt": value > wanted, "lte": value <= wanted, "gte": value >= wanted}[operator]


def numbers(record: LogRecord) -> dict[str, int | None]:
    values: dict[str, Any] = {c.name: getattr(record, c.name, None) for c in RANGED if c is not TOTAL}
    into, out = record.tokens_in, record.tokens_out
    return values | {TOTAL.name: None if into is None or out is None else into + out}


def records_of(drawn: list[tuple[int, dict[str, Any]]]) -> list[LogRecord]:
    made: list[LogRecord] = []
    for number, (moment, fields) in enumerate(drawn):
        own = log_id(moment, number)
        event = fields["event_id"] or ids.text(own)
        made.append(a_record(id=own, created_at=moment, **{**fields, "event_id": event}))
    return made


def log_id(moment: int, number: int) -> bytes:
    return moment.to_bytes(6, "big") + number.to_bytes(10, "big")


# By which a list is found: small figures lead the few rows of a test the way that many rows go.
WAYS: list[dict[str, int]] = [{}, {"few.FEW": 0, "listing._SKIPPED": 0, "walk.ZONES": 1, "order._FIRST": 1}]


@contextmanager
def by_way(figures: dict[str, int]) -> Generator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in figures.items():
            patch.setattr(f"penstock.storage.log.{name}", value)
        yield


@pytest.fixture
def connection(lasting: Sql) -> Sql:
    return lasting


def emptied(connection: Sql) -> Sql:
    for table in ("logs", "log_bodies", "log_zones", "log_metadata", "log_names"):
        connection.execute(f"DELETE FROM {table}")
    return connection


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    drawn=RECORDS,
    where=st.lists(FILTERS, min_size=1, max_size=4),
    batch=st.integers(1, 20),
    limit=st.integers(1, 9),
    ascending=st.booleans(),
    order=st.sampled_from([*ORDERS]),
    way=st.sampled_from(WAYS),
)
def test_a_page_is_what_a_plain_filter_gives(
    connection: Sql,
    drawn: list[tuple[int, dict[str, Any]]],
    where: list[Filter],
    batch: int,
    limit: int,
    ascending: bool,
    order: str,
    way: dict[str, int],
):
    records = records_of(drawn)
    write(connection, records, batch)
    column = ORDERS[order]
    known = [record for record in records if value_of(record, column) is not None]
    known.sort(key=lambda record: (value_of(record, column), record.id), reverse=not ascending)
    unknown = [record for record in records if value_of(record, column) is None]
    records = known + sorted(unknown, key=lambda record: record.id, reverse=not ascending)
    reader = LogReader(connection)
    with by_way(way):
        for one in where:
            wanted = [ids.text(record.id) for record in records if matches(one, record)]
            for offset in (0, 3):
                rows = reader.list_rows(1, one, limit=limit, offset=offset, ascending=ascending, order=order)
                assert [row.id for row in rows] == wanted[offset : offset + limit]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    drawn=RECORDS,
    where=FILTERS,
    batch=st.integers(1, 20),
    limit=st.integers(1, 9),
    ascending=st.booleans(),
    way=st.sampled_from(WAYS),
    seconds=st.sampled_from([-1.0, float("inf")]),
)
def test_each_page_goes_on_where_the_one_before_ended_or_stopped(
    connection: Sql,
    drawn: list[tuple[int, dict[str, Any]]],
    where: Filter,
    batch: int,
    limit: int,
    ascending: bool,
    way: dict[str, int],
    seconds: float,
):
    records = records_of(drawn)
    write(connection, records, batch)
    records.sort(key=lambda record: record.id, reverse=not ascending)
    reader, shown, asked = LogReader(connection), list[str](), Asked(where, limit=limit, ascending=ascending)
    with by_way(way):
        while True:
            found = reader.page(1, asked, until=time.monotonic() + seconds)
            shown += [row.id for row in found.rows]
            if found.more is None:
                break
            assert found.stopped or len(found.rows) == limit
            asked = msgspec.structs.replace(asked, beyond=found.more)
    assert shown == [ids.text(record.id) for record in records if matches(where, record)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    drawn=RECORDS,
    where=st.lists(FILTERS | DATES, min_size=1, max_size=4),
    batch=st.integers(1, 20),
    way=st.sampled_from(WAYS),
)
def test_a_summary_is_that_of_all_rows_that_match(
    connection: Sql, drawn: list[tuple[int, dict[str, Any]]], where: list[Filter], batch: int, way: dict[str, int]
):
    records = records_of(drawn)
    write(connection, records, batch)
    for one in where:
        with by_way(way):
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


STRAIGHT = ("Index Scan", "Index Scan Backward", "Index Only Scan", "Index Only Scan Backward")
FILTERED: list[Filter] = [
    Filter(),
    Filter((Test("model", "eq", ("a",)),)),
    Filter((Test("success", "eq", (False,)),)),
    Filter((Test("cached", "eq", (True,)),), since=5),
    Filter((Test("cost", "gte", (1,)),), until=9),
    Filter((Test("metadata.user", "eq", ("a", "b")),)),
]


@pytest.mark.parametrize("where", FILTERED)
@pytest.mark.parametrize("ascending", [False, True])
def test_no_page_sorts_or_reads_a_whole_table(connection: Sql, where: Filter, ascending: bool):
    tests = conditions(where, connection.dialect, lambda _, __: [1])
    sql, values = by_time(connection.dialect, "l.id", 1, tests, span(where), ascending=ascending)
    sql, values = f"{sql} LIMIT ?", [*values, 50]
    if connection.dialect is SQLITE:
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
        looked = [step for step in steps if not step.startswith("CORRELATED")]
        assert all(step.startswith("SEARCH") and "PRIMARY KEY" in step for step in looked), steps
        assert "id>? AND id<?" in looked[1]
        return
    plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN (COSTS OFF) {sql}", values))
    steps = set(re.findall(r"^ *(?:->  )?([A-Z][A-Za-z ]+?)(?: on .*| using .*|)$", plan, re.MULTILINE))
    # The incremental kind sorts the rows of one zone at a time.
    assert steps <= {*STRAIGHT, "Limit", "Incremental Sort", "Nested Loop", "Subquery Scan", "Filter", "SubPlan"}, plan
    indexes = {f"{name}_pkey" for name in ("logs", "log_zones", "log_metadata")} | {"log_names_name"}
    assert set(re.findall(r"using (\w+)", plan)) <= indexes, plan
    assert not re.search(r"Filter: .*value = ", plan), plan  # else each line of a key would be compared
