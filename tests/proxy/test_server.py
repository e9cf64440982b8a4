"""The server around the application: one of several waits for its store, and leaves connections to the others."""

import asyncio
import signal
import socket
from contextlib import asynccontextmanager

import pytest

from penstock.app import Application
from penstock.core.settings import Settings
from penstock.core.tasks import Tasks
from penstock.gateway.compile import upstreams
from penstock.storage.errors import StoreUnavailable
from tests.kit.client import connected, until
from tests.kit.house import request
from tests.kit.logsink import MemoryLogSink
from tests.kit.server import _leave_signals_alone
from tests.kit.store import furnish

NOBODY = {"openai": "http://127.0.0.1:1"}
CALL = request(body=b"x" * 10)
READY = b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"


class One:
    """A serving process, in the loop of the test."""

    def __init__(self, place, *, shared):
        self.settings = Settings(stop_timeout=5.0)
        self.app = Application(self.settings, place, upstreams(NOBODY), MemoryLogSink(), Tasks())
        self.server = self.app.server(shared=shared)
        _leave_signals_alone(self.server)
        self.listens = asyncio.Event()
        self.app.announce = self.listens.set

    async def ready(self, port):
        async with connected(port) as client:
            return (await client.ask(READY)).status


@asynccontextmanager
async def serving(place, count=1, *, shared=True):
    """So many on one socket; they are not waited for."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        found = [One(place, shared=shared) for _ in range(count)]
        tasks, copies = Tasks(), [listener.dup() for _ in found]
        running = [tasks.start("serve", one.server.serve([copy])) for one, copy in zip(found, copies, strict=True)]
        try:
            yield listener.getsockname()[1], *found
        finally:
            for one in found:
                one.server.should_exit = True
            await asyncio.wait(running)
            for copy in copies:
                copy.close()


@pytest.fixture
async def place(tmp_path):
    return await furnish(tmp_path, {"default": {}}, [])


@pytest.fixture
async def away(place, tmp_path):
    """A store that is not there until ``come`` is called."""
    file = tmp_path / place.url.rpartition("/")[2]
    hidden = file.rename(file.with_name("hidden"))
    return place, lambda: hidden.rename(file)


async def test_one_of_several_listens_only_when_its_store_is_there(away, caplog):
    place, come = away
    async with serving(place) as (port, one):
        await until(lambda: "cannot serve yet" in caplog.text)
        waiting = asyncio.ensure_future(one.ready(port))
        await asyncio.sleep(0.3)  # several tries
        assert not waiting.done()
        assert not one.listens.is_set()
        assert len(caplog.records) == 1, "it is said once"
        come()
        assert await waiting == 200
        assert one.listens.is_set()


async def test_it_can_be_stopped_while_it_waits(away):
    place, _ = away
    async with serving(place) as (_, one):
        await asyncio.sleep(0.1)
    assert not one.server.started


async def test_one_that_is_alone_ends_without_its_store(away):
    place, _ = away
    one = One(place, shared=False)
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(StoreUnavailable):
        await one.server.serve([listener])


async def test_who_stops_alone_leaves_what_comes_to_the_others(place):
    async with serving(place, 2) as (port, one, other):
        await asyncio.gather(one.listens.wait(), other.listens.wait())
        async with connected(port) as kept:
            await kept.send(CALL[:-5])
            await until(lambda: one.app.plane.calls or other.app.plane.calls)
            leaving = one if one.app.plane.calls else other
            leaving.server.handle_exit(signal.SIGTERM, None)
            await until(lambda: leaving.app.plane.stopping)
            for _ in range(20):
                assert await one.ready(port) == 200
            await kept.send(CALL[-5:])
            assert (await kept.answer()).status == 502  # of the provider that is none


async def test_when_all_stop_whoever_comes_is_told_so(place):
    async with serving(place, 2) as (port, one, other):
        await asyncio.gather(one.listens.wait(), other.listens.wait())
        async with connected(port) as kept:
            await kept.send(CALL[:-5])
            await until(lambda: one.app.plane.calls or other.app.plane.calls)
            for each in (one, other):
                each.server.handle_exit(signal.SIGTERM, None)  # as a service manager does, and the parent says why
                each.server.stop_with_all()
            await until(lambda: one.app.plane.stopping and other.app.plane.stopping)
            taken = one if one.app.plane.calls else other
            assert await taken.ready(port) == 503
            await kept.send(CALL[-5:])
            assert (await kept.answer()).status == 502
