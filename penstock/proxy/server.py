"""uvicorn, around an application that has more than an ASGI application: it starts, serves and stops."""

import asyncio
import signal
import socket
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import FrameType
from typing import Any, Protocol, cast

import uvicorn

from penstock.core.logs import log
from penstock.core.settings import Settings
from penstock.core.tasks import Tasks
from penstock.proxy.acceptor import Acceptor
from penstock.proxy.ingress import ClientConnection
from penstock.proxy.plane import Plane
from penstock.storage.errors import StoreUnavailable

_POLL = 0.01  # seconds between two looks at what still runs
_MOMENT = 1.0  # seconds
_GRACE = 1.0  # seconds in which a client that is there will have called again
_BACK_OFF = (0.1, 2.0)  # seconds before a store that is away is tried again: at first, and at most


class Served(Protocol):
    """The application. ``plane`` and ``running`` as in ``app.Application``."""

    settings: Settings
    plane: Plane

    def running(self) -> AbstractAsyncContextManager[None]: ...
    def announce(self) -> None: ...
    def protocol(self, config: uvicorn.Config, server_state: Any, app_state: Any) -> asyncio.Protocol: ...


class Server(uvicorn.Server):
    """Says when it listens, and shows at once that it stops.

    One of several processes that accept on a socket (``shared``) waits for a store that is away, while the others take
    the calls; and leaves new connections to them when it stops alone.
    """

    def __init__(self, app: Served, config: uvicorn.Config, *, shared: bool) -> None:
        super().__init__(config)
        self._app = app
        self._shared = shared
        self._acceptors: list[Acceptor] = []
        self._together = False  # all of them stop
        self._background = Tasks()
        self._opened = AsyncExitStack()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens. Raises StoreUnavailable, unless ``shared``."""
        if not await self._open():
            return
        await super().startup([] if self._shared else sockets)
        if self._shared:
            self._acceptors = [Acceptor(one, self._connected, self._background) for one in sockets or ()]
            self.servers = [*self.servers, *cast("list[asyncio.Server]", self._acceptors)]  # uvicorn closes them
        self._app.announce()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal begins the stop, a second SIGINT cuts it short. uvicorn would raise the signal again at the end, and
        a stop that was asked for would look like a failure.
        """
        self.force_exit = self.force_exit or (self.should_exit and sig == signal.SIGINT)
        self.should_exit = True

    def stop_with_all(self, *, now: bool = False) -> None:
        """Begins the stop of a process that is not the only one to stop: whoever comes now is told so. ``now``: without
        waiting for running calls.
        """
        self.should_exit = self._together = True
        self.force_exit = self.force_exit or now
        for acceptor in self._acceptors:
            acceptor.resume()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Lets running calls end, within the limit. Until then, new ones and /readyz are told that it stops."""
        plane, loop = self._app.plane, asyncio.get_running_loop()
        until = loop.time() + self._app.settings.stop_timeout
        if self._shared:
            await self._leave()
        plane.stopping = True
        while plane.calls and not self.force_exit and loop.time() < until:  # noqa: ASYNC110  no event tells of a signal
            await asyncio.sleep(_POLL)
        await plane.stop()
        await self._close(sockets or [], max(until, loop.time() + _MOMENT))  # bytes may still be on their way
        await self._end()
        await self._background.stop()

    async def _open(self) -> bool:
        """Starts the application. False: before it could, it is to stop."""
        wait, most = _BACK_OFF
        said = ""
        while not self.should_exit:
            try:
                await self._opened.enter_async_context(self._app.running())
            except StoreUnavailable as error:
                if not self._shared:
                    raise
                if error.message != said:
                    log.error("the process cannot serve yet, and tries again until it can: %s", error.message)
                said = error.message
            else:
                return True
            await asyncio.sleep(wait)
            wait = min(most, 2 * wait)
        return False

    async def _leave(self) -> None:
        """Where the others go on, they take what comes, and connections that are in use move over to them: each has one
        more answer, with the word that it is the last.
        """
        until = asyncio.get_running_loop().time() + _GRACE
        for acceptor in () if self._together else self._acceptors:
            acceptor.pause()
        while not (self._together or self.force_exit) and asyncio.get_running_loop().time() < until:
            connections = cast("set[ClientConnection]", self.server_state.connections)
            if not connections:
                return
            for connection in connections:
                connection.closing = True
            await asyncio.sleep(_POLL)

    async def _close(self, sockets: list[socket.socket], until: float) -> None:
        """Listens no more, and waits for the connections to end. uvicorn itself would take two tenths of a second."""
        for listening in (*self.servers, *sockets):
            listening.close()
        state, loop = self.server_state, asyncio.get_running_loop()
        for connection in list(state.connections):
            connection.shutdown()
        while (state.connections or state.tasks) and not self.force_exit and loop.time() < until:  # noqa: ASYNC110  nor one of a connection
            await asyncio.sleep(_POLL)
        for task in list(state.tasks):
            task.cancel()

    async def _end(self) -> None:
        """Stops the application; cut short, it has a moment yet for what it knows and has not written."""
        ending = self._background.start("end", self._opened.aclose())
        while not ending.done() and not self.force_exit:
            await asyncio.wait({ending}, timeout=_POLL)
        await asyncio.wait({ending}, timeout=_MOMENT)

    def _connected(self) -> asyncio.Protocol:
        return self._app.protocol(self.config, self.server_state, {})
