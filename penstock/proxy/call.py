"""One data-plane call, from the parser to the line and back."""

import asyncio
import time
from contextlib import suppress
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
            self._ex.let_go()
        elif not self._ended and not self._ex.outcome:
            self._ex.client_gone = True
            flight = self._ex.step.flight
            if tasks.unbegun(self._task) or (flight is not None and flight.outlives(self._task.cancel)):
                return  # the first would end without a trace
            self._task.cancel()

    async def _run(self) -> None:
        ex, owner = self._ex, self._owner
        plane = owner.plane
        answered = False
        try:
            with plane.recorder.scope(ex):
                if not ex.client_gone:
                    try:
                        await respond.send(ex, serve(ex, plane), owner)
                    except BaseException:
                        if (rest := _unread(ex)) is not None:
                            await self._read_on(rest)
                        raise
                    if (rest := _unread(ex)) is not None:
                        answered = True
                        owner.answered(self)
                        await self._read_on(rest)
        finally:
            del plane.calls[ex]
            self.body.release()  # first: whatever happens on the connection, the memory is given back
            for step in ex.steps:
                step.request.body.release()
            if not answered:
                if ex.outcome in _NO_PROPER_END:
                    respond.apologise(ex, owner)
                owner.answered(self)
            ex.let_go()

    async def _read_on(self, rest: asyncio.Future[None]) -> None:
        """The answer is out, or broke off, and the meter has some of it still to read: the row waits for that. A
        gateway that stops does not wait for long.
        """
        ex, plane = self._ex, self._owner.plane
        self._ended = True
        if (reply := ex.step.reply) is not None:
            reply.body.close()
        for step in ex.steps:
            if not step.options.payloads or step.request.body.kept() is None:
                step.request.body.release()
        with suppress(asyncio.CancelledError):  # the row then says that not all was read
            while not rest.done():
                await asyncio.wait((rest,), timeout=_PATIENCE)
                if plane.stopping:
                    return


def _unread(ex: Exchange) -> asyncio.Future[None] | None:
    """Done when the meter has read all of the answer; None: it has."""
    reading = ex.step.reading
    return None if reading is None else reading.rest()


_PATIENCE = 0.5  # seconds that a gateway which stops waits for an answer to be read
_NO_PROPER_END = frozenset({Outcome.BUG, Outcome.CANCELLED})
