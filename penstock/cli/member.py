"""One of several serving processes: ``python -m penstock.cli.member CHANNEL LISTENER``, two descriptors.

``cli.supervise`` starts it and describes what the two say to each other. It stops when it is told to, when it gets a
signal, and when its parent is gone.
"""

import asyncio
import os
import signal
import socket
import sys

import uvloop

from penstock.app import Application, Place, compose
from penstock.cli.handover import Handover
from penstock.core import logs, tasks
from penstock.core.channel import Channel
from penstock.core.errors import PenstockError
from penstock.core.exposition import render
from penstock.core.telemetry import Report
from penstock.gateway.compile import upstreams
from penstock.ports.bus import BusUnavailable
from penstock.proxy.server import Server

PATIENCE = 3.0  # seconds the parent has to put the figures of all together


class Unheard(PenstockError):
    """The process that watches over the serving ones does not answer."""

    status, code = 503, 2010
    retry_after = 1


class Member:
    """The process's side of the channel."""

    def __init__(self, link: socket.socket, app: Application, server: Server) -> None:
        self._channel = Channel(link)
        self._app = app
        self._server = server
        self._tasks = tasks.Tasks()
        self._asked: dict[int, asyncio.Future[Report]] = {}
        self._count = 0
        app.figures = self.figures
        app.announce = self.listens
        self._tasks.start("parent", self._attend())

    def listens(self) -> None:
        """Says so."""
        self._tasks.start("listens", self._channel.send("listens"))

    async def refused(self, reason: str) -> None:
        """Says why there is no use in starting."""
        await self._channel.send("refused", reason)

    async def figures(self) -> bytes:
        """Those of all processes. Raises Unheard: less than all would look as if something had been counted back."""
        self._count += 1
        number = self._count
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._channel.send("ask", number=number)
                return render(await answer)
        except TimeoutError:
            raise Unheard from None
        finally:
            del self._asked[number]

    async def farewell(self) -> None:
        """What this process measured until its end."""
        await self._channel.send("report", self._app.report())
        await self._tasks.stop()

    async def _attend(self) -> None:
        while (message := await self._channel.receive()) is not None:
            if message.kind == "tell":
                await self._channel.send("report", self._app.report(), message.number)
            elif message.kind == "figures" and (asked := self._asked.get(message.number)) and not asked.done():
                asked.set_result(message.read(Report))
            elif message.kind in {"stop", "now"}:
                self._server.stop_with_all(now=message.kind == "now")
        self._server.stop_with_all()  # the parent is gone


async def serve(link: socket.socket, listener: socket.socket, app: Application, *, first: bool) -> int:
    """Serves until it is to stop; returns the exit status. Where the server has never been up (``first``), everything
    that the process needs must be there.
    """
    server = app.server(shared=True)
    member = Member(link, app, server)
    try:
        if first and app.redis is not None:
            await app.redis.reach()
    except BusUnavailable as error:
        await member.refused(error.message)
        return 1
    await server.serve([listener])
    await member.farewell()
    return 0


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # until the server has its own ways with signals
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the parent says what there is to say
    link, listener = (_inherited(int(word)) for word in sys.argv[1:])
    handover = _handover(link)
    if handover is None:
        return 0  # the parent is gone already
    settings = handover.read()
    logs.configure(access=settings.access_log)
    app = compose(settings, Place(handover.url, handover.master_keys), upstreams(settings.providers, settings.markups))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(serve(link, listener, app, first=handover.first))


def _inherited(descriptor: int) -> socket.socket:
    """The socket, which no process started here shall have."""
    os.set_inheritable(descriptor, False)
    return socket.socket(fileno=descriptor)


def _handover(link: socket.socket) -> Handover | None:
    async def receive() -> Handover | None:
        message = await Channel(link).receive()
        return None if message is None else message.read(Handover)

    return asyncio.run(receive())


if __name__ == "__main__":
    sys.exit(main())
