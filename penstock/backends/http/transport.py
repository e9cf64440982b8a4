"""Pools of keep-alive connections, one an origin, behind ``ports.transport``."""

import asyncio

from penstock.backends.http.call import UpstreamCall
from penstock.backends.http.connection import Connection
from penstock.backends.http.dialer import Dialer
from penstock.backends.http.forwarded import ForwardedConnection
from penstock.backends.http.limits import Limits
from penstock.core.deadlines import Deadlines
from penstock.core.errors import ProviderUnreachable
from penstock.core.outbox import Outbox
from penstock.model.outgoing import Outgoing
from penstock.model.plan import Origin
from penstock.model.reply import Reply


class HttpTransport:
    """Sends requests over connections that ``dialer`` opens; ``pool_size`` idle ones are kept an origin."""

    def __init__(self, deadlines: Deadlines, outbox: Outbox, limits: Limits, dialer: Dialer, pool_size: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._deadlines = deadlines
        self._outbox = outbox
        self._limits = limits
        self._dialer = dialer
        self._pool_size = pool_size
        self._idle: dict[Origin, list[Connection]] = {}  # only of origins that have a connection
        self._open: set[Connection] = set()

    async def send(self, outgoing: Outgoing, first_byte: float) -> Reply:
        """See ``Transport.send``."""
        stream = outgoing.stream
        if connection := self._take(outgoing.origin):
            call = UpstreamCall(connection, outgoing.method, stream)
            call.reused = True
            began = self._loop.time()
            try:
                return await self._exchange(connection, outgoing, first_byte, call)
            except ProviderUnreachable:
                passed = self._loop.time() - began
                if call.heard or passed > self._limits.unread or not (stream is None or stream.rewindable()):
                    raise
                outgoing.stale = passed
        connection = await self._connect(outgoing.origin)
        return await self._exchange(connection, outgoing, first_byte, UpstreamCall(connection, outgoing.method, stream))

    def counts(self) -> tuple[int, int]:
        """Connections in use, and idle."""
        idle = sum(map(len, self._idle.values()))
        return len(self._open) - idle, idle

    def close(self) -> None:
        """Ends every connection."""
        for connection in list(self._open):
            connection.abort()
        self._dialer.close()

    async def _exchange(
        self, connection: Connection, outgoing: Outgoing, first_byte: float, call: UpstreamCall
    ) -> Reply:
        try:
            connection.begin(outgoing, first_byte, call)
            return await call.head(self._loop)
        except BaseException:
            call.close()
            raise

    def _take(self, origin: Origin) -> Connection | None:
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            # It must be open, and silent: what nobody asked for would pass for the next call's answer, also what has
            # come and the loop has not read yet.
            if connection.usable and not connection.pending(0):
                return connection
            connection.abort()
        return None

    async def _connect(self, origin: Origin) -> Connection:
        proxy = self._dialer.proxy(origin)
        forwarded = proxy is not None and not origin.tls
        kind = ForwardedConnection if forwarded else Connection
        connection = kind(origin, self._limits, self._deadlines, self._outbox, self._rested, self._lost)
        if isinstance(connection, ForwardedConnection) and proxy is not None:
            connection.proxy = proxy
        try:
            connection.watch(await self._dialer.open(origin, connection, proxy))
        except BaseException:
            connection.release()
            raise
        if not connection.usable:  # lost again before this task could go on
            raise ProviderUnreachable("Failed to get response from provider: it closed the connection.")
        # Only now: where the wait is cancelled, the loop closes the connection and never says that it is lost.
        self._open.add(connection)
        self._deadlines.watched.add(connection)
        return connection

    def _rested(self, connection: Connection) -> None:
        if connection.fresh:
            connection.fresh = False
            if (tls := connection.tls()) is not None:
                self._dialer.remember(tls)
        idle = self._idle.get(connection.origin)
        if idle is None:
            idle = self._idle[connection.origin] = []
        if len(idle) < self._pool_size:
            idle.append(connection)
        else:
            connection.abort()

    def _lost(self, connection: Connection) -> None:
        self._open.discard(connection)
        idle = self._idle.get(connection.origin)
        if idle is None:
            return
        if connection in idle:
            idle.remove(connection)
        if not idle:
            del self._idle[connection.origin]
