"""The reader of paced streams, in a process of its own: ``python -m bench.streams`` with its order as JSON on stdin.

Holds a number of connections; each calls for one stream after another. Measures the time between consecutive frames
of one stream as they arrive, while all connections are streaming (not while the first begin or the last end).
"""

import asyncio
import gc
import subprocess
import sys
import time
from array import array
from typing import cast

import uvloop

from bench import figures, payload
from bench.procs import BenchFault
from bench.targets import environment
from penstock.core import codec

FRAMES = 64
PACE = 20  # milliseconds
LAST_CHUNK = b"\r\n0\r\n\r\n"  # with the end of the chunk before it: a header may end in 0 too


class Order(codec.Struct):
    """What to read: ``streams`` at once, ``repeats`` after one another on each connection."""

    port: int
    path: str
    streams: int
    repeats: int
    frames: int = FRAMES
    pace: int = PACE
    model: str = payload.MODEL  # ``payload.CLAUDE``: the calls are Anthropic's own


class Read(codec.Struct):
    """What was read. Gaps in milliseconds, over ``gaps`` measured ones."""

    finished: int
    failed: int
    frames: int
    gaps: int
    p50: float
    p99: float
    largest: float
    reader_cpu: float  # seconds of the reader itself
    error: str = ""


class Reader:
    """Counts over all connections."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.requests = [
            payload.request(order.port, order.path, _body(order.model, seed), pacing(order)) for seed in range(64)
        ]
        self.gaps = array("d")
        self.running = self.open = self.finished = self.failed = self.frames = 0
        self.full = False
        self.error = ""
        self.all_closed = asyncio.get_running_loop().create_future()

    def began(self) -> None:
        """A connection starts its first stream; from the last of these on, gaps count."""
        self.running += 1
        self.full = self.running == self.order.streams

    def left(self) -> None:
        """A connection has no more streams to read; from the first of these on, gaps no longer count."""
        self.full = False

    def closed(self) -> None:
        """A connection is gone."""
        self.open -= 1
        if not self.open and not self.all_closed.done():
            self.all_closed.set_result(None)


class Stream(asyncio.Protocol):
    """One connection. Cheap on purpose: frames are counted by their blank lines, nothing is parsed."""

    def __init__(self, reader: Reader, seed: int) -> None:
        self.reader = reader
        self.seed = seed
        self.left = reader.order.repeats
        self.begun = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def begin(self) -> None:
        """Sends the next request."""
        if not self.begun:
            self.begun = True
            self.reader.began()
        self.left -= 1
        self.seed += 1
        self.tail = b""
        self.last = 0
        self.transport.write(self.reader.requests[self.seed % len(self.reader.requests)])

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        reader = self.reader
        if not self.last and not data.startswith(b"HTTP/1.1 200"):
            reader.error = data[:200].decode(errors="replace")
            self.transport.abort()
            return
        found = data.count(b"\n\n") + (self.tail.endswith(b"\n") and data.startswith(b"\n"))
        if found:
            reader.frames += found
            if reader.full and self.last > 1:
                reader.gaps.append((now - self.last) / 1e6)
            self.last = now
        elif not self.last:
            self.last = 1  # the head alone
        self.tail = (self.tail + data)[-len(LAST_CHUNK) :]
        if self.tail == LAST_CHUNK:
            self.end()

    def end(self) -> None:
        """A whole stream has been read."""
        self.reader.finished += 1
        if self.left:
            self.begin()
        else:
            self.reader.left()
            self.left = -1
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.left >= 0:
            self.reader.failed += 1
            self.reader.left()
            self.reader.error = self.reader.error or f"the connection was lost: {exc}"
        self.reader.closed()


def _body(model: str, seed: int) -> bytes:
    if model == payload.CLAUDE:
        return payload.message_prompt(seed, stream=True)
    return payload.prompt(seed, model=model, stream=True)


def pacing(order: Order) -> dict[str, str]:
    """The request headers that ask the simulated provider for this shape."""
    return {"x-mock-frames": str(order.frames), "x-mock-pace": str(order.pace), "accept": "text/event-stream"}


async def read(order: Order) -> Read:
    """Reads the whole order; the streams begin evenly spread over the time of half a stream."""
    loop = asyncio.get_running_loop()
    reader = Reader(order)
    connections: list[Stream] = []
    for seed in range(order.streams):
        _, connection = await loop.create_connection(lambda seed=seed: Stream(reader, seed), "127.0.0.1", order.port)
        reader.open += 1
        connections.append(connection)
    gc.collect()
    gc.freeze()
    gc.disable()
    step = order.frames * order.pace / 2000 / order.streams
    for turn, connection in enumerate(connections):
        loop.call_later(turn * step, connection.begin)
    limit = 10 + 4 * order.repeats * order.frames * order.pace / 1000
    try:
        await asyncio.wait_for(reader.all_closed, limit)
    except TimeoutError:
        reader.error = reader.error or f"{reader.open} streams had not ended after {limit:.0f} s"
        reader.failed += reader.open
    gaps = reader.gaps
    cpu = time.process_time()
    if not gaps:
        return Read(reader.finished, reader.failed, reader.frames, 0, 0, 0, 0, cpu, reader.error or "never all at once")
    p50, p99 = figures.percentile(gaps, 0.5), figures.percentile(gaps, 0.99)
    return Read(reader.finished, reader.failed, reader.frames, len(gaps), p50, p99, max(gaps), cpu, reader.error)


def run(order: Order) -> Read:
    """Reads in a process of its own. Raises BenchFault when it fails or not all streams were whole."""
    command = [sys.executable, "-m", "bench.streams"]
    result = subprocess.run(
        command, check=False, input=codec.encode(order), capture_output=True, env=environment({}), timeout=300
    )
    if result.returncode:
        raise BenchFault(f"the stream reader failed: {result.stderr.decode(errors='replace').strip()[-300:]}")
    found = codec.decoder(Read).decode(result.stdout)
    if found.failed or not found.gaps:
        raise BenchFault(f"{found.failed} of {order.streams * order.repeats} streams were not whole: {found.error}")
    return found


if __name__ == "__main__":
    sys.stdout.buffer.write(codec.encode(uvloop.run(read(codec.decoder(Order).decode(sys.stdin.buffer.read())))))
