"""The client's side: an HTTP/1.1 server protocol under uvicorn.

Data-plane calls are served straight from the parser's callbacks; everything else goes to the ASGI application.
Requests on one connection are answered in order; pipelined ones wait, and reading pauses while they do.
"""

import asyncio
import select
from collections import deque
from itertools import takewhile
from typing import Protocol, cast

import httptools

from penstock.core.deadlines import NEVER
from penstock.core.errors import HeadTooLarge, MalformedRequest, Overloaded, PenstockError, RequestTimeout
from penstock.core.headers import Headers
from penstock.model.body import RequestBody
from penstock.proxy import address, head, refusal
from penstock.proxy.asgi import AsgiApp, AsgiCall, control_bounds
from penstock.proxy.call import DataCall
from penstock.proxy.plane import Plane

HEAD_LIMIT = 64 * 1024
PROBE = 0.1  # seconds between two looks whether a client is still there while nothing is read from it
LINGER = 2.0  # seconds in which a client may notice that its request was refused before it was read


class Call(Protocol):
    """A request being served, whichever plane serves it."""

    body: RequestBody
    http10: bool
    last: bool  # the client wants no further call on this connection

    def start(self) -> None: ...
    def client_gone(self) -> None: ...


class Source(Protocol):
    """Where an answer comes from; paused while the client does not read."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...


class ClientConnection(asyncio.Protocol):
    """One client. ``deadline`` always belongs to what the connection waits for just now."""

    def __init__(self, plane: Plane, app: AsgiApp) -> None:
        self.plane = plane
        self.app = app
        self.deadline = NEVER
        self.http10 = False
        self.closing = False
        self._parser = httptools.HttpRequestParser(self)
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)  # what follows a last request is dropped
        self._calls: deque[Call] = deque()  # the first is running
        self._incoming: RequestBody | None = None  # the body that is arriving
        self._url = b""
        self._headers: Headers = []
        self._head_size = 0
        self._in_head = True
        self._upgrade = False
        self._reply: Source | None = None
        self._paused = False
        self._since = 0.0  # when it was
        self._due = NEVER  # when all of the body that is arriving must be here
        self._until = NEVER  # how long a client that sends nothing more is answered
        self._expects = False  # the client waits for 100 Continue before it sends the body
        self._unread = False  # the client does not read what was written
        self._deaf = False  # nothing that comes is looked at any more
        self._ending = False  # no call will follow; what was written goes out within a limit
        self._cut = False  # the connection was ended by us, amid an answer
        self._fault: PenstockError | None = None  # told when the calls before it are answered
        self._lost = False

    # The loop's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's does not inherit from asyncio's
        self.app.connections.add(self)
        self.plane.connections += 1
        self.plane.deadlines.watched.add(self)
        self.deadline = self.plane.deadlines.now + self.plane.settings.head_timeout
        if self.plane.connections > self.plane.settings.max_connections:
            self._refuse(Overloaded("The gateway has as many connections as it may; try again."))

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        self.app.connections.discard(self)
        self.plane.connections -= 1
        self.plane.deadlines.watched.discard(self)
        for call in () if self._cut else self._calls:
            call.client_gone()
        self._incoming = None  # it holds this, and so does the parser: nothing would go before the collector comes
        del self._parser

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        if self._in_head and not self._head_size:
            self.deadline = self.plane.deadlines.now + self.plane.settings.head_timeout
        self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offset:
            self._without_upgrade(data[offset.args[0] :])
        except httptools.HttpParserError as error:
            self._malformed(error, data)
        else:
            self._rest()
            if self._head_size > HEAD_LIMIT:
                self._fail(HeadTooLarge())

    def eof_received(self) -> bool:
        """Whole requests of the control plane are answered yet; any other client that sends no more has left."""
        whole = len([*takewhile(_outlasts, self._calls)])
        if not whole:
            return False
        while len(self._calls) > whole:
            self._calls.pop().client_gone()
            self._fault = None
        if self._fault is None:  # else it is told last
            self._calls[-1].last = True
            self.closing = self.closing or whole == 1
        self._incoming = None
        self._sends_no_more()
        self._rest()
        return True

    def pause_writing(self) -> None:
        self._unread = True
        self.deadline = self.plane.deadlines.now + self.plane.settings.write_timeout
        if self._reply is not None:
            self._reply.pause()

    def resume_writing(self) -> None:
        self._unread = False
        self._rest()
        if self._reply is not None:
            self._reply.resume()

    def overdue(self) -> None:
        """The time limit of what the connection waited for has passed."""
        self.deadline = NEVER
        if self._ending or self._unread:
            self.transport.abort()
        elif self._paused or self._until < NEVER:
            self._probe()
        elif self._incoming is not None:
            self._incoming.fail(RequestTimeout("The request body did not arrive in time."))
        elif self._head_size:
            self._refuse(RequestTimeout("The request head did not arrive in time."))
        else:
            self._close()

    def shutdown(self) -> None:
        """uvicorn stops: the running answer is the last one."""
        self.closing = True
        if not self._calls:
            self._close()

    # The parser's side

    def on_message_begin(self) -> None:
        self._url, self._headers, self._upgrade = b"", [], False

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # trailers end here
            self._headers.append((name.lower(), name, value))

    def on_headers_complete(self) -> None:
        if self._head_size > HEAD_LIMIT and head.size(self._url, self._headers) > HEAD_LIMIT:
            raise HeadTooLarge
        if self._parser.should_upgrade():
            self._upgrade = True
            return
        self._in_head = False
        self._head_size = 0
        self._open()

    def on_body(self, data: bytes) -> None:
        self._head_size = 0  # between two pieces of a body, and behind the last one, as little may come as in a head
        if self._incoming is not None:
            self._incoming.feed(data)

    def on_message_complete(self) -> None:
        if self._upgrade:
            return
        self._in_head = True
        self._head_size, self._url = 0, b""
        body, self._incoming = self._incoming, None
        if body is not None:
            body.finish()

    # The call's side

    def write(self, data: bytes) -> None:
        """Bytes of the answer."""
        if not self._lost:
            self.plane.outbox.write(self.transport, data)

    def cut(self) -> None:
        """Ends the connection after what was written, without a proper end of the answer."""
        self.closing = self._cut = True
        while len(self._calls) > 1:
            self._calls.pop().client_gone()
        self._close()

    def reads_from(self, body: Source | None) -> None:
        """``body`` is paused while the client does not read."""
        self._reply = body
        if body is not None and self._unread:
            body.pause()

    def proceed(self) -> None:
        """The request body is wanted now."""
        if self._expects:
            self._expects = False
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def pause(self) -> None:
        """The request body comes faster than it is taken."""
        self._stop_reading()
        self._rest()

    def resume(self) -> None:
        if len(self._calls) <= 1:
            self._go_on_reading()
            self._rest()

    def answered(self, call: Call) -> None:
        """The first call is done: on to the next, or close."""
        self._calls.popleft()
        if self._lost:
            return
        if not call.body.complete:  # the answer came before the request was read
            self._linger()
        elif self._calls and not self.closing:
            self._start(self._calls[0])
            self._rest()
        elif self.closing:
            self._close()
        elif self._fault is not None:
            self._refuse(self._fault)
        else:
            self._go_on_reading()
            self._rest()

    def _start(self, call: Call) -> None:
        self.http10 = call.http10
        self.closing = self.closing or call.last or self.plane.stopping
        if len(self._calls) == 1:
            self._go_on_reading()
        call.start()

    def _stop_reading(self) -> None:
        if not self._paused and not self._lost:
            self._paused, self._since = True, self.plane.deadlines.now
            self.transport.pause_reading()

    def _go_on_reading(self) -> None:
        if self._paused and not self._lost:
            self._paused = False
            self._due += self.plane.deadlines.now - self._since  # that was no fault of the client's
            self.transport.resume_reading()

    def _probe(self) -> None:
        """A loop that does not read from a socket does not notice that its peer has left."""
        poll = select.poll()
        poll.register(self.transport.get_extra_info("socket").fileno(), _NO_MORE)
        seen = sum(events for _, events in poll.poll(0))
        if (
            seen & _NO_MORE and self._calls and isinstance(self._calls[0], AsgiCall)
        ):  # what it sent before may still be unread
            seen &= ~_NO_MORE
            self._sends_no_more()
        if seen or self.plane.deadlines.now > self._until:
            self.transport.abort()
        else:
            self._rest()

    def _sends_no_more(self) -> None:
        """Nobody can tell whether such a client still reads, so it is answered within a limit."""
        self._until = min(self._until, self.plane.deadlines.now + self.plane.settings.write_timeout)

    def _open(self) -> None:
        plane, parser, headers = self.plane, self._parser, self._headers
        url = head.target(self._url)
        length, last, http10, self._expects = head.read(parser, headers)
        proxied = url.startswith(address.PREFIX) or address.is_root(url)
        kind = DataCall if proxied else AsgiCall
        bounds = plane.bounds if proxied else control_bounds(plane.bounds.budget)
        self._due = NEVER if proxied else plane.deadlines.now + plane.settings.body_timeout
        body = self._incoming = RequestBody(self, bounds, length)
        call: Call = kind(self, parser.get_method(), url, headers, body)
        call.http10, call.last = http10, last
        self._calls.append(call)
        if len(self._calls) == 1:
            self._start(call)
        else:
            self._stop_reading()

    def _rest(self) -> None:
        """Sets the deadline that now applies."""
        plane = self.plane
        if self._unread or self._ending:
            return  # their limits run since they began
        if self._paused or self._until < NEVER:
            self.deadline = plane.deadlines.now + PROBE
        elif self._incoming is not None and not self._deaf:
            self.deadline = min(plane.deadlines.now + plane.settings.body_timeout, self._due)
        elif self._calls:
            self.deadline = NEVER
        elif not self._head_size:  # else a head is arriving, and its limit runs
            self.deadline = plane.deadlines.now + plane.settings.keepalive_timeout

    def _without_upgrade(self, rest: bytes) -> None:
        """The offer to switch protocols is declined: the request is read again as if it had not been made."""
        method = self._parser.get_method()
        lines = b"".join(b"%b: %b\r\n" % (name, value) for lower, name, value in self._headers if lower != b"upgrade")
        version = self._parser.get_http_version().encode()
        if method == b"CONNECT":
            self._refuse(MalformedRequest("Malformed HTTP request: this is no forward proxy."))
            return
        self._parser = httptools.HttpRequestParser(self)
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.data_received(b"%b %b HTTP/%b\r\n%b\r\n" % (method, self._url, version, lines) + rest)

    def _malformed(self, error: httptools.HttpParserError, data: bytes) -> None:
        cause = error.__context__
        if isinstance(error, httptools.HttpParserCallbackError) and not isinstance(cause, PenstockError):
            self.transport.abort()
            raise error
        fault = cause if isinstance(cause, PenstockError) else MalformedRequest(f"Malformed HTTP request: {error}")
        if not self._url and self._head_size >= len(data):  # all of the data is of this head
            self._url = refusal.url_in(data)
        self._fail(fault)

    def _fail(self, fault: PenstockError) -> None:
        """What arrives cannot be read on: the call whose body it is fails, or else it never becomes a call."""
        if self._incoming is not None:
            self._deaf = True
            self._incoming.fail(fault)
            self._rest()
        else:
            self._refuse(fault)

    def _refuse(self, error: PenstockError) -> None:
        """Answers what never became a call, as soon as the answers before it are out, and closes."""
        if self._calls:
            self._deaf, self._fault = True, error
            return
        self.write(refusal.render(error, self._url, whole=not self._in_head))
        self._linger()

    def _linger(self) -> None:
        """Closing with unread bytes would reset the connection and lose the answer on its way."""
        self._deaf = self._ending = True
        if not self._unread:
            self.deadline = self.plane.deadlines.now + LINGER
        self.plane.outbox.flush()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._go_on_reading()

    def _close(self) -> None:
        """Closes as soon as what was written is out, which a client that does not read must not put off for ever."""
        self._deaf = self._ending = True
        self.deadline = self.plane.deadlines.now + self.plane.settings.write_timeout
        self.plane.outbox.flush()
        self.transport.close()


_NO_MORE = getattr(select, "POLLRDHUP", 0)  # the peer has closed its sending side; errors and hang-ups come unasked


def _outlasts(call: Call) -> bool:
    """Whether a request is worth an answer though its client sends nothing more.

    Closing looks like closing one side alone. Calls to providers cost money, so there it is taken for leaving.
    """
    return isinstance(call, AsgiCall) and call.body.complete
