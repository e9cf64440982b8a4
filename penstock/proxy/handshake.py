"""A connection until its TLS handshake is through."""

import asyncio
import ssl
from contextlib import suppress
from typing import cast

from penstock.core import tasks
from penstock.core.deadlines import NEVER
from penstock.core.errors import MalformedRequest
from penstock.proxy import refusal
from penstock.proxy.ingress import LINGER, ClientConnection

_HANDSHAKE = 0x16  # first byte of every TLS connection
_UNSENT = 64 * 1024  # bytes of an answer that may wait to be sent, as without TLS
_PLAIN = MalformedRequest("Malformed HTTP request: this port speaks HTTPS; write https:// in the address.")


class Handshake(asyncio.Protocol):
    """Made by the loop for each connection in the place of ``connection``, which takes over once TLS is spoken.

    Until then it counts as a connection too, has ``head_timeout`` for it, and is told where it speaks plain HTTP.
    """

    def __init__(self, connection: ClientConnection, context: ssl.SSLContext) -> None:
        self.deadline = NEVER
        self._connection = connection
        self._context = context
        self._task: tasks.Task | None = None
        self._transport: asyncio.Transport | None = None  # the enciphered one
        self._waiting = True  # nothing has come yet
        self._early = b""  # deciphered before the connection could take over
        self._over = False  # the connection took over

    # The loop's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        plane = self._connection.plane
        self._wire = cast("asyncio.Transport", transport)
        self._connection.app.connections.add(self)
        plane.connections += 1
        plane.deadlines.watched.add(self)
        crowded = plane.connections > plane.settings.max_connections
        self.deadline = plane.deadlines.now + (LINGER if crowded else plane.settings.head_timeout)

    def data_received(self, data: bytes) -> None:
        if self._task is not None:
            self._early += data
        elif self._waiting:
            self._waiting = False
            if data[0] == _HANDSHAKE:
                self._wire.pause_reading()
                self._task = tasks.spawn(self._connection.plane.loop, self._shake(data))
            else:
                self._refuse(data)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if self._over:
            self._connection.connection_lost(exc)
        elif self._task is None:
            self._leave()

    # The sweep's, and the server's

    def overdue(self) -> None:
        """The handshake takes too long, or what was said of plain HTTP has been read."""
        self.deadline = NEVER
        self._wire.abort()

    def shutdown(self) -> None:
        """uvicorn stops: nobody waits for what has not begun."""
        self._wire.abort()

    async def _shake(self, first: bytes) -> None:
        try:
            if not self._wire.is_closing():
                await self._speak(first)
        finally:
            self._leave()
        transport, connection = self._transport, self._connection
        if transport is None or transport.is_closing() or transport.get_extra_info("ssl_object") is None:
            self._wire.abort()
            return
        self._over = True
        transport.set_write_buffer_limits(_UNSENT)
        transport.set_protocol(connection)
        connection.wire = self._wire
        connection.connection_made(transport)
        if self._early:
            connection.data_received(self._early)

    async def _speak(self, first: bytes) -> None:
        """Brings about TLS, or does not."""
        starting = tasks.spawn(self._connection.plane.loop, self._start_tls())
        await asyncio.sleep(0)  # it has asked for its first turn,
        await asyncio.sleep(0)  # and had it: what came before it belongs to the protocol that is now in our place
        if self._wire.get_protocol() is not self:
            _hand(self._wire, first)
        with suppress(OSError, asyncio.TimeoutError):
            await starting

    async def _start_tls(self) -> None:
        settings = self._connection.plane.settings
        self._transport = await self._connection.plane.loop.start_tls(
            self._wire,
            self,
            self._context,
            server_side=True,
            ssl_handshake_timeout=settings.head_timeout,
            ssl_shutdown_timeout=settings.write_timeout,
        )

    def _leave(self) -> None:
        plane = self._connection.plane
        self._connection.app.connections.discard(self)
        plane.connections -= 1
        plane.deadlines.watched.discard(self)

    def _refuse(self, data: bytes) -> None:
        self._wire.write(refusal.render(_PLAIN, refusal.url_in(data), whole=False))
        self._wire.write_eof()
        self.deadline = self._connection.plane.deadlines.now + LINGER


def _hand(wire: asyncio.Transport, data: bytes) -> None:
    """Gives a connection's present protocol bytes that were read before it came."""
    protocol = cast("asyncio.BufferedProtocol", wire.get_protocol())
    while data:
        room = memoryview(protocol.get_buffer(len(data)))
        size = min(len(room), len(data))
        room[:size] = data[:size]
        protocol.buffer_updated(size)
        data = data[size:]
