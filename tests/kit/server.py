"""A real server on a real socket, in the loop of the test."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager

import uvicorn

from penstock.app import Application, Place
from penstock.core.settings import Settings
from penstock.core.tasks import Tasks
from penstock.gateway.compile import upstreams
from penstock.gateway.snapshot import Snapshot
from penstock.ports.logsink import LogSink
from tests.kit.store import ACCOUNT


class Running:
    """The application and where it listens."""

    def __init__(self, app: Application, port: int, server: uvicorn.Server) -> None:
        self.app = app
        self.port = port
        self.server = server

    def url(self, gateway: str = "default", provider: str = "openai") -> str:
        """The base URL for a provider's SDK."""
        return f"http://127.0.0.1:{self.port}/v1/{ACCOUNT}/{gateway}/{provider}"


@asynccontextmanager
async def running(
    settings: Settings,
    place: Place,
    sink: LogSink,
    *,
    adjust: Callable[[Application], Snapshot | None] | None = None,
) -> AsyncGenerator[Running]:
    """Serves until the block ends. ``adjust`` may return another snapshot for the application."""
    app = Application(settings, place, upstreams(settings.providers, settings.markups), sink, Tasks())
    background = Tasks()
    server, ending = app.server(), asyncio.Event()
    _leave_signals_alone(server)
    _end_at_once(server, ending)
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    listening = asyncio.Event()
    app.announce = listening.set
    serving = background.start("server", server.serve([listener]))
    waiting = background.start("listening", listening.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        listener.close()
        serving.result()
    if adjust is not None and (snapshot := adjust(app)) is not None:
        app.snapshots.current = snapshot
    try:
        yield Running(app, listener.getsockname()[1], server)
    finally:
        server.should_exit = True
        ending.set()
        await serving


def _leave_signals_alone(server: uvicorn.Server) -> None:
    """The test's process keeps its own."""

    @contextlib.contextmanager
    def nothing() -> Generator[None]:
        yield

    server.capture_signals = nothing


def _end_at_once(server: uvicorn.Server, ending: asyncio.Event) -> None:
    """uvicorn looks ten times a second whether it is to end; here it is told."""

    async def main_loop() -> None:
        ticks = 0
        while not await server.on_tick(ticks):
            ticks += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), 0.1)

    server.main_loop = main_loop
