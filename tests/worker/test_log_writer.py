import os
import signal
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import psutil
import pytest

from penstock.core import ids
from penstock.model.record import LogRecord
from penstock.storage import opening
from penstock.storage.errors import StoreUnavailable
from penstock.storage.log.reader import LogReader
from penstock.storage.log.table import LogTable
from penstock.storage.sql import SQLITE
from penstock.worker import log_writer
from tests.kit.databases import postgres_on, sqlite_in
from tests.kit.logsink import a_record, with_gateway
from tests.kit.services import postgres
from tests.kit.writer import frame, writing


def stored(url: str) -> set[str]:
    with closing(opening.connect_reader(url)) as connection:
        return {row.id for row in LogReader(connection).newest(100_000)}


def names(records: list[LogRecord]) -> set[str]:
    return {ids.text(record.id) for record in records}


def test_what_is_acknowledged_is_written(url: str):
    records = [a_record() for _ in range(100)]
    with writing(url) as writer:
        assert writer.answer() == 0
        writer.link.sendall(frame(records[:60]) + frame(records[60:]))
        writer.until(100)
        assert stored(url) == names(records)


def test_frames_may_come_in_any_pieces(url: str):
    records = [a_record() for _ in range(5)]
    with writing(url) as writer:
        assert writer.answer() == 0
        for byte in frame(records[:3]) + frame(records[3:]):
            writer.link.sendall(bytes([byte]))
        writer.until(5)
    assert stored(url) == names(records)


def test_at_the_end_of_the_input_the_rest_is_written_and_the_process_ends(url: str):
    records = [a_record() for _ in range(3000)]
    with writing(url) as writer:
        assert writer.answer() == 0
        writer.send(records)
        assert writer.end() == 0
    assert stored(url) == names(records)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_are_for_the_parent(url: str, number: signal.Signals):
    record = a_record()
    with writing(url) as writer:
        assert writer.answer() == 0
        os.kill(writer.process.pid, number)
        writer.send([record])
        assert writer.answer() == 1
        assert writer.end() == 0


@pytest.mark.parametrize("kind", ["a file in no folder", "no such database"])
def test_a_store_that_cannot_be_opened_is_said_to_the_parent(kind: str, tmp_path: Path, shared: str):
    files = f"sqlite:///{tmp_path / 'none' / 'x.db'}"
    with writing(files if kind.startswith("a file") else f"{shared}_none") as writer:
        assert writer.answer() == log_writer.REFUSED
        assert b"none" in writer.link.recv(65536)
        assert writer.process.wait(20) == 1


def test_a_store_that_does_not_say_its_revision_is_refused(url: str):
    with closing(opening.connect(url)) as connection:
        connection.execute("DROP TABLE alembic_version")
    with writing(url) as writer:
        assert writer.answer() == log_writer.REFUSED
        assert b"restore a backup" in writer.link.recv(65536)
        assert writer.process.wait(20) == 1


def test_an_empty_store_is_refused(tmp_path: Path):
    with writing(opening.url_in(tmp_path)) as writer:
        assert writer.answer() == log_writer.REFUSED
        assert b"is empty" in writer.link.recv(65536)


def test_the_address_with_its_password_is_not_in_the_list_of_processes(url: str):
    with writing(url) as writer:
        assert writer.answer() == 0
        assert url not in " ".join(psutil.Process(writer.process.pid).cmdline())


