"""From the stores to the snapshot, on a real database; what is compiled is the configuration itself."""

import asyncio
import sqlite3
import tempfile
import time
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.control.publish import Publisher
from penstock.core.tasks import Tasks
from penstock.core.telemetry import Telemetry
from penstock.features.auth import Keyring
from penstock.gateway.snapshot import Snapshot, Snapshots
from penstock.storage import configuration, gateways, sqlite_file, tokens
from penstock.storage.engine import Database
from penstock.storage.errors import StoreUnavailable
from tests.kit.client import until
from tests.kit.store import ACCOUNT, SECRET, a_token, furnish

NOTHING: Any = None  # what the parts are where nothing is compiled of them


class Looking(Publisher):
    """Counts the looks that failed."""

    failed = 0

    async def refresh(self):
        try:
            await super().refresh()
        except Exception:
            self.failed += 1
            raise


class Process:
    """A process that serves: what it has published, and what it compiled for that, by id."""

    def __init__(self, url):
        self.database = Database(url)
        self.snapshots = Snapshots(Snapshot(0, {}))
        self.keyring = Keyring(Telemetry())
        self.compiled = []
        self.publisher = Looking(self.database, self.snapshots, self.keyring, NOTHING, NOTHING, self.compile)
        self.look = self.publisher.refresh

    def compile(self, config, parts) -> Any:
        self.compiled.append(config.id)
        return config

    @property
    def gateways(self):
        """What serves, by id."""
        return {gateway_id: config for (_, gateway_id), config in self.snapshots.current._gateways.items()}

    @property
    def names(self):
        return {token.name for token in self.keyring.tokens.values()}

    def news(self):
        """What was compiled since it was asked last."""
        told, self.compiled = self.compiled, []
        return told


class Store:
    """Changes as the control plane commits them, and as the command line does: without publishing."""

    def __init__(self, url):
        self.url = url
        self.file = sqlite_file.file_of(url)
        self.database = Database(url)

    @asynccontextmanager
    async def change(self):
        async with self.database.writing() as connection:
            yield connection, await configuration.raise_version(connection)

    async def make(self, *ids, **changes):
        async with self.change() as (connection, version):
            for gateway_id in ids:
                await gateways.insert(connection, ACCOUNT, gateway_id, changes, now(), version)

    async def alter(self, gateway_id, **changes):
        async with self.change() as (connection, version):
            row = await gateways.get(connection, ACCOUNT, gateway_id)
            assert row is not None
            await gateways.change(connection, ACCOUNT, row.number, row.settings | changes, now(), version)

    async def delete(self, gateway_id):
        async with self.change() as (connection, version):
            row = await gateways.get(connection, ACCOUNT, gateway_id)
            assert row is not None
            await gateways.delete(connection, ACCOUNT, row.number, now(), version)

    async def give(self, name):
        async with self.change() as (connection, version):
            await tokens.add(connection, a_token(name), version)

    async def revoke(self, name):
        async with self.change() as (connection, version):
            await tokens.revoke(connection, ACCOUNT, a_token(name).id, now(), version)

    def away(self, *, back=False):
        """The database cannot be read, until it is back."""
        names = ("hidden", "configuration") if back else ("configuration", "hidden")
        with sqlite3.connect(self.file) as connection:
            connection.execute("ALTER TABLE {} RENAME TO {}".format(*names))
        connection.close()


def now():
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def processes(folder, count=1):
    """A store, and so many processes on it."""
    place = await furnish(folder, {}, [a_token()])
    store, there = Store(place.url), [Process(place.url) for _ in range(count)]
    try:
        yield store, *there
    finally:
        for one in (store, *there):
            await one.database.close()


@pytest.fixture
async def one(tmp_path):
    async with processes(tmp_path) as (store, process):
        yield store, process


@pytest.fixture
async def two(tmp_path):
    async with processes(tmp_path, 2) as (store, *both):
        yield store, *both


