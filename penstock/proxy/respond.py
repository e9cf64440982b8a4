"""A reply, or a refusal, leaves through here; by one door.

Before the first byte an error is an error reply; after it, the end of a stream that says so: an error frame in the
client's dialect where the answer is an event stream, and never a proper end (decisions of the data plane).
"""

import asyncio
import time
from collections.abc import Awaitable
from typing import Protocol

from penstock.core.errors import PenstockError, ProviderBroke
from penstock.model.exchange import Exchange
from penstock.model.reply import Reply, Source
from penstock.providers.dialects import DIALECTS
from penstock.proxy.cors import NullCors
from penstock.proxy.render import error_reply, head

_NO_CONTENT = 204
_NO_BODY = frozenset({_NO_CONTENT, 304})


class Client(Protocol):
    """The connection to answer on."""

    cors: NullCors
    http10: bool
    closing: bool  # this answer is the connection's last

    def write(self, data: bytes) -> None: ...
    def cut(self) -> None:
        """Drops the connection without a proper end, after what was written."""
        ...

    def reads_from(self, source: Source | None) -> None:
        """Names what to pause while the client does not read."""
        ...


def apologise(ex: Exchange, client: Client) -> None:
    """The scope has closed on a call that has no proper end: an error where nothing was sent yet, else a cut."""
    if ex.begun or ex.error is None:
        client.cut()
    else:
        _send_whole(ex, error_reply(ex.error, ex.request.surface), client)


async def send(ex: Exchange, pending: Awaitable[Reply], client: Client) -> None:
    """Waits for the reply and sends it to its end. Notes a refusal or fault in ``ex.error``."""
    try:
        reply = await pending
        if reply.body.complete:
            _send_whole(ex, reply, client)
            return
    except PenstockError as error:
        ex.error = error.with_traceback(None)  # its frames hold this call: a circle for the collector
        ex.step.take_in()
        ex.step.reply = None  # a stage refused it whole: nothing of it goes out
        reply = error_reply(error, ex.request.surface)
        ex.step.answer_size = reply.length or 0
        _send_whole(ex, reply, client)
        return
    outlet = Outlet(ex, reply, client)
    outlet.begin()
    if not outlet.ended:
        client.reads_from(reply.source)
        try:
            await outlet.wait()
        finally:
            client.reads_from(None)


def _send_whole(ex: Exchange, reply: Reply, client: Client) -> None:
    """A reply that is all here, in one write. A stage may still refuse it."""
    ex.last_byte = time.monotonic()
    data = b"".join(reply.body.frames)
    reply.body.frames = []
    for stage in reply.stages:
        data = stage.feed(data) + stage.end()
    if _bodiless(ex, reply):
        data, length = b"", reply.length if reply.status != _NO_CONTENT else None
    else:
        length = len(data)
    framing = b"content-length: %d\r\n" % length if length is not None else b""
    client.cors.dress(ex.request, reply)
    ex.begun = True
    client.write(head(reply, ex, framing, close=client.closing or not ex.request.body.complete) + data)


def _bodiless(ex: Exchange, reply: Reply) -> bool:
    return ex.request.method == b"HEAD" or reply.status in _NO_BODY


