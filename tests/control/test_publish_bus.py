"""A change that is announced is looked for at once; one that nobody announces or hears of is found by looking."""

import asyncio
from contextlib import asynccontextmanager
from typing import Any

import pytest

from penstock.control.publish import Publisher
from penstock.core.tasks import Tasks
from penstock.core.telemetry import Telemetry
from penstock.features.auth import Keyring
from penstock.gateway.snapshot import Snapshot, Snapshots
from penstock.ports.bus import Bus
from penstock.storage import configuration, tokens
from penstock.storage.engine import Database
from penstock.storage.errors import StoreUnavailable
from tests.kit.client import until
from tests.kit.store import SECRET, a_token, furnish

NOTHING: Any = None  # what the parts are where nothing is compiled of them


class Room(Bus):
    """Whoever is in it hears what is said, unless it is ``deaf``."""

    def __init__(self):
        self.ears = []
        self.said = 0
        self.deaf = False

    def announce(self):
        self.said += 1
        for heard in () if self.deaf else self.ears:
            heard()

    async def listen(self, heard):
        self.ears.append(heard)
        heard()
        await asyncio.Event().wait()


class Process:
    def __init__(self, url, room):
        self.database = Database(url)
        self.keyring = Keyring(Telemetry())
        self.snapshots = Snapshots(Snapshot(0, {}))
        self.publisher = Publisher(self.database, self.snapshots, self.keyring, NOTHING, NOTHING, buses=[room])

    @property
    def names(self):
        return {token.name for token in self.keyring.tokens.values()}


@asynccontextmanager
async def two(folder):
    """Two processes in one room, and the URL of their database."""
    place = await furnish(folder, {}, [a_token()])
    room, tasks = Room(), Tasks()
    both = [Process(place.url, room) for _ in range(2)]
    for one in both:
        tasks.start("watch", one.publisher.watch())
        tasks.start("listen", room.listen(one.publisher.heard))
    try:
        await until(lambda: all(one.names == {SECRET} for one in both))
        yield room, *both
    finally:
        for one in both:
            await one.publisher.stop()
        await tasks.stop()
        for one in both:
            await one.database.close()


async def give(process, name):
    async with process.database.writing() as connection:
        await tokens.add(connection, a_token(name), await configuration.raise_version(connection))


async def test_what_one_process_publishes_the_other_hears_of_at_once(tmp_path):
    async with two(tmp_path) as (room, one, other):
        one.publisher._pause = other.publisher._pause = 1000.0  # nobody looks by itself any more
        room.announce()  # who looks already does so once more
        room.said = 0
        for number in range(10):
            await give(one, f"token-{number}")
            await one.publisher.published()
            await until(lambda number=number: f"token-{number}" in other.names)
        assert room.said == 10


async def test_what_nobody_hears_is_found_by_looking(tmp_path):
    async with two(tmp_path) as (room, one, other):
        room.deaf = True
        await give(one, "unheard")
        await one.publisher.published()
        assert "unheard" in one.names
        await until(lambda: "unheard" in other.names)


async def test_what_was_not_announced_at_all_is_found_by_looking(tmp_path):
    async with two(tmp_path) as (room, one, other):
        await give(one, "of the command line")
        await until(lambda: "of the command line" in one.names & other.names)
        assert room.said == 0


async def test_announcements_do_not_make_it_ask_a_store_that_is_away_again_and_again(tmp_path):
    async with two(tmp_path) as (room, one, other):
        asked = 0

        async def away():
            nonlocal asked
            asked += 1
            raise StoreUnavailable("away")

        one.publisher.refresh = away
        room.announce()
        await until(lambda: one.publisher.away)
        for _ in range(50):
            room.announce()
            await asyncio.sleep(0.002)
        assert asked == 1
        assert not other.publisher.away
        del one.publisher.refresh
        await until(lambda: not one.publisher.away)


async def test_a_change_is_announced_also_where_it_cannot_be_read_back(tmp_path, caplog):
    async with two(tmp_path) as (_, one, other):

        async def away():
            raise StoreUnavailable("away")

        one.publisher.refresh = away
        await give(one, "new")
        await one.publisher.published()
        assert "stored, but not published yet" in caplog.text
        await until(lambda: "new" in other.names)


@pytest.mark.parametrize(("buses", "pause"), [([], 0.5), ([Room()], 1.0)], ids=["none", "one"])
def test_where_there_is_a_bus_it_looks_less_often(buses, pause):
    publisher = Publisher(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, buses=buses)
    assert publisher._pause == pause
