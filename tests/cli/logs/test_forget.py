"""``penstock logs forget``: nothing of a person is left, in the log or in the files."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from penstock.core import ids
from penstock.model.record import LogRecord
from penstock.storage import opening, schema
from penstock.storage.log import reap
from penstock.storage.log.reader import LogReader
from penstock.storage.log.table import LogTable
from penstock.storage.sql import Sql
from tests.kit.command import Done, command
from tests.kit.databases import KINDS, database_of
from tests.kit.logsink import a_gateway, a_record, delete_gateway

CANARY = "ada-4711-canary"  # whose calls are to be forgotten


class World(NamedTuple):
    url: str
    connection: Sql
    folder: Path

    def forget(self, *words: str) -> Done:
        return command("logs", "forget", *words, "--data-dir", str(self.folder), "--database-url", self.url)

    def write(self, count: int, **fields: object) -> list[LogRecord]:
        records = [a_record(rolled=("user",), **fields) for _ in range(count)]
        LogTable(self.connection).write(records)
        return records

    def left(self, number: int = 1) -> set[str]:
        return {row.id for row in LogReader(self.connection).list_rows(number, limit=1000)}

    def words(self) -> set[str]:
        return {name for (name,) in self.connection.execute("SELECT name FROM log_names")}

    def rolled(self) -> int:
        return self.connection.execute("SELECT count(*) FROM log_rollups WHERE value != 0")[0][0]


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with database_of(request.param, tmp_path) as url:
        store = schema.open_store(url)
        with closing(opening.connect(url)) as connection:
            a_gateway(connection)
            yield World(url, connection, tmp_path)
        store.close()


def mine(**more: object) -> str:
    return json.dumps({"user": CANARY, **more})


def test_all_calls_of_one_go_and_no_others(world: World):
    beta = a_gateway(world.connection, "beta")
    stay = world.write(40) + world.write(3, metadata=json.dumps({"team": CANARY}))
    world.write(30, metadata=mine())
    elsewhere = world.write(2, gateway=beta, metadata=mine(n=1))
    done = world.forget("--metadata", f"user={CANARY}", "--gateway", "default", "--yes")
    assert (done.status, done.out) == (0, "Forgotten: 30 calls.\n"), done.err
    assert world.left() == {ids.text(record.id) for record in stay}
    assert world.left(beta) == {ids.text(record.id) for record in elsewhere}
    assert world.forget("--metadata", f"user={CANARY}", "--yes").out == "Forgotten: 2 calls.\n"
    assert world.left(beta) == set()
    assert CANARY not in world.words()
    assert world.rolled() == len({"hour", "day"})  # of u1 alone
    assert "purge_cache" in done.err
    assert "audit trail" in done.err


def test_numbers_and_flags_are_named_as_they_are_written(world: World):
    world.write(1, metadata='{"user":17}')
    world.write(1, metadata='{"user":true}')
    assert world.forget("--metadata", "user=17", "--yes").out == "Forgotten: 1 calls.\n"
    assert world.forget("--metadata", "user=true", "--yes").out == "Forgotten: 1 calls.\n"


def test_what_is_left_of_rows_that_went_before_goes_too(world: World):
    records = world.write(10, metadata=mine(), request=CANARY.encode()) + world.write(10)
    both = [a_record(metadata=mine(), request=CANARY.encode()), *[a_record() for _ in range(5)]]
    LogTable(world.connection).write(both)
    reap.reap(world.connection, 1, 21)  # among them the first of the last block: its body is left there
    assert world.forget("--metadata", f"user={CANARY}", "--yes").out == "Forgotten: 0 calls.\n"
    columns = world.connection.execute("SELECT ids FROM log_bodies")
    assert not any(both[0].id in column for (column,) in columns)
    assert len(world.left()) == len(records) + len(both) - 21


def test_a_deleted_gateways_calls_are_forgotten_too(world: World):
    world.write(5, metadata=mine())
    delete_gateway(world.connection, 1)
    assert world.forget("--metadata", f"user={CANARY}", "--yes").out == "Forgotten: 5 calls.\n"


def test_the_audit_trail_tells_of_it_without_the_value(world: World):
    world.write(5, metadata=mine())
    world.forget("--metadata", f"user={CANARY}", "--yes")
    ((action, before),) = world.connection.execute("SELECT action, before FROM audit")
    assert action == "logs.forget"
    assert json.loads(before) == {"rows": 5, "metadata": "user"}


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
def test_it_is_gone_from_the_files(world: World):
    for _ in range(60):  # rows of others before, between and after, so that pages split
        world.write(20, metadata='{"user":"somebody"}')
        world.write(7, metadata=mine(), event_id=CANARY)
    assert found(world.folder)
    assert world.forget("--metadata", f"user={CANARY}", "--yes").out == "Forgotten: 420 calls.\n"
    assert found(world.folder) == []
    assert len(world.left()) == 1000


@pytest.mark.parametrize("flags", [[], ["--vacuum"]])
def test_what_was_deleted_before_goes_from_the_files_with_vacuum(world: World, flags: list[str]):
    world.write(500, metadata=mine())
    while reap.reap(world.connection, 1):
        pass
    assert world.forget("--metadata", f"user={CANARY}", "--yes", *flags).status == 0
    if flags and world.url.startswith("sqlite"):
        assert found(world.folder) == []


def found(folder: Path) -> list[str]:
    return [file.name for file in folder.glob("penstock.db*") if CANARY.encode() in file.read_bytes()]


@pytest.mark.parametrize(("words", "said"), [
    (["--metadata", "user=x"], "--yes"), (["--metadata", "user", "--yes"], "KEY=VALUE"),
    (["--metadata", "=x", "--yes"], "KEY=VALUE"),
    (["--metadata", "user=x", "--yes", "--gateway", "nowhere"], "no gateway nowhere"),
])  # fmt: skip
def test_what_is_not_clear_forgets_nothing(world: World, words: list[str], said: str):
    world.write(1, metadata='{"user":"x"}')
    done = world.forget(*words)
    assert done.status != 0
    assert said in done.err
    assert len(world.left()) == 1
