import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from penstock.core import codec, ids
from penstock.model.record import LogRecord
from penstock.storage import database, schema
from penstock.storage.log_rows import LogReader
from penstock.storage.logs import LogTable
from penstock.testing.logsink import a_gateway, a_record
from penstock.worker import log_writer


@pytest.fixture
def store(tmp_path: Path) -> Iterator[schema.Store]:
    store = schema.open_store(f"sqlite:///{tmp_path / 'x.db'}")
    with closing(database.connect(store.file)) as connection:
        a_gateway(connection)
    yield store
    store.close()


@contextmanager
def running(url: str) -> Iterator[tuple[socket.socket, "subprocess.Popen[bytes]"]]:
    ours, theirs = socket.socketpair()
    ours.settimeout(20)
    command = [sys.executable, "-m", "penstock.worker.log_writer", "--fd", str(theirs.fileno()), "--database", url]
    with ours, subprocess.Popen(command, pass_fds=[theirs.fileno()], stderr=subprocess.PIPE) as process:
        theirs.close()
        try:
            yield ours, process
        finally:
            process.kill()


def frame(records: list[LogRecord]) -> bytes:
    packed = codec.pack(records)
    return len(packed).to_bytes(4, "big") + packed


def answer(link: socket.socket) -> int:
    data = b""
    while len(data) < 8:
        more = link.recv(8 - len(data))
        assert more
        data += more
    return int.from_bytes(data, "big")


def answer_until(link: socket.socket, count: int) -> None:
    while answer(link) < count:
        pass


def stored(store: schema.Store) -> set[str]:
    with closing(database.connect_reader(store.file)) as connection:
        return {row.id for row in LogReader(connection).newest(100_000)}


def names(records: list[LogRecord]) -> set[str]:
    return {ids.text(record.id) for record in records}


def test_what_is_acknowledged_is_written(store: schema.Store):
    records = [a_record() for _ in range(100)]
    with running(store.url) as (link, _):
        assert answer(link) == 0
        link.sendall(frame(records[:60]) + frame(records[60:]))
        answer_until(link, 100)
        assert stored(store) == names(records)


def test_frames_may_come_in_any_pieces(store: schema.Store):
    records = [a_record() for _ in range(5)]
    with running(store.url) as (link, _):
        assert answer(link) == 0
        for byte in frame(records[:3]) + frame(records[3:]):
            link.sendall(bytes([byte]))
        answer_until(link, 5)
    assert stored(store) == names(records)


def test_at_the_end_of_the_input_the_rest_is_written_and_the_process_ends(store: schema.Store):
    records = [a_record() for _ in range(3000)]
    with running(store.url) as (link, process):
        assert answer(link) == 0
        link.sendall(frame(records))
        link.close()
        assert process.wait(20) == 0
    assert stored(store) == names(records)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_are_for_the_parent(store: schema.Store, number: signal.Signals):
    record = a_record()
    with running(store.url) as (link, process):
        assert answer(link) == 0
        os.kill(process.pid, number)
        link.sendall(frame([record]))
        assert answer(link) == 1
        link.close()
        assert process.wait(20) == 0


def test_a_store_that_cannot_be_opened_is_said_to_the_parent(tmp_path: Path):
    with running(f"sqlite:///{tmp_path / 'none' / 'x.db'}") as (link, process):
        assert answer(link) == log_writer.REFUSED
        assert b"none/x.db" in link.recv(65536)
        assert process.wait(20) == 1


def test_a_store_without_its_schema_is_refused(tmp_path: Path):
    with running(f"sqlite:///{tmp_path / 'x.db'}") as (link, process):
        assert answer(link) == log_writer.REFUSED
        assert b"has not the schema" in link.recv(65536)
        assert process.wait(20) == 1


class Heard:
    """Takes what the writer says, and lets a test act while the writer waits."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    def __call__(self, event: str, **about: object) -> None:
        self.events.append((event, about))

    def names(self) -> list[str]:
        return [event for event, _ in self.events]


def test_a_full_disk_is_waited_for_and_said_once(store: schema.Store):
    connection = database.connect(store.file)
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages}")
    heard, waits = Heard(), list[float]()

    def pause(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 4:
            connection.execute("PRAGMA max_page_count=1000000")

    records = [a_record(request=os.urandom(10_000)) for _ in range(20)]
    log_writer.Writer(LogTable(connection), heard, pause).write(records)
    connection.close()
    assert stored(store) == names(records)
    assert heard.names() == ["log.stalled", "log.resumed"]
    assert "full" in str(heard.events[0][1]["error"])
    assert waits == sorted(waits)
    assert len(waits) == 4


def test_a_locked_database_is_waited_for(store: schema.Store):
    other, connection = database.connect(store.file), database.connect(store.file)
    connection.execute("PRAGMA busy_timeout=0")
    other.execute("BEGIN IMMEDIATE")
    heard, record = Heard(), a_record()
    log_writer.Writer(LogTable(connection), heard, lambda _: other.execute("COMMIT") and None).write([record])
    assert heard.names() == ["log.stalled", "log.resumed"]
    assert stored(store) == names([record])
    connection.close()
    other.close()


def test_a_record_that_no_column_can_hold_costs_no_other(store: schema.Store):
    connection = database.connect(store.file)
    records = [a_record() for _ in range(9)]
    bad = a_record(tokens_in=2**63)
    heard = Heard()
    log_writer.Writer(LogTable(connection), heard).write([*records[:4], bad, *records[4:]])
    connection.close()
    assert stored(store) == names(records)
    assert heard.names() == ["log.rejected"]
    assert heard.events[0][1]["id"] == bad.id.hex()


def test_a_row_that_is_no_record_costs_no_other(store: schema.Store):
    records = [a_record() for _ in range(3)]
    bad = a_record(model=None)
    with running(store.url) as (link, process):
        assert answer(link) == 0
        link.sendall(frame([*records[:1], bad, *records[1:]]))
        answer_until(link, 4)
        link.close()
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert b"log.rejected" in process.stderr.read()
    assert stored(store) == names(records)
