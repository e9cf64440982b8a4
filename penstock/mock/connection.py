"""One connection: parses requests, plays their answers in order, counts how each ended."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator
from typing import cast

import httptools

from penstock.core import codec
from penstock.mock import dispatch
from penstock.mock.answer import JSON, Act, Answer
from penstock.mock.controls import NONE
from penstock.mock.request import MAX_HELD, PLAIN, Request
from penstock.mock.script import Line, Step, play
from penstock.mock.shared import Shared

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_OWN = b"/_mock/"
_MOST_QUEUED = 8  # requests read ahead of the one being answered
_RST = struct.pack("ii", 1, 0)  # linger, 0 seconds: closing sends a reset


class Connection(asyncio.Protocol):
    """The server's side of one connection."""

    def __init__(self, shared: Shared) -> None:
        self.tick = 0
        self._shared = shared
        self._stats = shared.stats
        self._parser = httptools.HttpRequestParser(self)
        self._incoming = Request()
        self._current: Request | None = None  # being answered
        self._waiting: deque[Request] = deque()
        self._script: Iterator[Step] | None = None
        self._due = 0.0  # loop time of the next frame; 0: no frame has been waited for
        self._wants_body = False
        self._write_paused = False
        self._read_paused = False
        self._counted = True
        self._served = 0
        self._open = True
        self._broken = False  # what came after the current request is not HTTP

    # the transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._write: Callable[[bytes], None] = self._transport.write
        self._shared.connections.add(self._transport)
        self._count_connection(counted=True)

    def data_received(self, data: bytes) -> None:
        if self._broken:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._broken = True  # answered like any other request, and the connection closed after it
        except httptools.HttpParserError:
            self._broken = True
            self._leave_broken()
        if self._open and not self._read_paused and self._is_full():
            self._read_paused = True
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._open = False
        self._shared.pacer.forget(self)
        self._shared.connections.discard(self._transport)
        unfinished = self._drop()
        self._stats.aborted_by_peer += unfinished
        if self._counted:
            self._stats.connections_open -= 1
        self._stats.changed()

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        if self._script:
            self._advance()
        else:
            self._next()

    # the parser's side

    def on_message_begin(self) -> None:
        self._incoming = Request()

    def on_url(self, url: bytes) -> None:
        self._incoming.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._incoming.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if not self._open:
            return
        request, parser = self._incoming, self._parser
        request.method = parser.get_method().decode()
        http11 = parser.get_http_version() == "1.1"
        keep_alive = parser.should_keep_alive() and not parser.should_upgrade()
        if not (http11 and keep_alive and request.method != "HEAD"):
            request.line = Line(request.method == "HEAD", http11, keep_alive)
        self._count(request)
        request.read_head()
        if self._current or self._write_paused:
            self._waiting.append(request)
        else:
            self._begin(request)

    def on_body(self, body: bytes) -> None:
        self._incoming.take(body)
        if self._wants_body and self._incoming is self._current:
            self._advance()

    def on_message_complete(self) -> None:
        request = self._incoming
        request.complete = True
        if request is not self._current:
            return
        if self._script is None:
            self._respond(request)
            self._next()
        elif self._wants_body:
            self._advance()

    # the answers

    def wake(self) -> None:
        """The time for the next step has come."""
        self._advance()

    def _begin(self, request: Request) -> None:
        self._current = request
        self._served += 1
        if request.refused_early:
            request.line = request.line._replace(keep_alive=False)
            self._respond(request)
            return
        if request.expects and not request.complete:
            self._write(_CONTINUE)
        if request.complete or request.streams:
            self._respond(request)

    def _next(self) -> None:
        while self._waiting and self._current is None and self._open and not self._write_paused:
            self._begin(self._waiting.popleft())
        if self._read_paused and self._open and not self._is_full():
            self._read_paused = False
            self._transport.resume_reading()
        if self._broken and self._open:
            self._leave_broken()

    def _leave_broken(self) -> None:
        """Ends a connection on which nothing more can be read, once what was asked before is answered."""
        if self._current and self._current.complete:
            return
        if self._script is None:
            self._write(_BAD_REQUEST)
        self._close()

    def _respond(self, request: Request) -> None:
        access = self._shared.access
        if access is not None and request.counted and not request.refusal:
            answer = access.answer(request)
            if answer is not None:
                self._play(answer, request)
                return
        if request.controls is NONE and request.line is PLAIN and request.counted and not request.refusal:
            self._write(self._shared.plain(request.method, request.target, request.body()))
            self._finished()
            return
        if request.controls.reset == "1" or (request.controls.reset and self._served > 1):
            self._act(Act.RESET)
            return
        self._play(self._answer(request), request)

    def _play(self, answer: Answer, request: Request) -> None:
        self._due = 0.0
        self._script = play(answer, request.controls, request.line)
        self._advance()

    def _answer(self, request: Request) -> Answer:
        if not request.counted:
            return self._own(request)
        if request.refusal:
            return dispatch.refuse(request.target, *request.refusal)
        if request.controls.echo == "body":
            return request.returned()
        if request.controls.echo:
            return request.described()
        return dispatch.answer(request.method, request.target, request.body(), request.controls)

    def _own(self, request: Request) -> Answer:
        path = request.target.removeprefix(_OWN).partition(b"?")[0]
        if (request.method, path) == ("POST", b"reset"):
            self._stats.reset()
        elif (request.method, path) != ("GET", b"stats"):
            return Answer(404, JSON, [codec.encode({"error": {"message": "GET /_mock/stats or POST /_mock/reset"}})])
        return Answer(200, JSON, [codec.encode(self._stats.snapshot())])

    def _advance(self) -> None:
        self._wants_body = False
        for step in self._script or ():
            if isinstance(step, bytes):
                self._write(step)
                if self._write_paused:
                    return
            elif isinstance(step, Act):
                self._act(step)
                return
            else:
                self._due = (self._due or self._shared.time()) + step
                self._shared.pacer.at(self._due, self)
                return
        self._finished()
        self._next()

    def _act(self, act: Act) -> None:
        if act is Act.MORE:
            self._wants_body = True
            if self._read_paused and not self._is_full():
                self._read_paused = False
                self._transport.resume_reading()
        elif act is Act.CLOSE:
            self._finished()
            self._close()
        elif act is Act.STALL:
            if self._current:
                self._current.discard()  # so that reading goes on and sees the peer leave
        else:
            self._stats.answers_cut += self._drop()
            if act is Act.RESET:
                self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
                self._transport.abort()
            self._close()

    def _finished(self) -> None:
        if self._current and self._current.counted:
            self._stats.requests_running -= 1
            self._stats.answers_completed += 1
            self._stats.changed()
        self._current = self._script = None

    def _close(self) -> None:
        self._open = False
        self._stats.answers_cut += self._drop()
        self._transport.close()  # what was written still goes out

    # counting

    def _drop(self) -> int:
        """Forgets the requests not yet answered and tells how many there were."""
        left = [request for request in (self._current, *self._waiting) if request and request.counted]
        self._stats.requests_running -= len(left)
        self._current = self._script = None
        self._waiting.clear()
        return len(left)

    def _count(self, request: Request) -> None:
        request.counted = not request.target.startswith(_OWN)
        if request.counted:
            self._stats.begin(request.target)
        if request.counted != self._counted and (request.counted or not self._served):
            self._count_connection(counted=request.counted)

    def _count_connection(self, *, counted: bool) -> None:
        """A connection that serves only to read the counters is not counted itself."""
        step = 1 if counted else -1
        self._counted = counted
        self._stats.connections_open += step
        self._stats.connections_ever = max(0, self._stats.connections_ever + step)

    def _is_full(self) -> bool:
        request = self._incoming
        return len(self._waiting) >= _MOST_QUEUED or (request.controls.echo == "body" and request.held > MAX_HELD)
