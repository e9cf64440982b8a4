"""A provider that does exactly what a test says, byte for byte, where the simulated ones are too well-behaved."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

Serve = Callable[["Peer"], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Peer:
    """The provider's side of one connection; ``number`` counts connections from 1."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.reader = reader
        self.writer = writer
        self.number = number

    async def request(self) -> bytes:
        """Reads one request: its head, and its body where it has a length."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        return head + await self.reader.readexactly(length)

    async def say(self, data: bytes) -> None:
        """Writes."""
        self.writer.write(data)
        await self.writer.drain()

    async def gone(self) -> None:
        """Returns when the gateway has ended the connection."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(1 << 16):
                pass


class Provider:
    """A listening provider. ``connections``: how many came; ``open``: how many there are now."""

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0
        self.open = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def answering(*answers: bytes) -> Serve:
    """Serves a connection by these answers, one a request, then closes it."""

    async def serve(peer: Peer) -> None:
        for answer in answers:
            await peer.request()
            await peer.say(answer)

    return serve


async def always(peer: Peer) -> None:
    """Answers every request with ``OK``."""
    while True:
        await peer.request()
        await peer.say(OK)


@asynccontextmanager
async def providing(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncGenerator[Provider]:
    """Serves each connection by ``serve``, and closes it after."""
    provider = Provider()
    tasks: set[asyncio.Task[None]] = set()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        provider.connections += 1
        provider.open += 1
        try:
            await serve(Peer(reader, writer, provider.connections))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the gateway, or the test, has ended
        finally:
            provider.open -= 1
            tasks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(connection, "127.0.0.1", 0, ssl=tls)
    provider.port = server.sockets[0].getsockname()[1]
    try:
        yield provider
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
