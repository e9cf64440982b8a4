"""The log writer: a process of its own, so that compressing and writing never take time from a call.

``python -m penstock.worker.log_writer --fd N``, and the database's URL, which may hold a password and so must not be in
the list of processes, in the environment as ``PENSTOCK_DATABASE_URL``. ``backends.logpipe`` starts it.

On the socket ``N`` come frames: four bytes of length, then a MessagePack list of log records. An empty list means
"write now". Back go eight bytes at a time: how many records of this connection are durable; first a 0, when the
store is open. ``REFUSED`` and a sentence instead mean that it cannot be opened; a PostgreSQL that is away just now is
waited for. While nothing comes, the one writer of an SQLite file reaps (``worker.reaper``). At the end of the input the
rest is written and the process ends; signals are for the parent to decide on (Ctrl-C reaches both).
"""

import argparse
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable

from penstock.core import codec
from penstock.model.record import LogRecord
from penstock.storage import opening, schema, sqlite_file
from penstock.storage.errors import StoreRefused, StoreUnavailable, Unwritable
from penstock.storage.log.table import LogTable
from penstock.storage.sql import Sql
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

_decode = codec.unpacker(list[LogRecord]).decode
_decode_apart = codec.unpacker(list[codec.Raw]).decode
_decode_one = codec.unpacker(LogRecord).decode


class Inbox:
    """The frames that have come, cut out of the stream."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._buffer = bytearray()
        self.records: list[LogRecord] = []
        self.rows = 0  # of ``records``, and those that were no records
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
            rows, records = unpack(bytes(self._buffer[at + 4 : end]))
            self.records += records
            self.rows += rows
            self.size += end - at
            self.hurry = self.hurry or not rows
            at = end
        del self._buffer[:at]

    def fill(self) -> None:
        """Waits until there is a transaction's worth."""
        self.receive()
        until = time.monotonic() + SECONDS
        while not (self.ended or self.hurry) and self.rows < ROWS and self.size < BYTES:
            left = until - time.monotonic() if self.rows else None
            if left is not None and (left <= 0 or not select.select([self._link], [], [], left)[0]):
                return
            self.receive()

    def take(self) -> tuple[int, list[LogRecord]]:
        """How many rows have come, and the records among them."""
        taken = self.rows, self.records
        self.rows, self.records, self.size, self.hurry = 0, [], 0, False
        return taken


def unpack(frame: bytes) -> tuple[int, list[LogRecord]]:
    """The number of rows in a frame, and its records; what is no record is said and left out, for it never will be."""
    try:
        records = _decode(frame)
        return len(records), records
    except codec.DecodeError:
        rows, records = _decode_apart(frame), list[LogRecord]()
    for row in rows:
        try:
            records.append(_decode_one(row))
        except codec.DecodeError as error:
            say("log.rejected", error=str(error))
    return len(rows), records


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

    def write(self, records: list[LogRecord]) -> None:
        """Returns when the records are written. A store that is full, locked or away is waited for.

        Raises Abandoned if it is away for long and the parent is gone.
        """
        waited = 0.0
        wait, most = BACK_OFF
        silent = 0.0  # seconds that nothing more need be said
        while True:
            try:
                self._table.write(records)
            except StoreUnavailable as error:
                if waited >= ORPHAN and self._ask_parent() != self._parent:
                    raise Abandoned(error.message) from error
                if silent <= 0.0:
                    silent = self._stalled(error, len(records))
                self._pause(wait)
                waited += wait
                silent -= wait
                wait = min(most, wait * 2)
            except Unwritable as error:
                self._write_apart(records, error)
                return
            else:
                if waited:
                    self._say("log.resumed", rows=len(records))
                return

    def _stalled(self, error: StoreUnavailable, rows: int) -> float:
        """Says why rows wait; returns for how long that is enough."""
        lasting = isinstance(error, StoreRefused)
        remedy = "mend it: until then rows wait" if lasting else "none, once the store is back, unlocked or has room"
        self._say("log.refused" if lasting else "log.stalled", error=error.message, rows=rows, remedy=remedy)
        return AGAIN if lasting else float("inf")

    def _write_apart(self, records: list[LogRecord], error: Unwritable) -> None:
        """One record that no column can hold must not cost its neighbours."""
        if len(records) == 1:
            self._say("log.rejected", error=str(error), id=records[0].id.hex())
            return
        middle = len(records) // 2
        self.write(records[:middle])
        self.write(records[middle:])


def run(link: socket.socket, url: str) -> int:
    """The process: opens the store, says so, and writes until the input ends. Returns the exit status."""
    shared = opening.is_shared(url)
    try:
        # The writer of a killed server may still be finishing.
        held = None if shared else sqlite_file.lock(sqlite_file.file_of(url), "writer", wait=10.0)
        connection = opening.connect(url)
        _check(connection, url)
    except (StoreUnavailable, OSError) as error:
        link.sendall(REFUSED.to_bytes(8, "big") + str(error).encode())
        return 1
    inbox, writer = Inbox(link), Writer(LogTable(connection), say)
    reaper = None if shared else Reaper(connection, say)
    durable = 0
    _tell(link, durable)
    while not inbox.ended:
        if reaper is not None:
            _reap_until_readable(link, reaper)
        inbox.fill()
        rows, records = inbox.take()
        if records:
            try:
                writer.write(records)
            except Abandoned as error:
                say("log.lost", error=str(error), rows=rows)
                return 1
        if rows:
            durable += rows
            _tell(link, durable)
        if reaper is not None:
            reaper.wrote(records)
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


def _tell(link: socket.socket, durable: int) -> None:
    try:
        link.sendall(durable.to_bytes(8, "big"))
    except OSError:  # the parent is gone; what it has sent is still to be written
        return


def main() -> int:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parser = argparse.ArgumentParser(prog="penstock.worker.log_writer")
    parser.add_argument("--fd", type=int, required=True)
    return run(socket.socket(fileno=parser.parse_args().fd), os.environ[URL])


if __name__ == "__main__":
    sys.exit(main())