@asynccontextmanager
async def watched(*processes):
    tasks = Tasks()
    for process in processes:
        tasks.start("configuration", process.publisher.watch())
    try:
        yield
    finally:
        async with AsyncExitStack() as between_two_looks:
            for process in processes:
                await between_two_looks.enter_async_context(process.publisher._turn)
            await tasks.stop()


# What is compiled


async def test_of_a_thousand_gateways_the_changed_one_alone_is_compiled(one):
    store, process = one
    names = [f"g{number}" for number in range(1000)]
    await store.make(*names)
    await process.look()
    assert process.news() == names
    before = process.snapshots.current
    await store.alter("g500", authentication=True)
    await process.look()
    assert process.news() == ["g500"]
    assert process.gateways["g500"].authentication
    assert all(process.gateways[name] is before._gateways[ACCOUNT, name] for name in names if name != "g500")
    assert not before._gateways[ACCOUNT, "g500"].authentication  # calls that run keep what they began with


async def test_where_nothing_changed_nothing_is_swapped(one):
    store, process = one
    await store.make("g")
    await process.look()
    before = process.snapshots.current, process.keyring.tokens
    await process.look()
    assert (process.snapshots.current, process.keyring.tokens) == before
    assert process.snapshots.current is before[0]


async def test_a_token_is_known_and_forgotten_without_compiling_anything(one):
    store, process = one
    await store.make("g")
    await process.look()
    process.news()
    await store.give("new")
    before = process.keyring.tokens
    await process.look()
    assert process.names == {SECRET, "new"}
    await store.revoke("new")
    await process.look()
    assert process.names == {SECRET}
    assert process.news() == []
    assert len(before) == 1  # swapped whole, never changed


async def test_several_changes_of_one_gateway_are_one(one):
    store, process = one
    await store.make("g")
    for turn in range(5):
        await store.alter("g", authentication=turn % 2 == 0)
    await process.look()
    assert process.news() == ["g"]
    assert process.gateways["g"].authentication


@pytest.mark.parametrize("looks", [True, False])
async def test_a_gateway_that_was_deleted_and_made_again_is_the_new_one(one, looks):
    store, process = one
    await store.make("g", authentication=True)
    await process.look()
    old = process.gateways["g"]
    await store.delete("g")
    if looks:
        await process.look()
        assert process.gateways == {}
    await store.make("g")
    await process.look()
    assert process.gateways["g"].number != old.number
    assert not process.gateways["g"].authentication


async def test_a_gateway_that_came_and_went_between_two_looks_never_was(one):
    store, process = one
    await store.make("g")
    await store.delete("g")
    await process.look()
    assert process.gateways == {}
    assert process.news() == []


# Processes beside each other


async def test_two_processes_on_one_database_see_each_others_changes(two):
    store, left, right = two
    async with watched(left, right):
        await store.make("g")
        await left.publisher.published()
        assert "g" in left.gateways  # who answers has published
        await until(lambda: "g" in right.gateways)
        await store.give("new")
        await right.publisher.published()
        assert "new" in right.names
        await until(lambda: "new" in left.names)
        await store.delete("g")
        await until(lambda: not left.gateways and not right.gateways)
    assert left.snapshots.current.version == right.snapshots.current.version


async def test_what_was_committed_and_never_published_is_by_the_next_look(two):
    store, killed, next_one = two
    await store.make("g")
    await killed.look()
    await store.alter("g", authentication=True)  # and then it was killed
    await next_one.look()
    assert next_one.gateways["g"].authentication
    assert not killed.gateways["g"].authentication
    async with watched(killed):  # or it was another that was
        await until(lambda: killed.gateways["g"].authentication)


async def test_a_change_that_was_not_committed_is_not_published(one):
    store, process = one
    with pytest.raises(ZeroDivisionError):
        async with store.change() as (connection, version):
            await gateways.insert(connection, ACCOUNT, "g", {}, 0, version)
            await process.look()
            raise ZeroDivisionError
    await process.look()
    assert process.gateways == {}