class Outlet:
    """Takes a reply's frames, lets the stages see them, and writes them in the client's framing."""

    __slots__ = (
        "_broken",
        "_chunked",
        "_client",
        "_ex",
        "_fault",
        "_held",
        "_last",
        "_live",
        "_reply",
        "_silent",
        "_waiter",
        "ended",
    )

    def __init__(self, ex: Exchange, reply: Reply, client: Client) -> None:
        self._ex = ex
        self._reply = reply
        self._client = client
        self._waiter: asyncio.Future[None] | None = None
        self._held: list[bytes] | None = []  # written together, while the reply hands over what it already has
        self._silent = _bodiless(ex, reply)
        self._chunked = False
        self._broken = False
        self._live = False  # frames are written as they come, in chunks
        self._last = b""  # what was written last of the body
        self._fault: Exception | None = None
        self.ended = False

    def begin(self) -> None:
        """Writes the head and what is here of the body, in one go."""
        framing = self._framing()
        self._client.cors.dress(self._ex.request, self._reply)
        self._client.closing = close = self._client.closing or not self._ex.request.body.complete
        held = self._held = [head(self._reply, self._ex, framing, close=close)]
        self._reply.body.send_to(self)
        self._held = None
        self._live = self._chunked and not self._silent
        self._ex.begun = True
        self._client.write(b"".join(held) if len(held) > 1 else held[0])
        if self._broken:
            self._client.cut()
        if self._fault is not None:
            raise self._fault

    async def wait(self) -> None:
        """Until the last frame is written."""
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    def on_frame(self, data: bytes) -> None:
        if self.ended:
            return
        try:
            for stage in self._reply.stages:
                data = stage.feed(data)
        except PenstockError as error:  # a guard's verdict
            self.on_error(error)
        except Exception as fault:  # noqa: BLE001  a callback has no scope to fall into: hand it to the call's
            self._crash(fault)
        else:
            if self._live and data:  # the common frame
                self._last = data
                self._client.write(b"%x\r\n%b\r\n" % (len(data), data))
            else:
                self._write(data)

    def on_end(self) -> None:
        if self.ended:
            return
        self._ex.last_byte = time.monotonic()
        try:
            for index in range(len(self._reply.stages)):
                self._write(self._end_of(index))
        except PenstockError as error:
            self.on_error(error)
        except Exception as fault:  # noqa: BLE001  as above
            self._crash(fault)
        else:
            if self._chunked:
                self._put(b"0\r\n\r\n")
            self._finish()

    def on_error(self, error: PenstockError) -> None:
        """The answer broke: said so where the format can, and cut."""
        if self.ended:
            return
        self._ex.last_byte = time.monotonic()
        self._ex.error = error
        self._write(self._error_frame(error))
        self._broken = True
        if self._held is None:
            self._client.cut()
        self._finish()

    def _end_of(self, index: int) -> bytes:
        """What a stage held back, after the stages behind it have seen it."""
        stages = self._reply.stages
        rest = stages[index].end()
        if rest:
            for stage in stages[index + 1 :]:
                rest = stage.feed(rest)
        return rest

    def _framing(self) -> bytes:
        reply, client = self._reply, self._client
        if reply.length is not None:
            return b"content-length: %d\r\n" % reply.length
        if client.http10:
            client.closing = True
            return b""
        self._chunked = True
        return b"transfer-encoding: chunked\r\n"

    def _error_frame(self, error: PenstockError) -> bytes:
        if isinstance(error, ProviderBroke) and error.told:
            return error.told
        if not (self._reply.header(b"content-type") or b"").lower().startswith(b"text/event-stream"):
            return b""
        target = self._ex.step.target
        if self._reply.header(b"content-encoding") is not None or target is None:
            return b""  # it could not be read amid encoded bytes
        if self._reply.length is not None:
            return b""  # it would fill the length that was told, and the answer would look whole
        dialect = DIALECTS.get(self._ex.request.surface.dialect or target.endpoint.dialect)
        if dialect is None:
            return b""
        amid = self._last and not self._last.endswith((b"\n\n", b"\r\r", b"\r\n\r\n"))  # of an event, perhaps
        return (b"\n\n" if amid else b"") + dialect.error_frame(error)

    def _write(self, data: bytes) -> None:
        if data and not self._silent:
            self._last = data
            self._put(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    def _put(self, data: bytes) -> None:
        if self._held is None:
            self._client.write(data)
        else:
            self._held.append(data)

    def _crash(self, fault: Exception) -> None:
        self.ended = True
        if self._waiter is None:
            self._fault = fault
        elif not self._waiter.done():
            self._waiter.set_exception(fault)

    def _finish(self) -> None:
        self.ended = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
