"""The bus over a real Redis, which is stopped and started."""

import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest

from penstock.backends.bus import RedisBus
from penstock.backends.redis_channel import HEARTBEAT
from penstock.core.tasks import Tasks
from penstock.ports.bus import BusUnavailable
from tests.kit.process import eventually
from tests.kit.services import redis
from tests.kit.several import CACHE


class Listener:
    """A process: what it heard, and the bus it speaks on."""

    def __init__(self, url, *, heartbeat=HEARTBEAT):
        self.tasks = Tasks()
        self.bus = RedisBus(self.tasks, url, heartbeat)
        self.heard = 0
        self.tasks.start("listen", self.bus.listen(self.hear))

    def hear(self):
        self.heard += 1

    async def listens(self):
        """One word comes of itself: whatever was said before it listened."""
        await eventually(lambda: self.heard)
        self.heard = 0


@asynccontextmanager
async def listeners(url, count, **more):
    found = [Listener(url, **more) for _ in range(count)]
    try:
        yield found
    finally:
        for one in found:
            await one.tasks.stop()


@pytest.fixture
def cache():
    with redis() as server:
        yield server


async def test_what_one_announces_all_hear():
    async with listeners(os.environ[CACHE], 3) as found:
        for one in found:
            await one.listens()
        found[0].bus.announce()
        await eventually(lambda: all(one.heard for one in found))


async def test_redis_that_goes_and_comes_back_is_told_once_and_heard_again(cache, caplog):
    async with listeners(cache.url, 2) as (one, other):
        await one.listens()
        await other.listens()
        cache.stop()
        await eventually(lambda: len(caplog.records) == 2)  # one line of each
        for _ in range(5):
            one.bus.announce()
        await eventually(lambda: len(one.tasks) == 1)  # given up, but for the listening
        cache.start()
        await one.listens()  # of itself, for what was announced meanwhile
        await other.listens()
        one.bus.announce()
        await eventually(lambda: other.heard)
    said = [record.getMessage() for record in caplog.records]
    assert len([line for line in said if "cannot be used" in line]) == 2
    assert len([line for line in said if line == "Redis is back"]) == 2


async def test_a_redis_that_hangs_keeps_nobody_from_going_on(cache, caplog):
    async with listeners(cache.url, 1) as (one,):
        await one.listens()
        os.kill(cache.pid, signal.SIGSTOP)
        try:
            one.bus.announce()
            await eventually(lambda: "does not answer" in caplog.text)
        finally:
            os.kill(cache.pid, signal.SIGCONT)


async def test_a_listener_notices_that_nothing_would_come_any_more(cache, caplog):
    async with listeners(cache.url, 1, heartbeat=0.1) as (one,):
        await one.listens()
        os.kill(cache.pid, signal.SIGSTOP)
        try:
            await eventually(lambda: "does not answer" in caplog.text)
        finally:
            os.kill(cache.pid, signal.SIGCONT)
        await eventually(lambda: "Redis is back" in caplog.text)


async def test_whether_redis_answers_is_told_at_the_start(cache):
    bus = RedisBus(Tasks(), cache.url)
    await bus.reach()
    os.kill(cache.pid, signal.SIGSTOP)
    try:
        with pytest.raises(BusUnavailable, match="redis_url: Redis cannot be used: it does not answer"):
            await bus.reach()
    finally:
        os.kill(cache.pid, signal.SIGCONT)
    cache.stop()
    with pytest.raises(BusUnavailable, match="redis_url: Redis cannot be used"):
        await bus.reach()


def test_its_library_is_imported_by_need():
    code = "import sys, penstock.app, penstock.backends.bus; sys.exit('redis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
