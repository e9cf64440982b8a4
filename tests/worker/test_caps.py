from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from penstock.model.record import LogRecord
from penstock.storage import opening
from penstock.storage.log import reap
from penstock.storage.log.reader import LogReader
from penstock.storage.log.table import LogTable
from penstock.storage.sql import Sql
from penstock.worker import caps
from penstock.worker.caps import Caps
from tests.kit.databases import sqlite_in
from tests.kit.logsink import a_gateway, a_record, delete_gateway, set_gateway, with_gateway
from tests.kit.writer import writing


class World:
    """A writer's caps, the clock they go by, and what they say."""

    def __init__(self, url: str, *, shared: bool) -> None:
        self.connection = opening.connect(url)
        self.table = LogTable(self.connection)
        self.seconds = 1000.0
        self.said: list[dict[str, Any]] = []
        self.caps = Caps(self.connection, self.say, shared=shared, clock=lambda: self.seconds)

    def say(self, event: str, **about: Any) -> None:
        self.said.append({"event": event, **about})

    def write(self, count: int, number: int = 1) -> list[LogRecord]:
        records = [a_record(gateway=number) for _ in range(count)]
        self.caps.apply(records)
        self.table.write(records)
        return records

    def rows(self, number: int = 1) -> int:
        return rows(self.connection, number)


def rows(connection: Sql, number: int = 1) -> int:
    return connection.execute("SELECT count(*) FROM logs WHERE gateway = ?", (number,))[0][0]


@pytest.fixture(params=[False, True], ids=["alone", "shared"])
def world(url: str, request: pytest.FixtureRequest) -> Iterator[World]:
    made = World(url, shared=request.param)
    yield made
    made.connection.close()


@pytest.mark.parametrize("strategy", [{}, {"log_management_strategy": "STOP_INSERTING"}])
def test_at_the_cap_no_row_is_written_and_that_is_said_once(world: World, strategy: dict[str, str]):
    beta = a_gateway(world.connection, "beta")
    world.write(5)
    set_gateway(world.connection, 1, log_management=10, **strategy)
    world.seconds += caps.LOOK
    world.write(3)
    assert (world.rows(), world.caps.left_out, world.said) == (8, 0, [])
    over = world.write(6)
    assert (world.rows(), world.caps.left_out) == (10, 4)
    assert [record.logged for record in over] == [True, True, False, False, False, False]
    assert (over[5].detail, over[5].request, over[5].response) == (b"{}", None, None)
    world.write(50)
    world.write(7, beta)
    assert (world.rows(), world.rows(beta), world.caps.left_out) == (10, 7, 54)
    (said,) = world.said
    assert (said["event"], said["gateway"], said["rows"]) == ("log.full", 1, 10)
    assert "log_management" in said["remedy"]


def test_where_rows_went_new_ones_are_written(world: World):
    set_gateway(world.connection, 1, log_management=10)
    world.write(12)
    reap.reap(world.connection, 1, 4)
    world.seconds += caps.LOOK
    world.write(6)
    assert (world.rows(), world.caps.left_out) == (10, 4)


@pytest.mark.parametrize("settings", [
    {}, {"log_management": None}, {"log_management": 10, "log_management_strategy": "DELETE_OLDEST"},
    {"log_management": 30},
])  # fmt: skip
def test_a_cap_can_be_lifted(world: World, settings: dict[str, Any]):
    set_gateway(world.connection, 1, log_management=10)
    world.write(12)
    set_gateway(world.connection, 1, **settings)
    world.seconds += caps.LOOK
    world.write(12)
    assert world.rows() == 22


def test_a_deleted_gateway_has_none(world: World):
    set_gateway(world.connection, 1, log_management=10)
    delete_gateway(world.connection, 1)
    world.write(12)
    assert world.rows() == 12


def test_writers_of_one_database_count_together(shared: str):
    one, other = World(shared, shared=True), World(shared, shared=True)
    set_gateway(one.connection, 1, log_management=100)
    for _ in range(10):
        one.write(30)
        other.write(30)
        one.seconds += caps.LOOK
        other.seconds += caps.LOOK
    assert one.rows() == 100
    one.connection.close()
    other.connection.close()


def test_the_log_writer_tells_what_it_left_out(tmp_path: Path):
    url = with_gateway(sqlite_in(tmp_path))
    with closing(opening.connect(url)) as connection:
        set_gateway(connection, 1, log_management=10)
        with writing(url) as writer:
            assert writer.answer() == 0
            writer.send([a_record() for _ in range(40)])
            writer.until(40)
            assert writer.full == 30
            assert '"log.full"' in writer.line()
            assert writer.end() == 0
        assert len(LogReader(connection).list_rows(1, limit=50)) == 10
