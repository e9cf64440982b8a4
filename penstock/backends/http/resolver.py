"""Names become addresses, in threads of their own: the system's resolver blocks, for half a minute where it gets no
answer, and must hold up nobody but those who asked for that very name.
"""

import asyncio
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from penstock.backends.http.connect import SockAddress

AT_ONCE = 32  # names looked up at the same time; others wait
KNOWN = 1024  # names whose addresses are remembered
STALE = 3600.0  # seconds for which they may stand in where the resolver does not answer
PATIENCE = 1.0  # seconds that a resolver has until they do

LookUp = Callable[..., list[tuple[Any, ...]]]  # as socket.getaddrinfo


class Unresolved(OSError):
    """A name has no address."""


class _Flight:
    """One look-up, for all who wait for it."""

    __slots__ = ("host", "landed", "waiting")

    def __init__(self, host: str, landed: "asyncio.Future[list[SockAddress] | str]") -> None:
        self.host = host
        self.landed = landed  # with the reason where there are no addresses
        self.waiting = 0


class Resolver:
    """Looks each name up once at a time, however many ask.

    A resolver that fails or is slow is bridged by what it said last; a name that is gone is gone at once.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, look_up: LookUp = socket.getaddrinfo) -> None:
        self._loop = loop
        self._look_up = look_up
        self._flights: dict[str, _Flight] = {}
        self._queue: deque[_Flight] = deque()
        self._flying = 0
        self._known: dict[str, tuple[float, list[SockAddress]]] = {}

    async def __call__(self, host: str, port: int) -> list[SockAddress]:
        """The addresses, with the port. Raises Unresolved. Waits as long as the resolver does: set a limit."""
        flight = self._flights.get(host) or self._take_off(host)
        flight.waiting += 1
        try:
            found = await self._landed(flight)
        finally:
            flight.waiting -= 1
            if not flight.waiting and flight in self._queue:
                self._queue.remove(flight)
                del self._flights[host]
        if isinstance(found, str):
            raise Unresolved(f"the name does not resolve ({found})")
        return [cast("SockAddress", (address[0], port, *address[2:])) for address in found]

    async def _landed(self, flight: _Flight) -> list[SockAddress] | str:
        known = self._recent(flight.host)
        try:
            async with asyncio.timeout(PATIENCE if known else None):
                return await asyncio.shield(flight.landed)
        except TimeoutError:
            return known

    def _recent(self, host: str) -> list[SockAddress]:
        since, addresses = self._known.get(host, (0.0, []))
        return addresses if self._loop.time() - since < STALE else []

    def _take_off(self, host: str) -> _Flight:
        flight = self._flights[host] = _Flight(host, self._loop.create_future())
        self._queue.append(flight)
        self._fly()
        return flight

    def _fly(self) -> None:
        while self._queue and self._flying < AT_ONCE:
            flight = self._queue.popleft()
            self._flying += 1
            # A daemon: a process that ends waits for no resolver.
            threading.Thread(target=self._look, args=(flight,), name="resolver", daemon=True).start()

    def _look(self, flight: _Flight) -> None:
        """In a thread of its own."""
        passing = False
        try:
            rows = self._look_up(flight.host, None, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
            found: list[SockAddress] | str = [row[4] for row in rows] or "it has no address"
        except (OSError, ValueError) as error:  # no name at all is a UnicodeError, and so a ValueError
            found = getattr(error, "strerror", None) or str(error)
            passing = getattr(error, "errno", None) == socket.EAI_AGAIN
        with suppress(RuntimeError):  # the loop has ended meanwhile
            self._loop.call_soon_threadsafe(self._land, flight, found, passing)

    def _land(self, flight: _Flight, found: list[SockAddress] | str, passing: bool) -> None:  # noqa: FBT001
        self._flying -= 1
        self._flights.pop(flight.host, None)
        if isinstance(found, list):
            self._known.pop(flight.host, None)
            self._known[flight.host] = (self._loop.time(), found)
            if len(self._known) > KNOWN:
                del self._known[next(iter(self._known))]
        elif passing:
            found = self._recent(flight.host) or found
        flight.landed.set_result(found)
        self._fly()
