"""Messages between two processes of one server, over a socket: four bytes of length, then MessagePack."""

import asyncio
import socket
from typing import TypeVar

from penstock.core import codec

_T = TypeVar("_T")
_HEAD = 4
_LONGEST = 1 << 30


class Message(codec.Struct):
    """One message. ``number`` says to which question it belongs; ``content`` is MessagePack."""

    kind: str
    number: int = 0
    content: bytes = b""

    def read(self, kind: type[_T]) -> _T:
        """The content. Raises one of ``codec.DecodeError`` for a content of another shape."""
        return codec.unpacker(kind).decode(self.content)


_decode = codec.unpacker(Message).decode


class Channel:
    """One end, in a loop. The socket stays whoever's it is."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()  # of two messages written at once, pieces would mix
        link.setblocking(False)  # noqa: FBT003  the system's own name

    async def send(self, kind: str, content: object = None, number: int = 0) -> None:
        """Without effect once the other end is gone."""
        packed = codec.pack(Message(kind, number, codec.pack(content)))
        data = len(packed).to_bytes(_HEAD, "big") + packed
        async with self._turn:
            try:
                await self._loop.sock_sendall(self._link, data)
            except OSError:
                return  # receive tells it

    async def receive(self) -> Message | None:
        """The next message; None: there will be no other."""
        head = await self._exactly(_HEAD)
        size = int.from_bytes(head, "big")
        if len(head) < _HEAD or size > _LONGEST:
            return None
        packed = await self._exactly(size)
        return _decode(packed) if len(packed) == size else None

    async def _exactly(self, count: int) -> bytes:
        """So many bytes, or fewer at the end."""
        data = bytearray()
        while len(data) < count:
            try:
                more = await self._loop.sock_recv(self._link, count - len(data))
            except OSError:
                more = b""
            if not more:
                break
            data += more
        return bytes(data)
