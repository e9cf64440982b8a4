"""Bare forwarding on asyncio, uvloop and httptools, both sides parsed: ``python -m bench.bare PORT UPSTREAM``.

The floor under any gateway in Python. Knows one upstream, no errors, no limits; only the benchmark calls it.
"""

import asyncio
import sys
from collections import deque
from typing import Protocol, cast

import httptools
import uvloop

from penstock.core.tasks import Tasks


class Parser(Protocol):
    """What is used of httptools' parsers."""

    def feed_data(self, data: bytes) -> None: ...


class Upstream(asyncio.Protocol):
    """A kept connection to the upstream; serves one client at a time."""

    client: "Client | None" = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.parser = cast("Parser", httptools.HttpResponseParser(self))

    def data_received(self, data: bytes) -> None:
        client = self.client
        self.parser.feed_data(data)
        if client is not None and not client.transport.is_closing():
            client.transport.write(data)

    def on_message_complete(self) -> None:
        self.client = None
        IDLE.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self in IDLE:
            IDLE.remove(self)
        if self.client is not None:
            self.client.transport.abort()


IDLE: deque[Upstream] = deque()
TASKS = Tasks()


class Client(asyncio.Protocol):
    """A caller's connection: the request is collected, then sent on in one write."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.upstream: Upstream | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.parser = cast("Parser", httptools.HttpRequestParser(self))

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_begin(self) -> None:
        self.url = b""
        self.head: list[tuple[bytes, bytes]] = []
        self.body: list[bytes] = []

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.head.append((name, value))

    def on_body(self, body: bytes) -> None:
        self.body.append(body)

    def on_message_complete(self) -> None:
        lines = [b"%s: %s\r\n" % pair for pair in self.head]
        request = b"".join([b"POST ", self.url, b" HTTP/1.1\r\n", *lines, b"\r\n", *self.body])
        if IDLE:
            self.send(IDLE.pop(), request)
        else:
            TASKS.start("connect", self.connect(request))

    async def connect(self, request: bytes) -> None:
        """A new upstream connection for this request."""
        loop = asyncio.get_running_loop()
        _, upstream = await loop.create_connection(Upstream, "127.0.0.1", self.port)
        self.send(upstream, request)

    def send(self, upstream: Upstream, request: bytes) -> None:
        upstream.client = self
        self.upstream = upstream
        upstream.transport.write(request)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.upstream is not None and self.upstream.client is self:
            self.upstream.client = None
            self.upstream.transport.abort()


async def serve(port: int, upstream: int) -> None:
    """Serves until it is ended."""
    server = await asyncio.get_running_loop().create_server(lambda: Client(upstream), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2])))
