"""The client's side: an HTTP/1.1 server protocol under uvicorn.

Data-plane calls are served straight from the parser's callbacks; everything else goes to the ASGI application.
Requests on one connection are answered in order; pipelined ones wait, and reading pauses while they do.
"""

import asyncio
import contextlib
import math
import select
from collections import deque
from itertools import takewhile
from typing import Protocol, cast

from penstock.core.deadlines import NEVER
from penstock.core.errors import Overloaded, PenstockError, RequestTimeout
from penstock.model.body import RequestBody
from penstock.model.reply import Source
from penstock.proxy import head, refusal, surfaces
from penstock.proxy.asgi import AsgiApp, AsgiCall, control_bounds
from penstock.proxy.call import DataCall
from penstock.proxy.plane import Plane
from penstock.proxy.preflight import Preflight
from penstock.proxy.reader import Reader

PROBE = 0.1  # seconds between two looks whether a client is still there while nothing is read from it
_PIPELINED, _CONTROL = ("pipelined", -1), ("control plane", 0)  # shares of bodies that are no gateway's, or not yet
RATE = 8192  # bytes of a held body; so many more give its client a second more
LINGER = 2.0  # seconds in which a client may notice that its request was refused before it was read


class Call(Protocol):
    """A request being served, whichever plane serves it."""

    body: RequestBody
    http10: bool
    last: bool  # the client wants no further call on this connection

    def start(self) -> None: ...
    def client_gone(self) -> None: ...


