"""A serving process, as its parent has it: real processes, on an SQLite file that each has for itself."""

import asyncio
import signal
import socket
from contextlib import asynccontextmanager

import pytest

from penstock.cli.handover import Handover
from penstock.cli.sibling import Sibling
from penstock.core.settings import Settings
from penstock.core.tasks import Tasks
from penstock.core.telemetry import Report
from tests.kit.client import connected
from tests.kit.process import PATIENCE
from tests.kit.several import ALIVE
from tests.kit.store import furnish

METRICS = b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n"


class Parent:
    """What a process is attended by, and the port it listens on."""

    def __init__(self, sibling, port, tasks):
        self.sibling = sibling
        self.port = port
        self.tasks = tasks
        self.listens = asyncio.Event()
        self.asked = asyncio.Queue()
        self.attending = tasks.start("attend", sibling.attend(self.listens.set, lambda _, n: self.asked.put_nowait(n)))

    async def listening(self):
        async with asyncio.timeout(PATIENCE):
            await self.listens.wait()

    async def ended(self):
        """In words."""
        async with asyncio.timeout(PATIENCE):
            await self.attending
        return self.sibling.status


@asynccontextmanager
async def started(folder, *, first=True, **settings):
    place = await furnish(folder, {"default": {}}, [])
    handover = Handover.of(Settings(stop_timeout=2.0, **settings), place.url, place.master_keys)
    tasks = Tasks()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        parent = Parent(await Sibling.start(listener, handover), listener.getsockname()[1], tasks)
        try:
            yield parent
        finally:
            if not parent.attending.done():
                parent.sibling.kill()
                await parent.ended()
            await tasks.stop()


async def test_it_says_when_it_listens_and_tells_what_it_measured(tmp_path):
    async with started(tmp_path) as parent:
        await parent.listening()
        assert parent.sibling.listened
        assert parent.sibling.report == Report()
        async with connected(parent.port) as client:
            assert (await client.ask(ALIVE)).status == 200
            await asyncio.gather(*(parent.sibling.tell(parent.tasks) for _ in range(3)))
        assert dict(parent.sibling.report.figures["penstock_client_connections"]) == {(): 1.0}


async def test_whoever_asks_it_for_figures_is_given_those_of_all(tmp_path):
    async with started(tmp_path) as parent, connected(parent.port) as client:
        await parent.listening()
        await client.send(METRICS)
        number = await parent.asked.get()
        report = Report({"penstock_workers": [(("running",), 64.0)]})
        await parent.sibling.channel.send("figures", report, number)
        answer = await client.answer()
        assert (answer.status, b'penstock_workers{state="running"} 64.0' in answer.body) == (200, True)


async def test_figures_that_its_parent_does_not_give_are_refused_and_not_halved(tmp_path):
    async with started(tmp_path) as parent, connected(parent.port) as client:
        await parent.listening()
        answer = await client.ask(METRICS)
        assert (answer.status, b"does not answer" in answer.body) == (503, True)


async def test_it_stops_when_it_is_told_to_and_says_last_what_it_measured(tmp_path):
    async with started(tmp_path) as parent:
        await parent.listening()
        await parent.sibling.channel.send("stop")
        assert await parent.ended() == "status 0"
        assert parent.sibling.report.figures["process_cpu_seconds_total"]


async def test_it_stops_when_its_parent_is_gone(tmp_path):
    async with started(tmp_path) as parent:
        await parent.listening()
        parent.sibling._link.shutdown(socket.SHUT_WR)
        assert await parent.ended() == "status 0"


@pytest.mark.parametrize("when", ["at its start", "later"])
async def test_how_it_died_is_told(tmp_path, when):
    async with started(tmp_path) as parent:
        if when == "later":
            await parent.listening()
        parent.sibling.kill()
        assert await parent.ended() == signal.SIGKILL.name
        assert parent.sibling.listened == (when == "later")


async def test_it_says_why_there_is_no_use_in_starting(tmp_path):
    async with started(tmp_path, redis_url="redis://127.0.0.1:1/0") as parent:
        assert await parent.ended() == "status 1"
        assert parent.sibling.refusal.startswith("redis_url: Redis cannot be used")
