"""The server of simulated providers: in a test's own loop, or as a process."""

import asyncio
import signal
import sys
from collections.abc import Callable
from typing import Any

import uvloop

from penstock.mock.access import Access
from penstock.mock.connection import Connection
from penstock.mock.shared import Shared
from penstock.mock.stats import Stats


class MockServer:
    """A running server. Made by `start`."""

    def __init__(self, server: asyncio.Server, shared: Shared, host: str) -> None:
        self.host = host
        self.port: int = server.sockets[0].getsockname()[1]
        self._server = server
        self._shared = shared

    @property
    def url(self) -> str:
        """The root of all its paths, without a slash at the end."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"

    def stats(self) -> dict[str, Any]:
        """The counters, as ``GET /_mock/stats`` gives them."""
        return self._shared.stats.snapshot()

    def reset(self) -> None:
        """Sets the counters to 0, as ``POST /_mock/reset`` does."""
        self._shared.stats.reset()

    async def until(self, condition: Callable[[Stats], bool], seconds: float = 5) -> None:
        """Waits until the counters fulfil the condition; asked whenever a request begins or ends, or a connection ends.

        Raises `TimeoutError` with the counters in it.
        """
        reached = asyncio.Event()
        stats = self._shared.stats

        def look() -> None:
            if condition(stats):
                reached.set()

        stats.watchers.append(look)
        try:
            look()
            await asyncio.wait_for(reached.wait(), seconds)
        except TimeoutError:
            raise TimeoutError(f"the simulated providers did not get there: {self.stats()}") from None
        finally:
            stats.watchers.remove(look)

    async def stop(self) -> None:
        """Stops listening and ends every connection at once."""
        self._server.close()
        for transport in list(self._shared.connections):
            transport.abort()
        await self.until(lambda _: not self._shared.connections)
        await self._server.wait_closed()


async def start(host: str = "127.0.0.1", port: int = 0, access: Access | None = None) -> MockServer:
    """Starts a server on the running loop; port 0 takes a free one. ``access``: the credentials that are taken.

    Raises `OSError` where it cannot listen.
    """
    loop = asyncio.get_running_loop()
    shared = Shared(loop, access)
    server = await loop.create_server(lambda: Connection(shared), host, port, backlog=1024)
    return MockServer(server, shared, host)


async def serve(host: str, port: int, *, until_eof: bool = False, access: Access | None = None) -> None:
    """Serves until SIGINT or SIGTERM, or until standard input ends; says on stdout where it listens."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if until_eof:
        loop.add_reader(sys.stdin.fileno(), stop.set)
    server = await start(host, port, access)
    sys.stdout.write(f"penstock mock listening on {server.url}\n")
    sys.stdout.flush()
    await stop.wait()
    await server.stop()


def run(host: str, port: int, *, until_eof: bool = False, access: Access | None = None) -> int:
    """Serves in a loop of its own; the exit status of the process."""
    try:
        uvloop.run(serve(host, port, until_eof=until_eof, access=access))
    except OSError as why:
        sys.stderr.write(f"penstock mock: cannot listen on {host} port {port}: {why}\n")
        return 1
    return 0
