"""One HTTP/1.1 connection to a provider; one call on it at a time."""

import asyncio
import re
import select
import socket
import ssl
from collections.abc import Callable
from typing import cast

import httptools

from penstock.backends.http.call import UpstreamCall
from penstock.backends.http.limits import Limits
from penstock.backends.http.remains import remains
from penstock.backends.http.tls import closed
from penstock.core.deadlines import NEVER, Deadlines
from penstock.core.errors import ProviderBroke, ProviderFailure, ProviderTimeout, ProviderUnreachable
from penstock.core.headers import Headers
from penstock.core.outbox import Outbox
from penstock.model.outgoing import Outgoing
from penstock.model.plan import Origin

HEAD_LIMIT = 64 * 1024
_NO_BODY = frozenset({204, 304})
_FINAL = 200  # below it a head announces another one
_INTERIM = 100  # below it there is no status
_LARGE_HEAD = "The provider's response head is larger than 64 KiB."
_LARGE_TRAILERS = "The provider's answer has more than 64 KiB between or behind the pieces of its body."
_NOT_HTTP = "The provider's answer is not HTTP/1.1"
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"keep-alive"})
_DIGITS = 18  # of a length; beyond lie numbers that do not fit 64 bits everywhere
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_TIMEOUT = re.compile(rb"(?:^|[\s,])timeout\s*=\s*\"?(\d{1,6})", re.IGNORECASE)
_CRUMBS = 256  # pieces of a body read in one go from which on they are handed on together
_LARGE = 1 << 16  # bytes of a request that may still be on their way when its answer comes
_GRACE = 1.0  # seconds before the provider's own limit: what is sent later may meet a closed connection


