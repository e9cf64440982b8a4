"""What was charged for, by account, month, provider and model: what invoices are made of.

It is counted with the ledger's entries, in their transaction. A month is a number: 12 for each year, and 0 to 11. An
invoice bills whatever was charged for calls until the end of its month and stands on no invoice yet; so what comes late
is on the next one, and nothing is billed twice or never.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from penstock.model.record import LogRecord
from penstock.storage.ledger import Entry
from penstock.storage.sql import Statements

_KEY = "account, month, provider, model"
_SUMS = ("calls", "tokens_in", "tokens_out", "amount")
_MORE = ", ".join(f"{name} = charged_usage.{name} + excluded.{name}" for name in _SUMS)
_ADD = (
    f"INSERT INTO charged_usage ({_KEY}, {', '.join(_SUMS)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  our names
    f" ON CONFLICT ({_KEY}) DO UPDATE SET {_MORE}"
)
_WHOLE = ", ".join(f"CAST(sum({name}) AS BIGINT)" for name in _SUMS)
_LESS = ", ".join(f"-l.{name}" for name in _SUMS)
_UNBILLED = (
    f"SELECT provider, model, {_WHOLE} FROM (SELECT provider, model, {', '.join(_SUMS)} FROM charged_usage"  # noqa: S608
    f" WHERE account = ? AND month <= ? UNION ALL SELECT l.provider, l.model, {_LESS} FROM invoice_lines l"
    " JOIN invoices i ON i.id = l.invoice WHERE i.account = ?) u GROUP BY provider, model"
    " HAVING sum(calls) <> 0 OR sum(amount) <> 0 ORDER BY provider, model"
)


class Usage(NamedTuple):
    """Of one model. ``amount``: nano-dollars."""

    provider: str
    model: str
    calls: int
    tokens_in: int
    tokens_out: int
    amount: int


def month_of(millis: int) -> int:
    """The month (UTC) of a time."""
    found = datetime.fromtimestamp(millis / 1000, UTC)
    return found.year * 12 + found.month - 1


def start_of(month: int) -> int:
    """When a month begins, in milliseconds since the epoch."""
    return int(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000


def spelt(month: int) -> str:
    """``2026-11``."""
    return f"{month // 12:04}-{month % 12 + 1:02}"


def add(connection: Statements, records: Iterable[LogRecord], posted: Iterable[Entry]) -> None:
    """Counts the calls whose entries were ``posted`` just now."""
    entries = {entry.id: entry for entry in posted}
    sums: dict[tuple[str, int, str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for record in records:
        if record.charge is None or entries.pop(record.id, None) is None:
            continue
        account, amount = record.charge
        found = sums[account, month_of(record.created_at), record.provider, record.model]
        for place, more in enumerate((1, record.tokens_in or 0, record.tokens_out or 0, amount)):
            found[place] += more
    if sums:  # in one order for every writer, so that none waits in a circle
        connection.executemany(_ADD, [(*key, *values) for key, values in sorted(sums.items())])


def unbilled(connection: Statements, account: str, month: int) -> list[Usage]:
    """What was charged until the end of a month, and is on no invoice, by provider and model."""
    return [Usage(*row) for row in connection.execute(_UNBILLED, (account, month, account))]


def first(connection: Statements, account: str) -> int | None:
    """The first month that may be unbilled; None: nothing was ever charged."""
    ((used,),) = connection.execute("SELECT min(month) FROM charged_usage WHERE account = ?", (account,))
    ((billed,),) = connection.execute("SELECT max(month) FROM invoices WHERE account = ?", (account,))
    return used if used is None or billed is None else max(used, billed + 1)


def accounts(connection: Statements) -> Sequence[str]:
    """Those that were ever charged."""
    return [row[0] for row in connection.execute("SELECT DISTINCT account FROM charged_usage ORDER BY account")]
