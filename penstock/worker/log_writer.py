"""The log writer: a process of its own, so that compressing and writing never take time from a call.

``python -m penstock.worker.log_writer --fd N --sender HEX --start P --days M,H,D``, and the database's URL, which may
hold a password and so must not be in the list of processes, in the environment as ``PENSTOCK_DATABASE_URL``.
``backends.logpipe`` starts it.

On the socket ``N`` come frames: four bytes of length, then a MessagePack list of log records. An empty list means
"write now". The sender numbers its records through all writers that it has; ``P`` is the number of the first to come.
Back go eight bytes of ``P`` when the store is open, and then sixteen at a time: the number of the first record that is
not durable, and how many records this writer made no rows of, because their gateways are full. ``REFUSED`` and a
sentence instead mean that it cannot be opened; a PostgreSQL that is away just now is waited for. While nothing comes,
the one writer of an SQLite file reaps (``worker.reaper``). At the end of the input the rest is written, drafts without
a final record as well (``storage.log.drafts``), and the process ends; signals are for the parent to decide on (Ctrl-C
reaches both).
"""

import argparse
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from penstock.core import codec
from penstock.model.record import LogRecord
from penstock.storage import opening, schema, sqlite_file
from penstock.storage.errors import StoreRefused, StoreUnavailable, Unwritable
from penstock.storage.log import drafts
from penstock.storage.log.drafts import Whose
from penstock.storage.log.rollup_reap import days_of
from penstock.storage.log.table import LogTable
from penstock.storage.sql import Sql
from penstock.worker import lost
from penstock.worker.caps import Caps
from penstock.worker.reaper import Reaper

REFUSED = 2**64 - 1
ROWS = 1024  # a transaction is written when it has so many rows, or
BYTES = 4 * 1024 * 1024  # so many bytes, or
SECONDS = 0.05  # when its first row has waited so long
READ = 256 * 1024
URL = "PENSTOCK_DATABASE_URL"
BACK_OFF = (0.1, 2.0)  # seconds before a store that is away is tried again: at first, and at most
AGAIN = 30.0  # seconds after which what somebody must mend is said again
ORPHAN = 600.0  # seconds that a writer whose parent is gone waits for a store that is away

T = TypeVar("T")

_decode = codec.unpacker(list[LogRecord]).decode
_decode_apart = codec.unpacker(list[codec.Raw]).decode
_decode_one = codec.unpacker(LogRecord).decode


class Inbox:
    """The frames that have come, cut out of the stream."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._buffer = bytearray()
        self.records: list[LogRecord | None] = []  # None: something that was no record
        self.size = 0  # bytes of them on the wire
        self.hurry = False  # the parent waits
        self.ended = False

    def receive(self) -> None:
        """Waits for bytes and takes what complete frames there are."""
        try:
            data = self._link.recv(READ)
        except ConnectionResetError:
            data = b""
        self.ended = not data
        self._buffer += data
        at = 0
        while len(self._buffer) - at >= 4:  # noqa: PLR2004
            end = at + 4 + int.from_bytes(self._buffer[at : at + 4], "big")
            if end > len(self._buffer):
                break
            records = unpack(bytes(self._buffer[at + 4 : end]))
            self.records += records
            self.size += end - at
            self.hurry = self.hurry or not records
            at = end
        del self._buffer[:at]

    def fill(self) -> None:
        """Waits until there is a transaction's worth."""
        self.receive()
        until = time.monotonic() + SECONDS
        while not (self.ended or self.hurry) and len(self.records) < ROWS and self.size < BYTES:
            left = until - time.monotonic() if self.records else None
            if left is not None and (left <= 0 or not select.select([self._link], [], [], left)[0]):
                return
            self.receive()

    def take(self) -> list[LogRecord | None]:
        """What has come."""
        taken = self.records
        self.records, self.size, self.hurry = [], 0, False
        return taken


def unpack(frame: bytes) -> list[LogRecord | None]:
    """The records of a frame; None, and said, is what is no record and never will be."""
    records: list[LogRecord | None] = []
    try:
        records += _decode(frame)
    except codec.DecodeError:
        records += map(_unpack_apart, _decode_apart(frame))
    return records


def _unpack_apart(row: codec.Raw) -> LogRecord | None:
    try:
        return _decode_one(row)
    except codec.DecodeError as error:
        say("log.rejected", error=str(error))
        return None


class Abandoned(Exception):
    """Nobody is there any more to whom it would matter, and the store does not come back."""


