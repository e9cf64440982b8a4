"""Proofs that the ledger, its balances, the log and its roll-ups agree, and that nothing waits for ever.

Each proof counts what it looked at, and tells what differs. All are of one state of the database.
"""

from collections.abc import Iterator
from typing import NamedTuple

from penstock.core import ids
from penstock.model.money import CENT, dollars
from penstock.storage.ledger import HOUR, WHOLE
from penstock.storage.log.drafts import QUIET
from penstock.storage.log.measures import DAY
from penstock.storage.log.measures import WHOLE as ANY_VALUE
from penstock.storage.sql import Row, Sql

# ruff: noqa: S608  numbers and texts of ours

SHOWN = 20  # differences of one proof
_MINUTE = 60_000  # milliseconds

_UNBALANCED = "SELECT account, id, SUM(amount) FROM ledger GROUP BY account, id HAVING SUM(amount) <> 0"
_BALANCES = (
    "SELECT account, book, start, SUM(amount) FROM ("
    "SELECT account, book, start, amount FROM ledger_balances"
    f" UNION ALL SELECT account, book, at - at % {HOUR}, -amount FROM ledger"
    f" UNION ALL SELECT account, book, {WHOLE}, -amount FROM ledger"
    ") t GROUP BY account, book, start HAVING SUM(amount) <> 0"
)
_OF_ROW = "e.account = g.account AND e.id = l.id AND e.book = 'usage'"
_ROWS = (
    "SELECT g.account, l.id, COALESCE(l.charge, 0), COALESCE(e.amount, 0) FROM logs l JOIN gateways g"
    f" ON g.number = l.gateway LEFT JOIN ledger e ON {_OF_ROW} WHERE COALESCE(l.charge, 0) <> COALESCE(e.amount, 0)"
)
_CHARGED = "SELECT COUNT(*), SUM(charge) FROM logs WHERE charge IS NOT NULL"
_ROLLED = (
    "SELECT gateway, start, SUM(charge) AS charge FROM log_rollups"
    f" WHERE span = {DAY} AND key = {ANY_VALUE} GROUP BY gateway, start"
)
_POSTED = (
    f"SELECT CAST(reference AS INTEGER) AS gateway, (at / {_MINUTE} / {DAY}) * {DAY} AS start, SUM(amount) AS amount"
    " FROM ledger WHERE kind = 'call' AND book = 'usage' GROUP BY 1, 2"
)
_DAYS = (
    f"SELECT r.gateway, r.start, r.charge, COALESCE(e.amount, 0) FROM ({_ROLLED}) r LEFT JOIN ({_POSTED}) e"
    " ON e.gateway = r.gateway AND e.start = r.start WHERE r.charge <> COALESCE(e.amount, 0)"
)
_BILLED = (
    "SELECT account, SUM(amount) FROM ("
    f"SELECT account, amount FROM ledger_balances WHERE book = 'usage' AND start = {WHOLE}"
    " UNION ALL SELECT account, -amount FROM charged_usage) t GROUP BY account HAVING SUM(amount) <> 0"
)
_PAID = (
    "SELECT account, id, SUM(paid), SUM(posted) FROM ("
    f"SELECT account, id, paid * {CENT} AS paid, 0 AS posted FROM topups"
    " UNION ALL SELECT account, id, 0, -amount FROM ledger WHERE kind = 'topup' AND book = 'payments'"
    ") t GROUP BY account, id HAVING SUM(paid) <> SUM(posted)"
)
_SPENT = "SELECT owner, start, amount FROM spent WHERE amount < 0"
_DRAFTS = "SELECT id, at FROM log_drafts WHERE record IS NOT NULL AND at < ?"


class Proof(NamedTuple):
    """``figure``: what was looked at. ``faults``: what differs, the first of them; none: nothing."""

    claim: str
    figure: str
    faults: list[str]


def proofs(connection: Sql, longest: int, now: int) -> Iterator[Proof]:
    """All of them. ``longest``: milliseconds that a call may take. Raises StoreUnavailable."""
    with connection.view():
        ((entries, lines),) = connection.execute(
            "SELECT COUNT(*), COALESCE(SUM(n), 0) FROM (SELECT COUNT(*) AS n FROM ledger GROUP BY account, id) t"
        )
        found = [f"entry {_id(row[1])} comes to {dollars(int(row[2]))}" for row in _some(connection, _UNBALANCED)]
        yield Proof("every entry comes to 0", f"{entries:,} entries with {int(lines):,} lines", found)
        sums = connection.execute(f"SELECT COUNT(*) FROM ledger_balances WHERE start = {WHOLE}")
        found = [
            f"{book} of account {account}, {_hour(start)}: {dollars(int(amount))} too much"
            for account, book, start, amount in _some(connection, _BALANCES)
        ]
        yield Proof("balances are the sums of lines, in all and by hour", f"{sums[0][0]:,} books", found)
        ((rows, amount),) = connection.execute(_CHARGED)
        found = [
            f"row {_id(row)}: charged {dollars(charge)}, entry {dollars(posted)}"
            for _, row, charge, posted in _some(connection, _ROWS)
        ]
        yield Proof(
            "rows of the log are charged as posted", f"{rows:,} charged rows, {dollars(int(amount or 0))}", found
        )
        ((days, amount),) = connection.execute(f"SELECT COUNT(*), SUM(charge) FROM ({_ROLLED}) r")
        found = [
            f"gateway {gateway}, day {start // DAY}: rolled up {dollars(int(charge))}, posted {dollars(int(posted))}"
            for gateway, start, charge, posted in _some(connection, _DAYS)
        ]
        yield Proof("roll-ups are what was posted", f"{days:,} days of gateways, {dollars(int(amount or 0))}", found)
        ((sums, amount),) = connection.execute("SELECT COUNT(*), SUM(amount) FROM charged_usage")
        found = [
            f"account {row[0]}: {dollars(int(row[1]))} are on no invoice ever" for row in _some(connection, _BILLED)
        ]
        yield Proof("invoices bill what was charged", f"{sums:,} sums by month, {dollars(int(amount or 0))}", found)
        ((topups, amount),) = connection.execute("SELECT COUNT(*), SUM(paid) FROM topups WHERE paid > 0")
        found = [
            f"top-up {_id(topup)}: paid {dollars(int(paid))}, entry {dollars(int(posted))}"
            for _, topup, paid, posted in _some(connection, _PAID)
        ]
        yield Proof("top-ups are credited as paid", f"{topups:,} paid, {dollars(int(amount or 0) * CENT)}", found)
        ((buckets, amount),) = connection.execute("SELECT COUNT(*), SUM(amount) FROM spent")
        found = [f"{owner} from {start}: {dollars(amount)}" for owner, start, amount in _some(connection, _SPENT)]
        yield Proof("no budget has spent less than nothing", f"{buckets:,} buckets, {dollars(int(amount or 0))}", found)
        ((drafts,),) = connection.execute("SELECT COUNT(*) FROM log_drafts WHERE record IS NOT NULL")
        old = connection.execute(f"{_DRAFTS} ORDER BY at LIMIT {SHOWN}", (now - longest - 2 * QUIET,))
        found = [f"draft {_id(draft)} waits since {(now - at) // 1000} s" for draft, at in old]
        yield Proof("no reservation is older than a call can be", f"{drafts:,} calls that run", found)


def _some(connection: Sql, sql: str) -> list[Row]:
    return connection.execute(f"{sql} LIMIT {SHOWN}")


def _id(value: bytes) -> str:
    return ids.text(bytes(value))


def _hour(start: int) -> str:
    return "in all" if start == WHOLE else f"hour {start // HOUR}"
