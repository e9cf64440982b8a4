"""The ledger: what accounts have paid, were given and were charged. Double entry; nothing in it is ever changed.

An entry has lines, each an amount in a book of the account, which come to 0 together. ``credit`` is what the customer
has left: what he pays and is given raises it, a charge lowers it. Every other book is the other side of that: ``usage``
is above 0 (what calls were charged), ``payments``, ``grants`` and ``adjustments`` are below 0 (what came in by them),
``tax`` is above 0 (what invoices added for the tax office). So all books of an account come to 0, too.

``ledger_balances`` has the sum of each book, in all and by hour (UTC), written in the transaction of the lines.
All amounts are nano-dollars. In a transaction of the API's database: ``storage.engine.within``.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from penstock.model.record import LogRecord
from penstock.storage.sql import Row, Statements, filled, marks

CREDIT, USAGE, PAYMENTS, GRANTS, ADJUSTMENTS, TAX = "credit", "usage", "payments", "grants", "adjustments", "tax"
BOOKS = (CREDIT, USAGE, PAYMENTS, GRANTS, ADJUSTMENTS, TAX)
CALL, TOPUP, GRANT, ADJUSTMENT, REFUND = "call", "topup", "grant", "adjustment", "refund"
KINDS = (CALL, TOPUP, GRANT, ADJUSTMENT, REFUND, TAX)
HOUR = 3600 * 1000  # milliseconds
WHOLE = -1  # in place of an hour: all of them
EVER = (0, 2**63 - 1)  # milliseconds since the epoch

_ASKED = 500  # ids of one question
_COLUMNS = ("account", "id", "book", "amount", "kind", "at", "note", "reference")
_ADD = (
    "INSERT INTO ledger_balances (account, book, start, amount) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (account, book, start) DO UPDATE SET amount = ledger_balances.amount + excluded.amount"
)


class Entry(NamedTuple):
    """``id``: 16 bytes of a UUIDv7; of a call, that of its row. ``at``: milliseconds since the epoch.

    ``lines``: books, each once, and amounts. ``reference``: what it is about: of a call, the number of its gateway; of
    a payment, what its method calls it.
    """

    id: bytes
    account: str
    kind: str
    at: int
    note: str | None
    reference: str | None
    lines: tuple[tuple[str, int], ...]


def of_call(record: LogRecord) -> Entry | None:
    """What a call is charged; None: nothing. It belongs to the hour in which it began, as in the roll-ups."""
    account, amount = record.charge or ("", 0)
    if not amount:
        return None
    lines = ((CREDIT, -amount), (USAGE, amount))
    return Entry(record.id, account, CALL, record.created_at, None, str(record.gateway), lines)


def post(connection: Statements, entries: Iterable[Entry]) -> list[Entry]:
    """Adds entries within a transaction; returns those that were not there yet. Raises ValueError for a faulty one."""
    given: dict[str, dict[bytes, Entry]] = {}
    for entry in entries:
        _check(entry)
        given.setdefault(entry.account, {})[entry.id] = entry
    new: list[Entry] = []
    for account, mine in given.items():
        there = _known(connection, account, list(mine))
        new += [entry for entry in mine.values() if entry.id not in there]
    if not new:
        return []
    connection.insert("ledger", _COLUMNS, [row for entry in new for row in _rows(entry)])
    sums: Counter[tuple[str, str, int]] = Counter()
    for entry in new:
        for book, amount in entry.lines:
            sums[entry.account, book, WHOLE] += amount
            sums[entry.account, book, entry.at - entry.at % HOUR] += amount
    # in one order for every writer, so that none waits in a circle
    connection.executemany(_ADD, [(*place, amount) for place, amount in sorted(sums.items())])
    return new


def balances(connection: Statements, account: str) -> dict[str, int]:
    """What is in each book of an account."""
    sql = "SELECT book, amount FROM ledger_balances WHERE account = ? AND start = ?"
    return dict.fromkeys(BOOKS, 0) | dict(connection.execute(sql, (account, WHOLE)))


def credited(books: dict[str, int]) -> int:
    """What came in in all: what an account may use before its credit is gone."""
    return books[CREDIT] + books[USAGE]


def all_credited(connection: Statements) -> dict[str, int]:
    """``credited`` of every account that has entries."""
    sql = (
        "SELECT a.id, SUM(b.amount) FROM accounts a JOIN ledger_balances b"
        " ON b.account = a.id AND b.book IN (?, ?) AND b.start = ? GROUP BY a.id"
    )
    return {account: int(amount) for account, amount in connection.execute(sql, (CREDIT, USAGE, WHOLE))}


def hours(connection: Statements, account: str, book: str, since: int, until: int) -> list[tuple[int, int]]:
    """What came into a book in each hour that began from ``since`` on, before ``until``; hours without are left out."""
    sql = "SELECT start, amount FROM ledger_balances WHERE account = ? AND book = ? AND start >= ? AND start < ?"
    return [
        (start, amount) for start, amount in connection.execute(f"{sql} ORDER BY start", (account, book, since, until))
    ]


def page(
    connection: Statements,
    account: str,
    most: int,
    *,
    kinds: Sequence[str] = KINDS,
    times: tuple[int, int] = EVER,
) -> list[Entry]:
    """The newest entries of some kinds and of a time, from its first millisecond to before its second."""
    wanted, values = "SELECT DISTINCT id FROM ledger WHERE account = ?", list[Any]([account])
    if times != EVER:
        wanted, values = f"{wanted} AND at >= ? AND at < ?", [*values, *times]
    if CALL not in kinds:
        # The few entries among many calls have an index, which is taken for one kind at a time; named as it says it.
        one = f"SELECT id FROM ({wanted} AND kind = ? AND kind <> 'call' ORDER BY id DESC LIMIT ?) AS newest"  # noqa: S608
        wanted = f"SELECT id FROM ({' UNION ALL '.join([one] * len(kinds))}) AS entries"  # noqa: S608
        values = [value for kind in kinds for value in (*values, kind, most)]
    elif set(kinds) != set(KINDS):
        wanted, values = f"{wanted} AND kind IN {marks(len(kinds))}", [*values, *kinds]
    sql = f"SELECT id, kind, at, note, reference, book, amount FROM ledger WHERE account = ? AND id IN ({wanted}"  # noqa: S608
    found: dict[bytes, Entry] = {}
    for log_id, kind, at, note, reference, book, amount in connection.execute(
        f"{sql} ORDER BY id DESC LIMIT ?) ORDER BY id DESC, amount DESC, book", [account, *values, most]
    ):
        entry = found.get(key := bytes(log_id)) or Entry(key, account, kind, at, note, reference, ())
        found[key] = entry._replace(lines=(*entry.lines, (book, amount)))
    return list(found.values())


def _check(entry: Entry) -> None:
    books = [book for book, _ in entry.lines]
    if sum(amount for _, amount in entry.lines) != 0:
        raise ValueError(f"an entry whose lines do not come to 0: {entry}")
    if entry.kind not in KINDS or not set(books) <= set(BOOKS) or len(books) != len(set(books)):
        raise ValueError(f"an entry with an unknown kind or book, or a book twice: {entry}")


def _known(connection: Statements, account: str, ids: list[bytes]) -> set[bytes]:
    """Those of the entries that are there."""
    found: set[bytes] = set()
    for at in range(0, len(ids), _ASKED):
        some = filled(ids[at : at + _ASKED])
        sql = f"SELECT DISTINCT id FROM ledger WHERE account = ? AND id IN {marks(len(some))}"  # noqa: S608
        found.update(bytes(entry) for (entry,) in connection.execute(sql, [account, *some]))
    return found


def _rows(entry: Entry) -> list[Row]:
    about = (entry.kind, entry.at, entry.note, entry.reference)
    return [(entry.account, entry.id, book, amount, *about) for book, amount in entry.lines]
