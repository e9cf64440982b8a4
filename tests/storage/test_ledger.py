import asyncio
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.core import ids
from penstock.storage import ledger, opening
from penstock.storage.engine import Database, within
from penstock.storage.ledger import BOOKS, HOUR, Entry
from penstock.storage.sql import SQLITE, Sql
from tests.kit.logsink import ACCOUNT, a_record

OTHER = "f" * 32
AT = 1_700_000_000_000


def a_topup(amount: int = 500, **fields: Any) -> Entry:
    lines = (("credit", amount), ("payments", -amount))
    return Entry(ids.new(), ACCOUNT, "topup", AT, None, None, lines)._replace(**fields)


def a_charge(amount: int, at: int = AT) -> Entry:
    entry = ledger.of_call(a_record(created_at=at, charge=(ACCOUNT, amount)))
    assert entry is not None
    return entry


class _Explained:
    """In place of a connection: how SQLite would answer."""

    def __init__(self, connection: Sql) -> None:
        self.connection = connection
        self.plan = ""

    def execute(self, sql: str, values: Any = ()) -> list[Any]:
        self.plan = str(self.connection.execute(f"EXPLAIN QUERY PLAN {sql}", values))
        return []


def stored(connection: Sql) -> dict[tuple[str, str], int]:
    """Sums of the lines themselves."""
    rows = connection.execute("SELECT account, book, sum(amount) FROM ledger GROUP BY account, book")
    return {(account, book): int(amount) for account, book, amount in rows}


def test_an_entry_counts_in_its_books(connection: Sql):
    with connection.transaction():
        ledger.post(connection, [a_topup(500), a_charge(120)])
    books = ledger.balances(connection, ACCOUNT)
    assert books == dict.fromkeys(BOOKS, 0) | {"credit": 380, "payments": -500, "usage": 120}
    assert ledger.credited(books) == 500
    assert set(ledger.balances(connection, OTHER).values()) == {0}


def test_the_same_id_twice_changes_nothing(connection: Sql):
    first, second = a_topup(), a_topup()
    with connection.transaction():
        assert ledger.post(connection, [first, first]) == [first]
    with connection.transaction():
        assert ledger.post(connection, [first._replace(note="again"), second]) == [second]
    assert ledger.balances(connection, ACCOUNT)["credit"] == 1000


def test_accounts_are_kept_apart(connection: Sql):
    mine = a_topup()
    with connection.transaction():
        assert len(ledger.post(connection, [mine, mine._replace(account=OTHER)])) == 2
    assert ledger.balances(connection, OTHER)["credit"] == 500


@pytest.mark.parametrize(
    "faulty",
    [
        {"lines": (("credit", 5), ("payments", -4))},
        {"lines": (("credit", 5), ("pocket", -5))},
        {"lines": (("credit", 5), ("credit", -5))},
        {"kind": "gift"},
    ],
)
def test_a_faulty_entry_is_refused_and_nothing_is_posted(connection: Sql, faulty: dict[str, Any]):
    with pytest.raises(ValueError, match="an entry"), connection.transaction():
        ledger.post(connection, [a_topup(), a_topup(**faulty)])
    assert stored(connection) == {}


def test_the_newest_entries_of_some_kinds_are_found_by_their_index_among_many_calls(connection: Sql):
    topups = [a_topup(amount) for amount in (1, 2, 3)]
    grant = a_topup(4, kind="grant", at=AT + 5)
    calls = [a_charge(number + 1) for number in range(30)]
    with connection.transaction():
        ledger.post(connection, [*topups, grant, *calls])
    assert ledger.page(connection, ACCOUNT, 3, kinds=("topup", "grant")) == [grant, topups[2], topups[1]]
    assert ledger.page(connection, ACCOUNT, 9, kinds=("topup", "grant"), times=(AT, AT + 5)) == topups[::-1]
    assert {entry.kind for entry in ledger.page(connection, ACCOUNT, 99)} == {"topup", "grant", "call"}
    if connection.dialect is SQLITE:  # which chooses it for what it covers
        asked: Any = _Explained(connection)
        ledger.page(asked, ACCOUNT, 3, kinds=("topup", "grant"))
        assert asked.plan.count("COVERING INDEX ledger_kind (account=? AND kind=?)") == 2


def test_hours_are_those_in_which_calls_began(connection: Sql):
    hour = AT - AT % HOUR
    with connection.transaction():
        ledger.post(connection, [a_charge(1, hour), a_charge(2, hour + HOUR - 1), a_charge(4, hour + HOUR)])
    assert ledger.hours(connection, ACCOUNT, "usage", hour, hour + 9 * HOUR) == [(hour, 3), (hour + HOUR, 4)]
    assert ledger.hours(connection, ACCOUNT, "usage", hour + 1, hour + HOUR + 1) == [(hour + HOUR, 4)]


def test_a_call_that_is_charged_nothing_has_no_entry():
    assert ledger.of_call(a_record()) is None
    assert ledger.of_call(a_record(charge=(ACCOUNT, 0))) is None


async def test_the_api_posts_in_its_own_transactions(url: str):
    database, entry = Database(url), a_topup(note="by hand", reference="in_1")
    try:
        for _ in range(3):
            async with database.writing() as handle:
                await within(handle, lambda sql: ledger.post(sql, [entry]))
        with pytest.raises(ZeroDivisionError):
            async with database.writing() as handle:
                await within(handle, lambda sql: ledger.post(sql, [a_topup()]))
                raise ZeroDivisionError
        async with database.reading() as handle:
            books = await within(handle, lambda sql: ledger.balances(sql, ACCOUNT))
    finally:
        await database.close()
    assert (books["credit"], books["payments"]) == (500, -500)
    with closing(opening.connect(url)) as connection:
        assert connection.execute("SELECT DISTINCT note, reference FROM ledger") == [("by hand", "in_1")]


async def test_a_webhook_that_comes_thrice_at_once_credits_once(shared: str):
    databases, entry = [Database(shared) for _ in range(3)], a_topup()

    async def post(database: Database) -> int:
        async with database.writing() as handle:
            return len(await within(handle, lambda sql: ledger.post(sql, [entry])))

    try:
        assert sorted(await asyncio.gather(*map(post, databases))) == [0, 0, 1]
    finally:
        for database in databases:
            await database.close()


AMOUNTS = st.integers(-(10**15), 10**15)
ENTRIES = st.lists(
    st.builds(
        lambda number, account, hour, parts: Entry(
            number.to_bytes(16, "big"),
            account,
            "adjustment",
            AT + hour * HOUR,
            None,
            None,
            (("credit", -sum(parts)), *zip(BOOKS[1:], parts, strict=False)),
        ),
        st.integers(0, 30),
        st.sampled_from([ACCOUNT, OTHER]),
        st.integers(0, 3),
        st.lists(AMOUNTS, max_size=5),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(ENTRIES, max_size=4))
def test_whatever_is_posted_balances_are_the_sums_of_lines_and_come_to_0(lasting: Sql, batches: list[list[Entry]]):
    for batch in batches:
        with lasting.transaction():
            ledger.post(lasting, batch)
    sums = stored(lasting)
    for account in (ACCOUNT, OTHER):
        books = ledger.balances(lasting, account)
        assert books == {book: sums.get((account, book), 0) for book in BOOKS}
        assert sum(books.values()) == 0
        for book in BOOKS:
            assert sum(amount for _, amount in ledger.hours(lasting, account, book, 0, 2**50)) == books[book]