async def test_looks_side_by_side_never_go_back(one):
    store, process = one
    published = Published()
    process.publisher = Looking(process.database, published, process.keyring, NOTHING, NOTHING, process.compile)

    async def change(number):
        await store.make(f"g{number}")
        await process.publisher.published()
        assert f"g{number}" in {gateway_id for _, gateway_id in published.current._gateways}

    async with watched(process):
        await asyncio.gather(*(change(number) for number in range(40)))
    assert published.versions == sorted(published.versions)
    assert sorted(process.compiled) == sorted(f"g{number}" for number in range(40))  # each once


class Published(Snapshots):
    """Takes down every version."""

    __slots__ = ("_current", "versions")

    def __init__(self):
        self.versions = []
        self.current = Snapshot(0, {})

    @property
    def current(self):
        return self._current

    @current.setter
    def current(self, snapshot):
        self._current = snapshot
        self.versions.append(snapshot.version)


# While the store is away


async def test_while_the_store_is_away_the_last_state_serves_and_one_line_says_so(one, caplog):
    store, process = one
    await store.make("g")
    await process.look()
    before = process.snapshots.current
    store.away()
    looked = process.publisher
    async with watched(process):
        await until(lambda: looked.failed >= 3)
        assert process.snapshots.current is before
        (line,) = [record for record in caplog.records if record.levelname == "ERROR"]
        assert "the last one known serves on" in line.getMessage()
        store.away(back=True)
        await store.alter("g", authentication=True)
        await until(lambda: process.gateways["g"].authentication)
        store.away()
        failed = looked.failed
        await until(lambda: looked.failed >= failed + 2)
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 2  # one each time


async def test_a_fault_of_any_kind_does_not_end_the_watch(one, caplog):
    store, process = one
    await store.make("g", otel=[])
    await process.look()
    with sqlite3.connect(store.file) as connection:
        connection.execute("UPDATE configuration SET version = version + 1")
        connection.execute("UPDATE gateways SET settings = '{', version = (SELECT version FROM configuration)")
    async with watched(process):
        await until(lambda: process.publisher.failed >= 2)
        with sqlite3.connect(store.file) as connection:
            connection.execute("UPDATE gateways SET settings = '{\"authentication\":true}'")
        await until(lambda: process.gateways["g"].authentication)
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1


async def test_a_look_at_a_store_that_is_away_says_so_and_the_next_one_works(one):
    store, process = one
    await store.make("g")
    store.away()
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await process.look()
    assert process.snapshots.current.version == 0
    store.away(back=True)
    await process.look()
    assert "g" in process.gateways


async def test_a_change_that_stands_is_answered_even_if_it_cannot_be_published_yet(one, caplog):
    store, process = one
    await store.make("g")
    store.away()
    await process.publisher.published()
    (line,) = caplog.records
    assert "stored, but not published yet" in line.getMessage()


# The law


NAMES = st.sampled_from(["a", "b", "c"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["make", "alter", "delete", "give", "revoke"]), NAMES),
        st.tuples(st.just("look"), st.sampled_from([0, 1])),
    ),
    max_size=30,
)


@given(STEPS)
def test_whoever_looks_whenever_has_in_the_end_what_a_new_process_reads(steps):
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(history(Path(folder), steps))


async def history(folder, steps):
    there, given = set(), set()
    async with processes(folder, 3) as (store, *both, new):
        for turn, (what, which) in enumerate(steps):
            if what == "look":
                await both[which].look()
            elif what == "make" and which not in there:
                await store.make(which, authentication=turn % 2 == 0)
                there.add(which)
            elif what == "alter" and which in there:
                await store.alter(which, authentication=turn % 2 == 0)
            elif what == "delete" and which in there:
                await store.delete(which)
                there.remove(which)
            elif what == "give" and f"{which}0" not in given:
                await store.give(f"{which}0")
                given.add(f"{which}0")
            elif what == "revoke" and f"{which}0" in given:
                await store.revoke(f"{which}0")
        for process in (*both, new):
            await process.look()
        states = [(process.gateways, process.names, process.snapshots.current.version) for process in (*both, new)]
    assert states[0] == states[1] == states[2]
    assert set(states[2][0]) == there
