"""What was spent of each budget, in the buckets of its window (``model.money``); written with the log.

Reservations are counted in memory or in Redis; this is what they begin from at a start.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from penstock.model.money import Budget
from penstock.model.record import LogRecord
from penstock.model.spending import CREDIT
from penstock.storage.ledger import USAGE, WHOLE
from penstock.storage.log.names import stored
from penstock.storage.sql import Sql, Statements

LATE = 3600 * 1000  # milliseconds that an ended bucket stays: calls that ended within it may still be written
ROWS = 1000  # that are taken out at once

_ADD = (
    "INSERT INTO spent (owner, start, ends, amount) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (owner, start) DO UPDATE SET amount = spent.amount + excluded.amount"
)
_ROWS = (
    "SELECT owner, start, ends, amount FROM spent WHERE ends = 0 OR ends > ?"
    " UNION ALL SELECT ? || a.id, 0, 0, b.amount FROM accounts a JOIN ledger_balances b"
    " ON b.account = a.id AND b.book = ? AND b.start = ?"
)
_BEGINS = "owner >= ? AND owner < ? AND start >= ?"
_OLD = "SELECT owner, start FROM spent WHERE ends > 0 AND ends < ? ORDER BY ends LIMIT ?"


class Spent(NamedTuple):
    """Nano-dollars of a budget in one bucket, which counts until ``ends`` (0: for ever)."""

    owner: str
    start: int
    ends: int
    amount: int


def add(connection: Statements, records: Iterable[LogRecord]) -> None:
    """Counts in what calls have spent, in the transaction that writes them."""
    sums: Counter[tuple[str, int, int]] = Counter()
    for record in records:
        for owner, start, ends, amount in record.spends:
            if amount and not owner.startswith(CREDIT):
                sums[stored(owner), start, ends] += amount
    if sums:  # in one order for every writer, so that none waits in a circle
        connection.executemany(_ADD, [(*bucket, amount) for bucket, amount in sorted(sums.items())])


def rows(connection: Statements, now: int) -> list[Spent]:
    """The buckets that still count, and under ``credit:{account}`` all that an account was ever charged."""
    return [Spent(*row) for row in connection.execute(_ROWS, (now, CREDIT, USAGE, WHOLE))]


def counted(connection: Statements, budgets: Iterable[Budget], now: int) -> dict[str, int]:
    """What was spent of each within its window, by owner, as far as it is written."""
    sql = "SELECT COALESCE(SUM(amount), 0) FROM spent WHERE owner = ? AND start >= ?"
    found = {budget.owner: connection.execute(sql, (budget.owner, budget.window.oldest(now))) for budget in budgets}
    return {owner: int(amount) for owner, ((amount,),) in found.items()}


def owners(connection: Statements, prefix: str, since: int, limit: int, offset: int) -> list[str]:
    """Those that begin so and of which something was spent in a bucket from ``since`` on; in order, a page of them."""
    sql = f"SELECT DISTINCT owner FROM spent WHERE {_BEGINS} ORDER BY owner LIMIT ? OFFSET ?"  # noqa: S608
    return [owner for (owner,) in connection.execute(sql, (*_range(prefix), since, limit, offset))]


def count_owners(connection: Statements, prefix: str, since: int) -> int:
    """How many there are."""
    sql = f"SELECT COUNT(DISTINCT owner) FROM spent WHERE {_BEGINS}"  # noqa: S608
    ((count,),) = connection.execute(sql, (*_range(prefix), since))
    return int(count)


def most_spent(connection: Statements, owner: str, since: int, least: int, limit: int) -> list[tuple[str, int]]:
    """The owner and those that begin with it and a colon: of which so much was spent or more, the most first."""
    sql = (
        "SELECT owner, SUM(amount) FROM spent WHERE (owner = ? OR (owner >= ? AND owner < ?)) AND start >= ?"
        " GROUP BY owner HAVING SUM(amount) >= ? ORDER BY SUM(amount) DESC, owner LIMIT ?"
    )
    values = (owner, *_range(f"{owner}:"), since, least, limit)
    return [(name, int(amount)) for name, amount in connection.execute(sql, values)]


def _range(prefix: str) -> tuple[str, str]:
    """From the first owner that begins so on, and before the first that no longer does."""
    return prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)


def expire(connection: Sql, now: int) -> Iterator[None]:
    """Takes out the buckets that have ended, a bounded number at each step."""
    sql = f"DELETE FROM spent WHERE (owner, start) IN ({_OLD}) RETURNING start"  # noqa: S608
    while True:
        with connection.transaction():
            if len(connection.execute(sql, (now - LATE, ROWS))) < ROWS:
                return
        yield