class Connection(asyncio.Protocol):
    """Parses answers and hands their frames on as they come, still encoded.

    The connection belongs to the pool while ``call`` is None. ``on_idle`` and ``on_lost`` are the pool's.
    """

    __slots__ = ("_between", "_chunked", "_deadlines", "_first_byte", "_head_size", "_headers", "_idle", "_in_head",
                 "_interim", "_length", "_longest_idle", "_on_idle", "_on_lost", "_outbox", "_parser", "_paused",
                 "_pieces", "_reason", "_socket", "_spare", "_stray", "_transport", "_until", "_until_close", "_whole",
                 "call", "deadline", "fresh", "origin", "pending", "usable")  # fmt: skip

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
        self.fresh = True  # it has not served a whole call yet
        self.call: UpstreamCall | None = None
        self.pending: Callable[[int], list[tuple[int, int]]]  # with 0: whether there is something to read
        self._idle = limits.idle
        self._between = limits.between
        self._longest_idle = limits.idle
        self._whole = limits.whole
        self._until = NEVER  # when all of the answer must be here
        self._deadlines = deadlines
        self._outbox = outbox
        self._on_idle = on_idle
        self._on_lost = on_lost
        self._transport: asyncio.Transport
        self._socket: socket.socket | None = None
        self._spare: socket.socket | None = None  # the same, for what is left when the loop has closed it
        self._parser: httptools.HttpResponseParser  # while it is connected
        self._headers: Headers = []
        self._reason = b""
        self._length: int | None = None
        self._chunked = False
        self._in_head = True
        self._head_size = 0
        self._interim = 0  # bytes of heads that announced another one
        self._until_close = False  # the body has no length of its own and ends with the connection
        self._paused = False
        self._pieces: list[bytes] = []  # of the body, out of what is being read
        self._stray = 0  # bytes of an answer since the last of its body: between chunks, and behind them

    # The pool's side

    def watch(self, sock: socket.socket) -> None:
        """``sock`` is what it reads from. Makes ``pending``."""
        self._socket = sock
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        self.pending = poll.poll

    def tls(self) -> ssl.SSLObject | None:
        """The TLS below it, if there is any."""
        return cast("ssl.SSLObject | None", self._transport.get_extra_info("ssl_object"))

    def release(self) -> None:
        """It will hear nothing more."""
        if hasattr(self, "_parser"):
            del self._parser  # it holds this: a circle

    # The call's side

    def begin(self, outgoing: Outgoing, first_byte: float, call: UpstreamCall) -> None:
        """Writes the request. The answer goes to ``call``."""
        self.call = call
        self._first_byte = first_byte
        now = self._deadlines.now
        self._until = until = now + self._whole
        deadline = now + first_byte
        self.deadline = deadline if deadline < until else until  # noqa: FURB136  quicker, and so below
        self._in_head = True
        stream = outgoing.stream
        if (stream is not None or len(outgoing.body) > _LARGE) and self._socket is not None and self.tls() is not None:
            self._spare = self._socket.dup()
        self._outbox.write(self._transport, b"".join((*self.head(outgoing), b"\r\n", outgoing.body)))
        if stream is None:
            call.sent = True
        else:
            stream.send_to(call)

    def head(self, outgoing: Outgoing) -> list[bytes]:
        """The head as the peer wants it."""
        return outgoing.head()

    def write(self, data: bytes) -> None:
        """More of a request body that streams. The wait for the answer begins anew with every byte."""
        self._wait(self._first_byte)
        self._outbox.write(self._transport, data)

    def _wait(self, seconds: float) -> None:
        """For what comes next; at most until the call has taken its time."""
        self.deadline = min(self._deadlines.now + seconds, self._until)

    def pause(self) -> None:
        """The client reads slowly: let the provider wait."""
        if not self._paused:
            self._paused = True
            self.deadline = self._until
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._paused:
            self._paused = False
            self._wait(self._between)
            self._transport.resume_reading()

    def abort(self) -> None:
        """Closes at once; nothing more is read or written."""
        self.usable = False
        self.call = None
        self._transport.abort()

    # The loop's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's does not inherit from asyncio's
        self._parser = httptools.HttpResponseParser(self)
        self.usable = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.usable = False
        if exc is not None and self.call is not None:
            self._read_rest()
        self._let_go()
        self._deadlines.watched.discard(self)
        self._on_lost(self)
        self.release()
        call, self.call = self.call, None
        if call is None:
            return
        secured = self.tls() if self._until_close else None
        if self._until_close and exc is None and (secured is None or closed(secured)):
            call.finish()
        elif self._in_head:
            call.fail(ProviderUnreachable("Failed to get response from provider: it closed the connection."))
        else:
            call.fail(ProviderBroke())

    def _read_rest(self) -> None:
        """Takes what came before the connection broke. A provider that answers amid a request and closes makes the next
        write fail, and then the loop reads no more. With TLS the loop has closed the socket by now, but not the spare.
        """
        secured = self.tls()
        sock = self._socket if secured is None else self._spare
        if sock is not None:
            for data in remains(sock, secured):
                self.data_received(data)
                if self.call is None:
                    return

    def _let_go(self) -> None:
        if self._spare is not None:
            self._spare.close()
            self._spare = None

    def data_received(self, data: bytes) -> None:
        if self.call is None:  # nobody asked: it cannot be trusted with another call
            self.abort()
            return
        self.call.heard = True
        if self._in_head:
            if not self._head_size and not b"HTTP/".startswith(data[:5]):  # the parser reads RTSP and ICE as well
                self._fail(ProviderBroke(f"{_NOT_HTTP}."))
                return
            self._head_size += len(data)
        elif not self._paused:
            self._stray += len(data)
            deadline = self._deadlines.now + self._between
            self.deadline = deadline if deadline < self._until else self._until  # noqa: FURB136  quicker, a frame each
        fault = self._parse(data)
        if self._pieces:
            self._hand_on()
        if fault is not None:
            self._fail(fault)
        elif self._in_head:
            self._in_mid_head(len(data))
        elif self._stray > HEAD_LIMIT:
            self._fail(ProviderBroke(_LARGE_TRAILERS))

    def _parse(self, data: bytes) -> ProviderFailure | None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return ProviderBroke("The provider switched protocols unasked.")
        except httptools.HttpParserError as error:
            return ProviderBroke(f"{_NOT_HTTP}: {error}.")
        return None

    def _hand_on(self) -> None:
        """Gives the call what was read of the body, in its pieces; crumbs together, and not more at once than others
        can wait for.
        """
        pieces, call = self._pieces, self.call
        self._pieces = []
        if len(pieces) > _CRUMBS:
            pieces = [b"".join(pieces)]
            self._transport.pause_reading()
            asyncio.get_running_loop().call_soon(self._read_on)
        for piece in pieces:
            if call is not None and self.call is call:
                call.feed(piece)

    def _read_on(self) -> None:
        if not self._paused:
            self._transport.resume_reading()

    def _in_mid_head(self, size: int) -> None:
        """The whole head may take as long as one pause within an answer, however it trickles."""
        if self._head_size > HEAD_LIMIT:
            self._fail(ProviderBroke(_LARGE_HEAD))
        elif self._head_size == size and not self._interim:
            self._wait(self._between)

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
        elif self._deadlines.now >= self._until:
            self._fail(ProviderTimeout(f"The provider's answer took longer than {self._whole:g} seconds."))
        elif self._in_head:
            self._fail(ProviderTimeout())
        else:
            self._fail(ProviderTimeout(f"The provider sent nothing for {self._between:g} seconds."))

    # The parser's side

    def on_message_begin(self) -> None:
        if self.call is None:
            self.abort()
        self._headers = []
        self._reason = b""
        self._length = None
        self._chunked = self._until_close = False

    def on_status(self, reason: bytes) -> None:
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:  # trailers end here
            return
        lower = name.lower()
        if lower in _FRAMING:
            if lower == b"content-length" and len(value) <= _DIGITS:
                self._length = int(value)
            else:
                self._frame(lower, value)
        self._headers.append((lower, name, value))

    def _frame(self, name: bytes, value: bytes) -> None:
        """What the parser leaves open: it refuses doubled lengths, and lengths beside another framing."""
        if name == b"keep-alive":
            self._idle = min(self._longest_idle, _keep_alive(value))
        elif name == b"content-length":
            self._fail(ProviderBroke(f"{_NOT_HTTP}: no answer is that long."))
        elif self._chunked or value.strip().lower() != b"chunked":
            self._fail(ProviderBroke(f"{_NOT_HTTP}: its transfer-encoding is not chunked, once."))
        else:
            self._chunked = True

    def on_headers_complete(self) -> None:
        call = self.call
        if call is None:  # it has failed already
            return
        status = self._parser.get_status_code()
        if status < _FINAL:  # a switch of protocols ends in HttpParserUpgrade
            self._on_interim(status)
            return
        if self.fresh or self._reason != b"OK" or self._head_size > HEAD_LIMIT:
            self._judge(self._parser.get_http_version())
            if self.call is None:
                return
        self._in_head = False
        deadline = self._deadlines.now + self._between
        self.deadline = deadline if deadline < self._until else self._until  # noqa: FURB136
        bodiless = call.method == b"HEAD" or status in _NO_BODY
        call.until_close = self._until_close = self._length is None and not self._chunked and not bodiless
        call.begin_reply(status, self._reason, self._headers, self._length)
        if call.method == b"HEAD":
            self.on_message_complete()
            self._parser = httptools.HttpResponseParser(self)  # the old one waits for the body that HEAD never has

    def _on_interim(self, status: int) -> None:
        """The wait for the answer begins anew; all heads together have one limit."""
        self._interim += _size(self._reason, self._headers)
        self._wait(self._first_byte)
        if status < _INTERIM:
            self._fail(ProviderBroke(f"{_NOT_HTTP}: its status is below 100."))
        elif self._interim > HEAD_LIMIT:
            self._fail(ProviderBroke(_LARGE_HEAD))

    def _judge(self, version: str) -> None:
        """Ends the call for what the parser overlooks in a head."""
        if self._head_size > HEAD_LIMIT and self._interim + _size(self._reason, self._headers) > HEAD_LIMIT:
            self._fail(ProviderBroke(_LARGE_HEAD))
        elif _CONTROL.search(self._reason):
            self._fail(ProviderBroke(f"{_NOT_HTTP}: its reason holds control characters."))
        elif not version.startswith("1."):
            self._fail(ProviderBroke(f"{_NOT_HTTP}: its version is {version}."))

    def on_body(self, data: bytes) -> None:
        self._stray = 0
        if self.call is not None:
            self._pieces.append(data)
        else:  # a body where there must be none
            self.abort()

    def on_message_complete(self) -> None:
        call = self.call
        if call is None or self._in_head:  # an informational answer: the real one follows
            return
        if self._pieces:
            self._hand_on()
        reusable = call.sent and not self._until_close and self._idle > 0 and self._parser.should_keep_alive()
        if reusable and not self._transport.get_write_buffer_size():  # else it may never read the rest of the request
            self._rest()
        else:
            self.abort()
        call.finish()

    def _rest(self) -> None:
        self.call = None
        self._let_go()
        self._head_size = self._interim = self._stray = 0
        self._until = NEVER
        self.resume()
        self.deadline = self._deadlines.now + self._idle
        self._on_idle(self)

    def _fail(self, error: ProviderFailure) -> None:
        call = self.call
        self.abort()
        if call is not None:
            call.fail(error)


def _size(reason: bytes, headers: Headers) -> int:
    """Bytes of a head, nearly."""
    return len(reason) + sum(len(name) + len(value) + 4 for _, name, value in headers) + len(b"HTTP/1.1 200 \r\n\r\n")


def _keep_alive(value: bytes) -> float:
    """Seconds for which the provider promises to keep an idle connection, less what a request may take to arrive."""
    found = _TIMEOUT.search(value)
    return max(0.0, int(found[1]) - _GRACE) if found is not None else NEVER