class Heard:
    """Takes what the writer says, and lets a test act while the writer waits."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    def __call__(self, event: str, **about: object) -> None:
        self.events.append((event, about))

    def names(self) -> list[str]:
        return [event for event, _ in self.events]


def test_a_full_disk_is_waited_for_and_said_once(tmp_path: Path):
    url = with_gateway(sqlite_in(tmp_path))
    connection = opening.connect(url)
    ((pages,),) = connection.execute("PRAGMA page_count")
    connection.execute(f"PRAGMA max_page_count={pages}")
    heard, waits = Heard(), list[float]()

    def pause(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 4:
            connection.execute("PRAGMA max_page_count=1000000")

    records = [a_record(request=os.urandom(10_000)) for _ in range(20)]
    log_writer.Writer(LogTable(connection), heard, pause).write(records)
    connection.close()
    assert stored(url) == names(records)
    assert heard.names() == ["log.stalled", "log.resumed"]
    assert "full" in str(heard.events[0][1]["error"])
    assert waits == sorted(waits)
    assert len(waits) == 4


def test_a_lock_is_waited_for(url: str):
    other, connection = opening.connect(url), opening.connect(url)
    held = ExitStack()
    held.enter_context(other.transaction())
    if connection.dialect is SQLITE:
        connection.execute("PRAGMA busy_timeout=0")
    else:
        connection.execute("SET lock_timeout = 1")
        other.lock_gateways([1])
    heard, record = Heard(), a_record()
    log_writer.Writer(LogTable(connection), heard, lambda _: held.close()).write([record])
    assert heard.names() == ["log.stalled", "log.resumed"]
    assert stored(url) == names([record])
    connection.close()
    other.close()


def test_what_somebody_must_mend_is_said_again_and_again_while_rows_wait(url: str):
    connection, heard, waited = opening.connect(url), Heard(), [0.0]
    connection.execute("ALTER TABLE log_zones RENAME TO elsewhere")

    def pause(seconds: float) -> None:
        waited[0] += seconds
        if waited[0] > 3 * log_writer.AGAIN:
            with suppress(StoreUnavailable):
                connection.execute("ALTER TABLE elsewhere RENAME TO log_zones")

    record = a_record()
    log_writer.Writer(LogTable(connection), heard, pause).write([record])
    assert heard.names() == [*["log.refused"] * 3, "log.resumed"]
    assert "log_zones" in str(heard.events[0][1]["error"])
    assert stored(url) == names([record])
    connection.close()


def test_who_has_lost_its_parent_waits_for_a_store_but_not_for_ever(url: str):
    connection, heard, waits, parents = opening.connect(url), Heard(), list[float](), [77]
    connection.execute("ALTER TABLE log_zones RENAME TO elsewhere")

    def pause(seconds: float) -> None:
        waits.append(seconds)
        if sum(waits) > 2 * log_writer.ORPHAN:
            parents[0] = 1

    with pytest.raises(log_writer.Abandoned):
        log_writer.Writer(LogTable(connection), heard, pause, lambda: parents[0]).write([a_record()])
    assert 2 * log_writer.ORPHAN < sum(waits) < 3 * log_writer.ORPHAN
    connection.close()


def test_a_record_that_no_column_can_hold_costs_no_other(url: str):
    connection = opening.connect(url)
    records = [a_record() for _ in range(9)]
    bad = a_record(tokens_in=2**63)
    heard = Heard()
    log_writer.Writer(LogTable(connection), heard).write([*records[:4], bad, *records[4:]])
    connection.close()
    assert stored(url) == names(records)
    assert heard.names() == ["log.rejected"]
    assert heard.events[0][1]["id"] == bad.id.hex()


def test_a_row_that_is_no_record_costs_no_other(url: str):
    records = [a_record() for _ in range(3)]
    bad = a_record(model=None)
    with writing(url) as writer:
        assert writer.answer() == 0
        writer.link.sendall(frame([*records[:1], bad, *records[1:]]))
        writer.until(4)
        assert writer.end() == 0
        assert "log.rejected" in writer.line()
    assert stored(url) == names(records)


# PostgreSQL


def test_two_writers_each_write_what_they_are_given_also_the_same_of_one_sender(shared: str):
    """The second of them gets what the first was given when it died, as far as nobody knows that it is written."""
    records = [a_record(gateway=n % 3) for n in range(4000)]
    sender = os.urandom(16)
    with writing(shared, sender) as one, writing(shared, sender, start=1000) as other:
        assert (one.answer(), other.answer()) == (0, 1000)
        one.send(records[:1200])
        one.until(1200)
        for at in range(1000, 4000, 500):
            one.send(records[at + 200 : at + 700])
            other.send(records[at : at + 500])
        one.until(4000)
        other.until(4000)
        assert one.end() == other.end() == 0
    with closing(opening.connect_reader(shared)) as connection:
        assert connection.execute("SELECT count(*), count(DISTINCT id) FROM logs") == [(4000, 4000)]
        assert connection.execute("SELECT gateway, sum(rows) FROM log_zones GROUP BY 1 ORDER BY 1") == [
            (gateway, len(range(gateway, 4000, 3))) for gateway in range(3)
        ]


def test_a_server_that_goes_is_waited_for_said_once_and_written_to_when_it_is_back():
    with postgres() as server, postgres_on(server.url) as url, writing(with_gateway(url)) as writer:
        assert writer.answer() == 0
        before, during = [a_record() for _ in range(50)], [a_record() for _ in range(3000)]
        writer.send(before)
        writer.until(50)
        server.stop()
        writer.send(during)
        assert '"event":"log.stalled"' in writer.line()
        server.start()
        writer.until(3050)
        assert '"event":"log.resumed"' in writer.line()
        assert writer.end() == 0
        assert stored(url) == names(before + during)


def test_a_writer_that_begins_while_the_server_is_away_waits_for_it():
    with postgres() as server, postgres_on(server.url) as url:
        with_gateway(url)
        server.stop()
        with writing(url) as writer:
            assert '"event":"log.stalled"' in writer.line()
            assert writer.answer() == 0
            record = a_record()
            writer.send([record])
            server.start()
            writer.until(1)
            assert stored(url) == names([record])
            assert writer.end() == 0
