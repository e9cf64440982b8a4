"""What one turn of the event loop has to write, written together at its end.

A write wakes whoever reads at the other end of it. Made one by one, between two calls' work, each write wakes a reader
that has nothing else to do and falls asleep again; made in a row, the first wakes it for all of them (measured: a tenth
to a fifth more calls a second). While few calls run there is nothing to gather, and waiting would only cost them time.
"""

import asyncio
from collections.abc import Sized
from typing import Protocol

MOST = (
    1 << 17
)  # bytes that wait; beyond, they are written, so that a transport whose peer does not read says so in time
FEW = 4  # calls; below, every write is made at once


class Writable(Protocol):
    """A transport, as far as it matters here."""

    def write(self, data: bytes) -> None: ...
    def is_closing(self) -> bool: ...


class Outbox:
    """The writes of one loop. Those to one transport keep their order; whoever closes a transport flushes first.

    ``calls`` are those that run; only their number matters.
    """

    __slots__ = ("_calls", "_loop", "_size", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop, calls: Sized) -> None:
        self._loop = loop
        self._calls = calls
        self._waiting: list[tuple[Writable, bytes]] = []
        self._size = 0  # bytes that wait

    def write(self, transport: Writable, data: bytes) -> None:
        """Takes the bytes; they leave at the end of this turn of the loop at the latest."""
        if not self._waiting:
            if len(self._calls) < FEW:
                if not transport.is_closing():
                    transport.write(data)
                return
            self._loop.call_soon(self.flush)
        self._waiting.append((transport, data))
        self._size += len(data)
        if self._size > MOST:
            self.flush()

    def flush(self) -> None:
        """Writes what waits. What waits for a transport that was closed meanwhile is dropped."""
        waiting, self._waiting, self._size = self._waiting, [], 0
        for transport, data in waiting:
            if not transport.is_closing():
                transport.write(data)
