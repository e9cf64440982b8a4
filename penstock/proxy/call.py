"""One data-plane call, from the parser to the line and back."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Protocol

from penstock.core import tasks
from penstock.core.headers import Headers
from penstock.model.body import RequestBody
from penstock.model.exchange import Exchange
from penstock.model.outcome import Outcome
from penstock.model.request import Request
from penstock.proxy import respond
from penstock.proxy.plane import Plane
from penstock.proxy.serve import serve


class Owner(respond.Client, Protocol):
    """The client's connection."""

    plane: Plane
    transport: asyncio.Transport

    def answered(self, call: "DataCall") -> None: ...


class DataCall:
    """Runs the line in a task of its own, inside a scope that leaves exactly one outcome."""

    __slots__ = ("_ended", "_ex", "_owner", "_task", "body", "http10", "last")

    def __init__(self, owner: Owner, method: bytes, url: bytes, headers: Headers, body: RequestBody) -> None:
        self.body = body
        self.http10 = False
        self.last = False
        self._owner = owner
        self._ex = Exchange(Request(method, url, headers, body), time.monotonic())
        self._task: tasks.Task | None = None
        self._ended = False  # nothing more of it goes to the client

    def start(self) -> None:
        """The calls before it on this connection are answered."""
        owner, ex = self._owner, self._ex
        ex.request.client = owner.plane.named.name(owner.transport, ex.request.headers)
        self._task = owner.plane.calls[ex] = tasks.spawn(owner.plane.loop, self._run())

    def client_gone(self) -> None:
        """The client left. A call that never began did nothing and leaves nothing; one whose answer others wait for
        goes on for them.
        """
        if self._task is None:
            self.body.release()
        elif not self._ended and not self._ex.outcome:
            self._ex.client_gone = True
            flight = self._ex.flight
            if tasks.unbegun(self._task) or (flight is not None and flight.outlives(self._task.cancel)):
                return  # the first would end without a trace
            self._task.cancel()

    async def _run(self) -> None:
        ex, owner = self._ex, self._owner
        plane = owner.plane
        try:
            with plane.recorder.scope(ex):
                if not ex.client_gone:
                    try:
                        await respond.send(ex, serve(ex, plane), owner)
                    finally:
                        if ex.reading is not None and (rest := ex.reading.rest()) is not None:
                            await self._read_on(rest)
        finally:
            del plane.calls[ex]
            self.body.release()  # first: whatever happens on the connection, the memory is given back
            if ex.outcome in _NO_PROPER_END:
                respond.apologise(ex, owner)
            owner.answered(self)

    async def _read_on(self, rest: Awaitable[None]) -> None:
        """The answer is out, or broke off, and the meter has some of it still to read: the row waits for that."""
        self._ended = True
        if self._ex.reply is not None:
            self._ex.reply.body.close()
        await rest


_NO_PROPER_END = frozenset({Outcome.BUG, Outcome.CANCELLED})
