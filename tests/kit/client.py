"""A client that says exactly the bytes it is told to, and reads answers strictly."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import cast

PATIENCE = 20.0  # seconds after which a test has failed rather than waits on: some paced streams take five
_RST = struct.pack("ii", 1, 0)  # linger, 0 seconds: closing sends a reset
_NO_BODY = frozenset({204, 304})


class Answer:
    """One answer. ``headers`` by lower-case name, several values joined by a comma; ``interim``: the 1xx before it."""

    def __init__(self, head: bytes) -> None:
        first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
        self.version, status, self.reason = first.split(b" ", 2)
        self.status = int(status)
        self.headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.decode("latin-1").partition(":")
            key = name.lower()
            self.headers[key] = f"{self.headers[key]}, {value.strip()}" if key in self.headers else value.strip()
        self.head = head
        self.body = b""
        self.chunks: list[bytes] = []
        self.whole = False  # it came to its proper end
        self.interim: list[int] = []


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        """Writes; waits while the server does not read."""
        self.writer.write(data)
        async with asyncio.timeout(PATIENCE):
            await self.writer.drain()

    async def ask(self, request: bytes) -> Answer:
        """Sends a request and reads its answer."""
        await self.send(request)
        return await self.answer(head_only=request.startswith(b"HEAD "))

    async def head(self) -> Answer:
        """The next final head; its body is still to be read."""
        interim: list[int] = []
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = Answer(await self.reader.readuntil(b"\r\n\r\n"))
                if answer.status >= 200:
                    answer.interim = interim
                    return answer
                interim.append(answer.status)

    async def answer(self, *, head_only: bool = False) -> Answer:
        """The next answer with its body; ``whole`` is False where the connection ended before it did."""
        answer = await self.head()
        if head_only or answer.status in _NO_BODY:
            answer.whole = True
            return answer
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await self._body(answer)
        return answer

    async def rest(self) -> bytes:
        """Everything until the server closes; a reset ends it too."""
        parts: list[bytes] = []
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionError):
                while part := await self.reader.read(1 << 16):
                    parts.append(part)
        return b"".join(parts)

    async def chunk(self) -> bytes:
        """The next chunk of a chunked body; empty: the last."""
        async with asyncio.timeout(PATIENCE):
            size = int((await self.reader.readuntil(b"\r\n")).partition(b";")[0], 16)
            return (await self.reader.readexactly(size + 2))[:-2]

    def deafen(self) -> None:
        """Reads nothing more, so that the system's buffers fill."""
        cast("asyncio.Transport", self.writer.transport).pause_reading()

    def undeafen(self) -> None:
        """Reads again."""
        cast("asyncio.Transport", self.writer.transport).resume_reading()

    def half_close(self) -> None:
        """Says that nothing more will be sent. TLS, as the loop speaks it, does not part the two sides: it closes."""
        if self.writer.can_write_eof():
            self.writer.write_eof()
        else:
            self.writer.close()

    def reset(self) -> None:
        """Ends the connection with a reset."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
        self.writer.transport.abort()

    def close(self) -> None:
        """Ends the connection, whatever was still to be written."""
        self.writer.transport.abort()

    async def _body(self, answer: Answer) -> None:
        headers = answer.headers
        if headers.get("transfer-encoding") == "chunked":
            while chunk := await self.chunk():
                answer.chunks.append(chunk)
                answer.body += chunk
            answer.whole = True
        elif "content-length" in headers:
            length = int(headers["content-length"])
            try:
                answer.body = await self.reader.readexactly(length)
            except asyncio.IncompleteReadError as cut:
                answer.body = cut.partial
                raise
            answer.whole = True
        else:
            answer.body = await self.reader.read()
            answer.whole = True


@asynccontextmanager
async def connected(
    port: int, limit: int = 1 << 20, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncGenerator[Client]:
    """A connection to a server on this machine, aborted at the end; ``limit``: bytes it reads ahead."""
    reader, writer = await asyncio.open_connection(host, port, limit=limit, ssl=tls)
    client = Client(reader, writer)
    try:
        yield client
    finally:
        client.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def until(condition: Callable[[], object]) -> None:
    """Waits for a state."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.002)
