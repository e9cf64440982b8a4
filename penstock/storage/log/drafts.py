"""Records of calls that still run and have reserved money: what is written of them if their process dies.

A draft is kept until the final record of its call is written, in the same transaction. Where none can come any more,
because the sender has ended, the draft is written as the final record: so what was reserved for the call is spent,
once, whatever died. Then its row here stays, empty: a final record that comes all the same changes nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from penstock.core import codec, instants
from penstock.model.record import LogRecord
from penstock.storage.log.senders import KEPT
from penstock.storage.sql import Statements, filled, marks

ROWS = 256  # drafts that are written as final records at once
QUIET = 600 * 1000  # milliseconds without a word from a sender, after which a call that took too long has none
_ASKED = 500  # ids of one question
_COLUMNS = ("id", "sender", "at", "record")
_decode = codec.unpacker(LogRecord).decode


class Whose(NamedTuple):
    """Drafts whose final records cannot come any more: a condition of SQL, and its values."""

    condition: str
    values: tuple[Any, ...]


def of(sender: bytes) -> Whose:
    """Those of a sender that has ended."""
    return Whose("sender = ?", (sender,))


def of_others(sender: bytes) -> Whose:
    """Those of all others, where only one can be alive."""
    return Whose("sender <> ?", (sender,))


def older_than(longest: int, now: int) -> Whose:
    """Those of calls that no call can be as old as, and whose senders are silent. Milliseconds."""
    heard = "EXISTS (SELECT 1 FROM log_senders WHERE id = log_drafts.sender AND at > ?)"
    return Whose(f"at < ? AND NOT {heard}", (now - longest - QUIET, now - QUIET))


class Late(Exception):
    """Final records came for drafts that were written as such already."""

    def __init__(self, ids: set[bytes]) -> None:
        self.ids = ids


class Gone(Exception):
    """Somebody else has written some of the drafts, or their final records."""


class Drafts:
    """Those of one sender, for its writer, which alone writes them."""

    def __init__(self, connection: Statements, sender: bytes) -> None:
        self._connection = connection
        self._sender = sender
        self._known: set[bytes] | None = None

    def unknown(self) -> None:
        """Another writer of the sender may have written before."""
        self._known = None

    def replace(self, drafts: Sequence[LogRecord], finals: Iterable[LogRecord]) -> None:
        """Within the transaction that writes the final records. Raises Late."""
        if (known := self._known) is None:
            found = self._connection.execute("SELECT id FROM log_drafts WHERE sender = ?", (self._sender,))
            known = self._known = {bytes(draft) for (draft,) in found}
        ended = [record.id for record in finals if record.id in known] if known else []
        for at in range(0, len(ended), _ASKED):
            some = filled(ended[at : at + _ASKED])
            sql = f"DELETE FROM log_drafts WHERE record IS NOT NULL AND id IN {marks(len(some))} RETURNING id"  # noqa: S608
            if late := {*some}.difference(bytes(draft) for (draft,) in self._connection.execute(sql, some)):
                raise Late(late)
        if drafts:
            now = instants.now()
            rows = [(record.id, self._sender, now, codec.pack(record)) for record in drafts]
            self._connection.insert("log_drafts", _COLUMNS, rows)

    def replaced(self, drafts: Iterable[LogRecord], finals: Iterable[LogRecord]) -> None:
        """After it: that is committed."""
        if self._known:
            self._known.difference_update([record.id for record in finals])
        if self._known is not None:
            self._known.update([record.id for record in drafts])


def split(records: list[LogRecord]) -> tuple[list[LogRecord], list[LogRecord]]:
    """The final records, and the drafts whose final records are not among them."""
    if not any(record.draft for record in records):
        return records, []
    finals = [record for record in records if not record.draft]
    ended = {record.id for record in finals}
    return finals, [record for record in records if record.draft and record.id not in ended]


def reserved(connection: Statements) -> list[tuple[bytes, int, tuple[tuple[str, int, int, int], ...]]]:
    """What calls that run, or died, have reserved: id, when it was written, and of which budgets, as in ``spends``."""
    found = connection.execute("SELECT id, at, record FROM log_drafts WHERE record IS NOT NULL")
    return [(bytes(draft), at, _decode(record).spends) for draft, at, record in found]


def read(connection: Statements, whose: Whose, most: int) -> list[LogRecord]:
    """Some drafts, as final records; none: there is none."""
    records = [_decode(packed) for (packed,) in connection.execute(_found("record", whose), (*whose.values, most))]
    for record in records:
        record.draft = False
    return records


def leave_out(connection: Statements, whose: Whose) -> bytes:
    """Gives up the first of them; returns its id."""
    sql = f"UPDATE log_drafts SET record = NULL WHERE id IN ({_found('id', whose)}) RETURNING id"  # noqa: S608
    return b"".join([bytes(draft) for (draft,) in connection.execute(sql, (*whose.values, 1))])


def claim(connection: Statements, records: Iterable[LogRecord]) -> None:
    """Within the transaction that writes drafts as final records. Raises Gone."""
    ids = sorted([record.id for record in records])
    sql = f"UPDATE log_drafts SET record = NULL WHERE record IS NOT NULL AND id IN {marks(len(ids))} RETURNING id"  # noqa: S608
    if len(connection.execute(sql, ids)) < len(ids):
        raise Gone


def forget(connection: Statements, now: int) -> None:
    """Takes out what is left of drafts for whose final records nobody can be waiting any more."""
    connection.execute("DELETE FROM log_drafts WHERE record IS NULL AND at < ?", (now - KEPT,))


def _found(column: str, whose: Whose) -> str:
    return f"SELECT {column} FROM log_drafts WHERE record IS NOT NULL AND {whose.condition} ORDER BY id LIMIT ?"  # noqa: S608