class Writer:
    """Writes what comes in, whatever the store says. ``parent`` tells the id of the process it belongs to."""

    def __init__(
        self,
        table: LogTable,
        say: Callable[..., None],
        pause: Callable[[float], None] = time.sleep,
        parent: Callable[[], int] = os.getppid,
    ) -> None:
        self._table = table
        self._say = say
        self._pause = pause
        self._ask_parent = parent
        self._parent = parent()

    def write(self, records: Sequence[LogRecord | None], start: int = 0) -> None:
        """Returns when the records are written (as in ``LogTable.write``). A store that is full, locked or away is
        waited for.

        Raises Abandoned if it is away for long and the parent is gone.
        """
        late = self._table.late
        try:
            self._persist(lambda: self._table.write(records, start), len(records))
        except Unwritable as error:
            self._write_apart(records, start, error)
        if late != self._table.late:
            self._say("log.late", rows=self._table.late - late, remedy="none: they are counted as they were reserved")

    def settle(self, whose: Whose) -> None:
        """Writes drafts as final records, and waits for the store in the same way."""
        self._persist(lambda: lost.settle(self._table, whose, self._say), 0)

    def _persist(self, work: Callable[[], T], rows: int) -> T:
        waited = 0.0
        wait, most = BACK_OFF
        silent = 0.0  # seconds that nothing more need be said
        while True:
            try:
                done = work()
            except StoreUnavailable as error:
                if waited >= ORPHAN and self._ask_parent() != self._parent:
                    raise Abandoned(error.message) from error
                if silent <= 0.0:
                    silent = self._stalled(error, rows)
                self._pause(wait)
                waited += wait
                silent -= wait
                wait = min(most, wait * 2)
            else:
                if waited:
                    self._say("log.resumed", rows=rows)
                return done

    def _stalled(self, error: StoreUnavailable, rows: int) -> float:
        """Says why rows wait; returns for how long that is enough."""
        lasting = isinstance(error, StoreRefused)
        remedy = "mend it: until then rows wait" if lasting else "none, once the store is back, unlocked or has room"
        self._say("log.refused" if lasting else "log.stalled", error=error.message, rows=rows, remedy=remedy)
        return AGAIN if lasting else float("inf")

    def _write_apart(self, records: Sequence[LogRecord | None], start: int, error: Unwritable) -> None:
        """One record that no column can hold must not cost its neighbours."""
        if len(records) == 1:
            assert records[0] is not None
            self._say("log.rejected", error=str(error), id=records[0].id.hex())
            return
        middle = len(records) // 2
        self.write(records[:middle], start)
        self.write(records[middle:], start + middle)


def run(link: socket.socket, url: str, sender: bytes, start: int, days: Mapping[int, int]) -> int:
    """The process: opens the store, says so, and writes until the input ends. Returns the exit status.

    ``days`` as in ``Reaper``.
    """
    shared = opening.is_shared(url)
    try:
        # The writer of a killed server may still be finishing.
        held = None if shared else sqlite_file.lock(sqlite_file.file_of(url), "writer", wait=10.0)
        connection = opening.connect(url)
        _check(connection, url)
    except (StoreUnavailable, OSError) as error:
        link.sendall(REFUSED.to_bytes(8, "big") + str(error).encode())
        return 1
    inbox, writer = Inbox(link), Writer(LogTable(connection, sender=sender), say)
    reaper = None if shared else Reaper(connection, say, days=days)
    caps = Caps(connection, say, shared=shared)
    durable = start
    _tell(link, durable)
    records: list[LogRecord | None] = []
    try:
        if not shared:
            writer.settle(drafts.of_others(sender))
        while not inbox.ended:
            if reaper is not None:
                _reap_until_readable(link, reaper)
            inbox.fill()
            records = inbox.take()
            if records:
                caps.apply(record for record in records if record is not None)
                writer.write(records, durable)
                durable += len(records)
                _tell(link, durable, caps.left_out)
            if reaper is not None:
                reaper.wrote(record for record in records if record is not None)
        records = []
        writer.settle(drafts.of(sender))
    except Abandoned as error:
        say("log.lost", error=str(error), rows=len(records))
        return 1
    connection.close()
    if held is not None:
        held.release()
    return 0


def _check(connection: Sql, url: str) -> None:
    """Raises StoreUnavailable where rows could not be written later either."""
    try:
        schema.check(connection, url)
    except StoreRefused:
        connection.close()
        raise
    except StoreUnavailable as error:
        if not opening.is_shared(url):
            connection.close()
            raise
        say("log.stalled", error=error.message, rows=0, remedy="none, once the database is back")


def _reap_until_readable(link: socket.socket, reaper: Reaper) -> None:
    wait = 0.0
    while not select.select([link], [], [], wait)[0]:
        wait = reaper.turn()


def say(event: str, **about: object) -> None:
    """One structured line on the standard error output."""
    sys.stderr.write(codec.encode({"event": event, "process": "log_writer", **about}).decode() + "\n")
    sys.stderr.flush()


def _tell(link: socket.socket, *counts: int) -> None:
    try:
        link.sendall(b"".join(count.to_bytes(8, "big") for count in counts))
    except OSError:  # the parent is gone; what it has sent is still to be written
        return


def main() -> int:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parser = argparse.ArgumentParser(prog="penstock.worker.log_writer")
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--sender", type=bytes.fromhex, required=True)
    parser.add_argument("--start", type=int, required=True)
    parser.add_argument("--days", required=True)
    given = parser.parse_args()
    days = days_of(*map(int, given.days.split(",")))
    return run(socket.socket(fileno=given.fd), os.environ[URL], given.sender, given.start, days)


if __name__ == "__main__":
    sys.exit(main())
