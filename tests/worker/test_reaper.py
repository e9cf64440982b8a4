import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from penstock.model.record import LogRecord
from penstock.storage import opening
from penstock.storage.log import reap
from penstock.storage.log.reader import LogReader
from penstock.storage.log.table import LogTable
from penstock.storage.sql import SQLITE
from penstock.worker import reaper
from penstock.worker.reaper import Reaper
from tests.kit.databases import sqlite_in
from tests.kit.logsink import a_gateway, a_record, delete_gateway, with_gateway
from tests.kit.writer import writing

DAY = 24 * 3600 * 1000


class World:
    """A reaper, the clocks it goes by, and what it says."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection = opening.connect(url)
        self.seconds = 1000.0
        self.millis = 5 * DAY
        self.said: list[str] = []
        self.table = LogTable(self.connection)
        self.reaper = self.new_reaper()

    def new_reaper(self, *, apart: bool = False) -> Reaper:
        return Reaper(
            self.connection,
            lambda event, **_: self.said.append(event),
            apart=apart,
            clock=lambda: self.seconds,
            now=lambda: self.millis,
        )

    def write(self, records: list[LogRecord]) -> None:
        self.table.write(records)
        self.reaper.wrote(records)

    def turns(self, count: int = 1) -> None:
        """Turns, each when it is due."""
        for _ in range(count):
            self.seconds += self.reaper.turn()

    def rows(self, number: int) -> int:
        return self.connection.execute("SELECT count(*) FROM logs WHERE gateway = ?", (number,))[0][0]

    def gateways(self) -> list[int]:
        return [number for (number,) in self.connection.execute("SELECT number FROM gateways ORDER BY number")]


@pytest.fixture
def world(url: str) -> Iterator[World]:
    world = World(url)
    yield world
    world.connection.close()


def test_a_deleted_gateway_is_reaped_and_a_day_later_forgotten(world: World):
    beta = a_gateway(world.connection, "beta")
    world.turns(10)
    world.write([a_record(gateway=number) for number in (1, beta) for _ in range(30)])
    delete_gateway(world.connection, beta, at=world.millis)
    world.turns(10)
    assert (world.rows(1), world.rows(beta)) == (30, 0)
    assert world.gateways() == [1, beta]
    world.millis += DAY - 1
    world.turns(8)
    assert world.gateways() == [1, beta]
    world.millis += 1
    world.turns(8)
    assert world.gateways() == [1]
    assert world.rows(1) == 30


def test_words_that_only_a_deleted_gateway_used_go_with_its_rows(world: World):
    beta = a_gateway(world.connection, "beta")
    world.write([a_record(gateway=beta, model="private", user_agent="theirs"), a_record(model="public")])
    world.write([a_record(model="newest")])
    world.turns(10)
    delete_gateway(world.connection, beta, at=world.millis)
    world.turns(30)
    words = {name for (name,) in world.connection.execute("SELECT name FROM log_names")}
    assert {"public", "newest", "openai"} <= words
    assert not words & {"private", "theirs"}


def test_rows_that_come_late_go_too(world: World):
    delete_gateway(world.connection, 1, at=world.millis)
    world.turns(5)
    world.write([a_record() for _ in range(30)])
    world.turns(3)
    assert world.rows(1) == 0


def test_a_new_process_goes_on_where_the_last_one_was(world: World):
    world.write([a_record() for _ in range(30)])
    world.write([a_record(gateway=77) for _ in range(30)])  # came after its tombstone was gone
    delete_gateway(world.connection, 1, at=world.millis - DAY)
    world.reaper = world.new_reaper()
    world.turns(15)
    assert (world.rows(1), world.rows(77)) == (0, 0)
    assert world.connection.execute("SELECT count(*) FROM log_rollups") == [(0,)]
    assert world.gateways() == []


def test_a_turn_is_one_batch_and_comes_when_it_is_due(world: World):
    world.write([a_record(request=None, response=None) for _ in range(2500)])
    delete_gateway(world.connection, 1, at=world.millis)
    seen: list[int] = []
    while world.rows(1):
        world.turns()
        seen.append(world.rows(1))
    assert seen[-3:] == [1500, 500, 0]
    world.turns(2)
    idle = world.reaper.turn()
    assert 0 < idle <= reaper.LOOK
    a_second_gateway = a_gateway(world.connection, "beta")
    world.write([a_record(gateway=a_second_gateway)])
    delete_gateway(world.connection, a_second_gateway)
    assert world.reaper.turn() == idle
    assert world.rows(a_second_gateway) == 1
    world.turns(3)
    assert world.rows(a_second_gateway) == 0


def test_calls_to_nowhere_cannot_grow_without_end_also_while_rows_wait(world: World):
    most = 0
    for _ in range(30):
        world.write([a_record(gateway=0, request=None, response=None) for _ in range(1000)])
        world.seconds += reaper.LOOK
        most = max(most, world.rows(0))
    assert most <= reap.STRAYS + 2000
    world.turns(5)
    assert world.rows(0) == reap.STRAYS
    assert world.rows(1) == 0


def test_what_cannot_be_reaped_is_said_once_and_tried_again(world: World):
    world.write([a_record()])
    delete_gateway(world.connection, 1, at=world.millis)
    with closing(opening.connect(world.url)) as other, other.transaction():
        if world.connection.dialect is SQLITE:
            world.connection.execute("PRAGMA busy_timeout=0")
        else:
            world.connection.execute("SET lock_timeout = 1")
            other.lock_gateways(range(64))
        world.turns(3)
        assert world.said == ["log.reaping_stalled"]
        assert world.reaper.turn() > reaper.LOOK
    world.turns(3)
    assert world.rows(1) == 0
    assert world.said == ["log.reaping_stalled"]


def test_who_is_not_told_what_was_written_looks_for_it(world: World):
    world.reaper = world.new_reaper(apart=True)
    delete_gateway(world.connection, 1, at=world.millis)
    world.turns(5)
    world.table.write([a_record(gateway=number) for number in (0, 1) for _ in range(30)])
    world.turns(3)
    assert (world.rows(0), world.rows(1)) == (30, 0)
    for _ in range(12):
        world.table.write([a_record(gateway=0, request=None, response=None) for _ in range(1000)])
    world.turns(10)
    assert world.rows(0) == reap.STRAYS


def test_the_log_writer_of_a_file_reaps_while_nothing_comes(tmp_path: Path):
    url = with_gateway(sqlite_in(tmp_path))
    with closing(opening.connect(url)) as connection:
        beta = a_gateway(connection, "beta")
        with writing(url) as writer:
            assert writer.answer() == 0
            writer.send([a_record(gateway=number) for number in (1, beta) for _ in range(40)])
            writer.until(80)
            delete_gateway(connection, beta)
            pause = threading.Event()
            while connection.execute("SELECT 1 FROM logs WHERE gateway = ?", (beta,)):
                assert writer.process.poll() is None
                pause.wait(0.05)
            assert writer.end() == 0
        assert len(LogReader(connection).list_rows(1, limit=100)) == 40
