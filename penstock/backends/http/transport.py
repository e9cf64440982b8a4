"""Pools of keep-alive connections, one an origin, behind ``ports.transport``."""

import asyncio
import ssl
from functools import cached_property

from penstock.backends.http.call import UpstreamCall
from penstock.backends.http.connection import Connection, Limits
from penstock.core.deadlines import Deadlines
from penstock.core.errors import ProviderFailure, ProviderTimeout, ProviderUnreachable
from penstock.core.outbox import Outbox
from penstock.model.reply import Reply
from penstock.ports.transport import Origin, Outgoing


class HttpTransport:
    """Sends requests. ``connect_limit`` in seconds; ``pool_size`` idle connections are kept an origin."""

    def __init__(
        self, deadlines: Deadlines, outbox: Outbox, limits: Limits, connect_limit: float, pool_size: int
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._deadlines = deadlines
        self._outbox = outbox
        self._limits = limits
        self._connect_limit = connect_limit
        self._pool_size = pool_size
        self._idle: dict[Origin, list[Connection]] = {}
        self._open: set[Connection] = set()

    async def send(self, outgoing: Outgoing) -> Reply:
        """The answer's head is here. One silent retry, on a new connection, where a pooled one turns out to be dead."""
        stream = outgoing.stream
        if connection := self._take(outgoing.origin):
            call = UpstreamCall(connection, outgoing.method, stream)
            call.reused = True
            try:
                return await self._exchange(connection, outgoing, call)
            except ProviderUnreachable:
                if call.heard or not (stream is None or stream.rewindable()):
                    raise
        connection = await self._connect(outgoing.origin)
        return await self._exchange(connection, outgoing, UpstreamCall(connection, outgoing.method, stream))

    def counts(self) -> tuple[int, int]:
        """Connections in use, and idle."""
        idle = sum(map(len, self._idle.values()))
        return len(self._open) - idle, idle

    def close(self) -> None:
        """Ends every connection."""
        for connection in list(self._open):
            connection.abort()

    async def _exchange(self, connection: Connection, outgoing: Outgoing, call: UpstreamCall) -> Reply:
        try:
            connection.begin(outgoing, call)
            return await call.head(self._loop)
        except BaseException:
            call.close()
            raise

    def _take(self, origin: Origin) -> Connection | None:
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.usable:
                return connection
        return None

    async def _connect(self, origin: Origin) -> Connection:
        connection = Connection(origin, self._limits, self._deadlines, self._outbox, self._rested, self._lost)
        tls = self._tls if origin.tls else None
        try:
            async with asyncio.timeout(self._connect_limit):
                await self._loop.create_connection(lambda: connection, origin.host, origin.port, ssl=tls)
        except TimeoutError as error:
            raise ProviderTimeout(f"No connection to {origin.host} within {self._connect_limit:g} seconds.") from error
        except (OSError, ssl.SSLError) as error:
            raise _unreachable(origin, error) from error
        if not connection.usable:  # lost again before this task could go on
            raise ProviderUnreachable("Failed to get response from provider: it closed the connection.")
        # Only now: where the wait is cancelled, the loop closes the connection and never says that it is lost.
        self._open.add(connection)
        self._deadlines.watched.add(connection)
        return connection

    def _rested(self, connection: Connection) -> None:
        idle = self._idle.setdefault(connection.origin, [])
        if len(idle) < self._pool_size:
            idle.append(connection)
        else:
            connection.abort()

    def _lost(self, connection: Connection) -> None:
        self._open.discard(connection)
        idle = self._idle.get(connection.origin)
        if idle and connection in idle:
            idle.remove(connection)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()


def _unreachable(origin: Origin, error: Exception) -> ProviderFailure:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    kind = "TLS connection" if origin.tls else "connection"
    return ProviderUnreachable(f"Failed to get response from provider: no {kind} to {origin.host}: {reason}")