class ClientConnection(asyncio.Protocol):
    """One client. ``deadline`` always belongs to what the connection waits for just now."""

    def __init__(self, plane: Plane, app: AsgiApp) -> None:
        self.plane = plane
        self.app = app
        self.cors = plane.cors
        self.deadline = NEVER
        self.http10 = False
        self.closing = False
        self.wire: asyncio.Transport | None = None  # under TLS, what carries it
        self._reader = Reader(self)
        self._outbox = plane.outbox
        self._calls: deque[Call] = deque()  # the first is running, unless it waits
        self._waits = False  # until the client has read the answer before
        self._reply: Source | None = None
        self._paused = False
        self._since = 0.0  # when it was
        self._whole = NEVER  # when all of the head that is arriving must be here
        self._due = NEVER  # when all of the body that is arriving must be here, at the latest
        self._rate = math.inf  # bytes; so many that came put that off by a second
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
        self._lost, self._unread = True, False
        self.app.connections.discard(self)
        self.plane.connections -= 1
        self.plane.deadlines.watched.discard(self)
        for call in () if self._cut else self._calls:
            call.client_gone()
        self._reader.close()

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        reader = self._reader
        if reader.in_head and not reader.size:
            self._whole = self.plane.deadlines.now + self.plane.settings.head_timeout
        try:
            fault = reader.feed(data)
        except BaseException:
            self.transport.abort()
            raise
        self._rest()
        if fault is not None:
            self._fail(fault)

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
        self._reader.body = None
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
        if self._waits and not self._ending and not self.transport.is_closing():
            self._waits = False
            self._start(self._calls[0])
        self._rest()
        if self._reply is not None:
            self._reply.resume()

    def overdue(self) -> None:
        """The time limit of what the connection waited for has passed."""
        self.deadline = NEVER
        if self._unread:
            self.transport.abort()
        elif self._ending:
            self._hang_up()
        elif self._paused or self._until < NEVER:
            self._probe()
        elif self._reader.body is not None:
            self._reader.body.fail(RequestTimeout("The request body did not arrive in time."))
        elif self._reader.size:
            self._refuse(RequestTimeout("The request head did not arrive in time."))
        else:
            self._close(idle=True)

    def shutdown(self) -> None:
        """uvicorn stops: the running answer is the last one."""
        self.closing = True
        if not self._calls:
            self._close(idle=True)

    def opened(self) -> None:
        """A head is here: a call begins, at once or in its turn."""
        plane, reader, headers = self.plane, self._reader, self._reader.headers
        url, method = head.target(reader.url), reader.parser.get_method()
        length, last, http10, self._expects = head.read(reader.parser, headers)
        proxied = surfaces.find(url) is not None
        bounds = plane.bounds if proxied else control_bounds(plane.bounds.budget)
        settings = plane.settings
        self._due = plane.deadlines.now + (settings.body_time if proxied else settings.body_timeout)
        self._rate = RATE if proxied else math.inf
        body = reader.body = RequestBody(self, bounds, length)
        if self._calls:
            body.charge(bounds.budget.share(*_PIPELINED))
        elif not proxied:
            body.charge(bounds.budget.share(*_CONTROL))
        kind = Preflight if self.cors.asks(method, headers) else DataCall if proxied else AsgiCall
        call: Call = kind(self, method, url, headers, body)
        call.http10, call.last = http10, last
        self._calls.append(call)
        if len(self._calls) == 1:
            self._start(call)
        else:
            self._stop_reading()

    # The call's side

    def write(self, data: bytes) -> None:
        """Bytes of the answer."""
        if not self._lost:
            self._outbox.write(self.transport, data)

    def cut(self) -> None:
        """Ends the connection after what was written, without a proper end of the answer."""
        self.closing = self._cut = True
        while len(self._calls) > 1:
            self._calls.pop().client_gone()
        self._close()

    def reads_from(self, source: Source | None) -> None:
        """``source`` is paused while the client does not read."""
        self._reply = source
        if source is not None and self._unread:
            source.pause()

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
        """Begins the first call, unless an answer before it is still to be read: answers must not pile up."""
        if self._unread:
            self._waits = True
            self._stop_reading()
            return
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
        if seen & _NO_MORE and self._calls and not isinstance(self._calls[0], DataCall):  # more may still be unread
            seen &= ~_NO_MORE
            self._sends_no_more()
        if seen or self.plane.deadlines.now > self._until:
            self.transport.abort()
        else:
            self._rest()

    def _sends_no_more(self) -> None:
        """Nobody can tell whether such a client still reads, so it is answered within a limit."""
        self._until = min(self._until, self.plane.deadlines.now + self.plane.settings.write_timeout)

    def _rest(self) -> None:
        """Sets the deadline that now applies."""
        plane = self.plane
        if self._unread or self._ending:
            return  # their limits run since they began
        if self._paused or self._until < NEVER:
            self.deadline = plane.deadlines.now + PROBE
        elif self._reader.body is not None and not self._deaf:
            self.deadline = min(plane.deadlines.now + plane.settings.body_timeout, self._all_due(self._reader.body))
        elif self._calls:
            self.deadline = NEVER
        elif self._reader.size:
            self.deadline = self._whole
        else:
            self.deadline = plane.deadlines.now + plane.settings.keepalive_timeout

    def _all_due(self, body: RequestBody) -> float:
        """When a body must have arrived. One that streams through takes no room, and may be as slow as it likes."""
        return self._due + body.size / self._rate if body.held_back or self._rate == math.inf else NEVER

    def _fail(self, fault: PenstockError) -> None:
        """What arrives cannot be read on: the call whose body it is fails, or else it never becomes a call."""
        if self._reader.body is not None:
            self._deaf = True
            self._reader.body.fail(fault)
            self._rest()
        else:
            self._refuse(fault)

    def _refuse(self, error: PenstockError) -> None:
        """Answers what never became a call, as soon as the answers before it are out, and closes."""
        if self._calls:
            self._deaf, self._fault = True, error
            return
        reader = self._reader
        self.write(refusal.render(error, reader.url, self.cors.pairs(reader.headers), whole=not reader.in_head))
        self._linger()

    def _linger(self) -> None:
        """Closing with unread bytes would reset the connection and lose the answer on its way."""
        self._deaf = self._ending = True
        if not self._unread:
            self.deadline = self.plane.deadlines.now + LINGER
        self.plane.outbox.flush()
        self._go_on_reading()
        if self.transport.can_write_eof():
            with contextlib.suppress(OSError):  # the standard loop raises it where the client has left meanwhile
                self.transport.write_eof()
        else:  # TLS: it says that no more comes, drops what still arrives, and waits for the client to say the same
            self.transport.close()

    def _close(self, *, idle: bool = False) -> None:
        """Closes as soon as what was written is out, which a client that does not read must not put off for ever."""
        now = self.plane.deadlines.now
        self._deaf = self._ending = True
        self.deadline = self._until = now + self.plane.settings.write_timeout
        self.plane.outbox.flush()
        if not self.transport.is_closing():
            self.transport.close()
        if self.wire is not None and not self._unread:
            self.deadline = now + LINGER
            if idle:
                self._hang_up()

    def _hang_up(self) -> None:
        """Under TLS, closing is a goodbye that the client should return. It is not waited for without end."""
        plane, wire = self.plane, self.wire
        if wire is None or wire.is_closing() or plane.deadlines.now > self._until:
            self.transport.abort()
        elif self.transport.get_write_buffer_size():
            self.deadline = plane.deadlines.now + LINGER
        else:
            wire.close()
            self.deadline = plane.deadlines.now + plane.settings.write_timeout


_NO_MORE = getattr(select, "POLLRDHUP", 0)  # the peer has closed its sending side; errors and hang-ups come unasked


def _outlasts(call: Call) -> bool:
    """Whether a request is worth an answer though its client sends nothing more.

    Closing looks like closing one side alone. Calls to providers cost money, so there it is taken for leaving.
    """
    return not isinstance(call, DataCall) and call.body.complete
