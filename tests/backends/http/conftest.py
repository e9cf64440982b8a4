"""Transports with short limits, tested on uvloop, where they run, and on the standard loop, which checks more."""

import asyncio

import pytest
import pytest_asyncio
import uvloop

from penstock.backends.http.connection import Limits
from penstock.backends.http.transport import HttpTransport
from penstock.core.budget import Budget
from penstock.core.deadlines import Deadlines
from penstock.core.outbox import Outbox
from penstock.model.body import Bounds, RequestBody
from penstock.ports.transport import Origin, Outgoing
from penstock.testing.client import until


def pytest_asyncio_loop_factories(config, item):
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class Flow:
    """A client that sends when told by the test; ``paused`` as it was asked."""

    paused = False

    def pause(self):
        self.paused = True

    def resume(self):
        self.paused = False

    def proceed(self):
        pass


class Caught:
    """Takes an answer's body."""

    def __init__(self):
        self.data = b""
        self.error = None
        self.ended = asyncio.get_running_loop().create_future()

    def on_frame(self, data):
        self.data += data

    def on_end(self):
        self.ended.set_result(None)

    def on_error(self, error):
        self.error = error
        self.ended.set_result(None)


class Way:
    """A transport with short limits, and what tests do with it."""

    def __init__(self, *, between=5.0, idle=5.0, connect=5.0, pool=10):
        self.deadlines = Deadlines(asyncio.get_running_loop())
        self.transport = HttpTransport(
            self.deadlines, Outbox(asyncio.get_running_loop(), []), Limits(between, idle), connect, pool
        )

    def outgoing(self, port, *, method=b"POST", body=b"hello", stream=None, first_byte=5.0, tls=False):
        length = (
            None if stream is not None and stream.length is None else len(body) if stream is None else stream.length
        )
        framing = b"transfer-encoding: chunked\r\n" if length is None else b"content-length: %d\r\n" % length
        head = [method, b" /x HTTP/1.1\r\nhost: h\r\n", framing]
        origin = Origin(tls, "127.0.0.1", port)
        return Outgoing(origin, method, head, first_byte, b"" if stream else body, stream)

    async def ask(self, port, **outgoing):
        """The status and the body, read to its end. Raises what broke it."""
        reply = await self.transport.send(self.outgoing(port, **outgoing))
        return reply.status, await self.read(reply), reply.body.reused

    async def read(self, reply):
        """The body, read to its end. Raises what broke it."""
        caught = Caught()
        reply.body.send_to(caught)
        reply.body.resume()
        async with asyncio.timeout(5):
            await caught.ended
        if caught.error is not None:
            raise caught.error
        return caught.data

    def stop(self):
        self.transport.close()
        self.deadlines.stop()


@pytest_asyncio.fixture
async def a_way():
    """Makes transports; all their connections must have ended with the test."""
    made = []

    def make(**limits):
        made.append(Way(**limits))
        return made[-1]

    yield make
    for way in made:
        way.stop()
        await until(lambda way=way: way.transport.counts() == (0, 0))


@pytest_asyncio.fixture
async def way(a_way):
    return a_way()


@pytest.fixture
def flow():
    return Flow()


@pytest.fixture
def stream(flow):
    """Makes request bodies that are too large to be held whole."""

    def make(*chunks, length=5, complete=True, keep=1000):
        body = RequestBody(flow, Bounds(hold=1, keep=keep, limit=10**9, budget=Budget(10**9)), length)
        for chunk in chunks:
            body.feed(chunk)
        if complete:
            body.finish()
        return body

    return make
