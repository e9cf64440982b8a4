from collections.abc import Iterator
from contextlib import closing

import pytest

from penstock.core import ids
from penstock.model.record import LogRecord
from penstock.storage import opening
from penstock.storage.log import reap
from penstock.storage.log.keep import DAY
from penstock.storage.log.reader import LogReader
from penstock.storage.log.table import LogTable
from penstock.worker import reaper, retention
from penstock.worker.reaper import Reaper
from tests.kit.logsink import a_gateway, a_record, set_gateway


class World:
    """A reaper, and the clocks it goes by."""

    def __init__(self, url: str, *, apart: bool) -> None:
        self.connection = opening.connect(url)
        self.seconds = 1000.0
        self.millis = 100 * DAY
        self.table = LogTable(self.connection)
        self.reader = LogReader(self.connection)
        self.apart = apart
        self.start()

    def start(self) -> None:
        clocks = {"clock": lambda: self.seconds, "now": lambda: self.millis}
        self.reaper = Reaper(self.connection, lambda event, **_: None, apart=self.apart, **clocks)

    def write(self, count: int, number: int = 1, *, age: float = 0.0) -> list[LogRecord]:
        """Rows of so many days ago."""
        made = int(self.millis - age * DAY)
        records = [a_record(id=made.to_bytes(6, "big") + ids.new()[6:], gateway=number) for _ in range(count)]
        self.table.write(records)
        if not self.apart:
            self.reaper.wrote(records)
        return records

    def turns(self, seconds: float = 5.0) -> None:
        """All that is due within that time."""
        until = self.seconds + seconds
        while self.seconds < until:
            self.seconds += max(0.001, self.reaper.turn())

    def kept(self, number: int = 1) -> list[str]:
        return [row.id for row in self.reader.list_rows(number, limit=100_000, ascending=True)]


@pytest.fixture(params=[False, True], ids=["told", "apart"])
def world(url: str, request: pytest.FixtureRequest) -> Iterator[World]:
    with closing(opening.connect(url)):
        made = World(url, apart=request.param)
        yield made
        made.connection.close()


def names(records: list[LogRecord]) -> list[str]:
    return sorted(ids.text(record.id) for record in records)


def test_the_oldest_rows_go_where_there_are_more_than_are_kept(world: World):
    beta = a_gateway(world.connection, "beta")
    set_gateway(world.connection, 1, log_management=50, log_management_strategy="DELETE_OLDEST")
    there = world.write(80)
    world.write(80, beta)
    world.turns()
    assert world.kept() == names(there)[-50:]
    there += world.write(7)
    world.turns()
    assert world.kept() == names(there)[-50:]
    assert len(world.kept(beta)) == 80
    world.write(20, age=1)  # late ones: they are the oldest
    world.turns()
    assert world.kept() == names(there)[-50:]


def test_rows_that_wait_do_not_let_a_log_grow_without_end(url: str):
    world = World(url, apart=False)
    set_gateway(world.connection, 1, log_management=2000, log_management_strategy="DELETE_OLDEST")
    world.turns()
    most = 0
    for _ in range(12):
        world.write(1000)
        world.seconds += reaper.LOOK
        most = max(most, len(world.kept()))
    assert most <= 2000 + 2 * reap.ROWS
    world.connection.close()


def test_rows_go_when_they_are_too_old(world: World):
    set_gateway(world.connection, 1, log_retention_days=30)
    world.write(40, age=31)
    world.write(5, age=30.01)
    young = world.write(20, age=29.9) + world.write(10)
    world.turns()
    assert world.kept() == names(young)
    world.millis += DAY
    world.turns(retention.AGES + 5)
    assert world.kept() == names(young)[20:]


def test_bodies_go_before_their_rows(world: World):
    set_gateway(world.connection, 1, log_body_retention_days=7, log_retention_days=30)
    old, young = world.write(70, age=8), world.write(40, age=6)
    mixed = [old[-1], young[0]]
    world.turns()
    assert world.kept() == names(old + young)
    for record in old:
        assert world.reader.bodies(1, record.id) == (None, None)
    for record in young:
        assert world.reader.bodies(1, record.id) == (record.request, record.response)
    world.start()  # a new process begins anew
    world.millis += 2 * DAY
    world.turns()
    assert {world.reader.bodies(1, record.id) for record in mixed} == {(None, None)}
    world.millis += 30 * DAY
    world.turns(retention.AGES + 5)
    assert world.kept() == []


def test_what_is_kept_can_be_changed(world: World):
    set_gateway(world.connection, 1, log_management=50, log_management_strategy="DELETE_OLDEST", log_retention_days=9)
    there = world.write(40, age=5)
    world.turns()
    set_gateway(world.connection, 1)
    there += world.write(40)
    world.turns(retention.AGES + 5)
    assert world.kept() == names(there)
    set_gateway(world.connection, 1, log_retention_days=2)
    world.turns()
    assert world.kept() == names(there)[40:]
