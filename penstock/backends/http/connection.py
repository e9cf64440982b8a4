"""One HTTP/1.1 connection to a provider; one call on it at a time."""

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

from penstock.backends.http.call import UpstreamCall
from penstock.core.deadlines import NEVER, Deadlines
from penstock.core.errors import ProviderBroke, ProviderFailure, ProviderTimeout, ProviderUnreachable
from penstock.core.headers import Headers
from penstock.core.outbox import Outbox
from penstock.ports.transport import Origin, Outgoing

HEAD_LIMIT = 64 * 1024
_NO_BODY = frozenset({204, 304})
_FINAL = 200  # below it a head announces another one
_INTERIM = 100  # below it there is no status
_LARGE_HEAD = "The provider's response head is larger than 64 KiB."


class Limits:
    """Seconds: between two bytes of an answer, and for which an idle connection is kept."""

    __slots__ = ("between", "idle")

    def __init__(self, between: float, idle: float) -> None:
        self.between = between
        self.idle = idle


class Connection(asyncio.Protocol):
    """Parses answers and hands their frames on as they come, still encoded.

    The connection belongs to the pool while ``call`` is None. ``on_idle`` and ``on_lost`` are the pool's.
    """

    def __init__(
        self,
        origin: Origin,
        limits: Limits,
        deadlines: Deadlines,
        outbox: Outbox,
        on_idle: "Callable[[Connection], None]",
        on_lost: "Callable[[Connection], None]",
    ) -> None:
        self.origin = origin
        self.deadline = NEVER
        self.usable = False
        self.call: UpstreamCall | None = None
        self._limits = limits
        self._deadlines = deadlines
        self._outbox = outbox
        self._on_idle = on_idle
        self._on_lost = on_lost
        self._transport: asyncio.Transport
        self._parser = httptools.HttpResponseParser(self)
        self._headers: Headers = []
        self._reason = b""
        self._length: int | None = None
        self._chunked = False
        self._first_byte = 0.0
        self._in_head = True
        self._head_size = 0
        self._until_close = False  # the body has no length of its own and ends with the connection
        self._reusable = False
        self._paused = False

    # The call's side

    def begin(self, outgoing: Outgoing, call: UpstreamCall) -> None:
        """Writes the request. The answer goes to ``call``."""
        self.call = call
        self._first_byte = outgoing.first_byte
        self.deadline = self._deadlines.now + outgoing.first_byte
        self._in_head = True
        stream = outgoing.stream
        self._outbox.write(self._transport, b"".join((*outgoing.head, b"\r\n", outgoing.body)))
        if stream is None:
            call.sent = True
        else:
            stream.send_to(call)

    def write(self, data: bytes) -> None:
        """More of a request body that streams. The wait for the answer begins anew with every byte."""
        self.deadline = self._deadlines.now + self._first_byte
        self._outbox.write(self._transport, data)

    def pause(self) -> None:
        """The client reads slowly: let the provider wait."""
        if not self._paused:
            self._paused = True
            self.deadline = NEVER
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._paused:
            self._paused = False
            self.deadline = self._deadlines.now + self._limits.between
            self._transport.resume_reading()

    def abort(self) -> None:
        """Closes at once; nothing more is read or written."""
        self.usable = False
        self.call = None
        self._transport.abort()

    # The loop's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's does not inherit from asyncio's
        self.usable = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.usable = False
        self._deadlines.watched.discard(self)
        self._on_lost(self)
        del self._parser  # it holds this: a circle
        call, self.call = self.call, None
        if call is None:
            return
        if self._until_close and exc is None:
            call.finish()
        elif self._in_head:
            call.fail(ProviderUnreachable("Failed to get response from provider: it closed the connection."))
        else:
            call.fail(ProviderBroke())

    def data_received(self, data: bytes) -> None:
        if self.call is None:  # bytes nobody asked for: this connection cannot be trusted with another call
            self.abort()
            return
        self.deadline = self._deadlines.now + self._limits.between
        self.call.heard = True
        if self._in_head:
            self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(ProviderBroke("The provider switched protocols unasked."))
        except httptools.HttpParserError as error:
            self._fail(ProviderBroke(f"The provider's answer is not HTTP/1.1: {error}."))
        else:
            if self._in_head and self._head_size > HEAD_LIMIT:
                self._fail(ProviderBroke(_LARGE_HEAD))

    def pause_writing(self) -> None:
        if self.call is not None:
            self.call.pause_request()

    def resume_writing(self) -> None:
        if self.call is not None:
            self.call.resume_request()

    def overdue(self) -> None:
        self.deadline = NEVER
        if self.call is None:
            self.abort()
        elif self._in_head:
            self._fail(ProviderTimeout())
        else:
            self._fail(ProviderTimeout(f"The provider sent nothing for {self._limits.between:g} seconds."))

    # The parser's side

    def on_message_begin(self) -> None:
        if self.call is None:
            self.abort()
        self._headers, self._reason, self._length, self._chunked, self._until_close = [], b"", None, False, False

    def on_status(self, reason: bytes) -> None:
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:  # trailers end here
            return
        lower = name.lower()
        if lower == b"content-length":
            self._length = int(value)
        elif lower == b"transfer-encoding":
            self._chunked = True
        self._headers.append((lower, name, value))

    def on_headers_complete(self) -> None:
        status, call = self._parser.get_status_code(), self.call
        if call is None or status < _FINAL:  # a switch of protocols ends in HttpParserUpgrade
            if status < _INTERIM:
                self._fail(ProviderBroke("The provider's answer is not HTTP/1.1: its status is below 100."))
            return
        if self._head_size > HEAD_LIMIT and _size(self._headers) > HEAD_LIMIT:
            self._fail(ProviderBroke(_LARGE_HEAD))
            return
        self._in_head = False
        bodiless = call.method == b"HEAD" or status in _NO_BODY
        self._until_close = self._length is None and not self._chunked and not bodiless
        self._reusable = self._parser.should_keep_alive()
        call.begin_reply(status, self._reason, self._headers, self._length)
        if call.method == b"HEAD":
            self._parser = httptools.HttpResponseParser(self)  # the old one would wait for the body that HEAD never has
            self.on_message_complete()

    def on_body(self, data: bytes) -> None:
        if self.call is not None:
            self.call.feed(data)

    def on_message_complete(self) -> None:
        call = self.call
        if call is None or self._in_head:  # an informational answer: the real one follows
            return
        if call.sent and self._reusable and not self._until_close:
            self._rest()
        else:
            self.abort()
        call.finish()

    def _rest(self) -> None:
        self.call = None
        self._head_size = 0
        self.resume()
        self.deadline = self._deadlines.now + self._limits.idle
        self._on_idle(self)

    def _fail(self, error: ProviderFailure) -> None:
        call = self.call
        self.abort()
        if call is not None:
            call.fail(error)


def _size(headers: Headers) -> int:
    return sum(len(name) + len(value) + 4 for _, name, value in headers)
