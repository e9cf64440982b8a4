"""Requests outside the data plane: handed to the ASGI application, one task each.

Neither side can fill memory: the body is held up to ``HELD`` while the application does not take it, then reading
pauses; ``send`` waits while the client does not read.
"""

import asyncio
import urllib.parse
from typing import Any, Protocol

from starlette.requests import ClientDisconnect
from starlette.types import Message, Scope
from uvicorn.config import Config
from uvicorn.protocols.utils import get_local_addr
from uvicorn.server import ServerState

from penstock.core import tasks
from penstock.core.budget import Budget
from penstock.core.errors import BodyTooLarge, Bug, Overloaded, PenstockError
from penstock.core.headers import Headers
from penstock.core.logs import log
from penstock.model.body import Bounds, RequestBody
from penstock.proxy.framing import Answer
from penstock.proxy.plane import Plane
from penstock.proxy.refusal import control_body, control_headers

CONTROL_BODY = 1 << 20  # bytes; larger bodies are refused
HELD = 64 * 1024  # bytes of a body that wait for the application; one more read from the socket may come on top


def control_bounds(budget: Budget) -> Bounds:
    """How bodies outside the data plane are treated."""
    return Bounds(hold=HELD, keep=0, limit=CONTROL_BODY, budget=budget)


class AsgiApp:
    """The application, and what uvicorn shares among connections."""

    def __init__(self, config: Config, state: ServerState, lifespan_state: dict[str, Any]) -> None:
        self.config = config
        self.application: Any = getattr(config, "loaded_app")  # noqa: B009  uvicorn leaves its type half open
        self.state = state
        self.lifespan_state = lifespan_state
        self.connections: set[Any] = state.connections


class Owner(Protocol):
    """The client's connection."""

    app: AsgiApp
    plane: Plane
    transport: asyncio.Transport
    closing: bool  # this answer is the connection's last

    def write(self, data: bytes) -> None: ...
    def cut(self) -> None: ...
    def reads_from(self, source: "AsgiCall | None") -> None: ...
    def proceed(self) -> None: ...
    def answered(self, call: "AsgiCall") -> None: ...


class AsgiCall:
    """One request. It is the sink of its own body; ``receive`` and ``send`` are the application's."""

    __slots__ = (
        "_answer",
        "_arrived",
        "_ended",
        "_failed",
        "_full",
        "_headers",
        "_held",
        "_method",
        "_news",
        "_owner",
        "_running",
        "_told",
        "_unread",
        "_url",
        "body",
        "http10",
        "last",
    )

    def __init__(self, owner: Owner, method: bytes, url: bytes, headers: Headers, body: RequestBody) -> None:
        self.body = body
        self.http10 = False
        self.last = False
        self._owner = owner
        self._method = method
        self._url = url
        self._headers = headers
        self._answer = Answer(method, http10=False)
        self._arrived = bytearray()  # of the body, for the application to take
        self._held = 0  # bytes of the body that were charged to the budget
        self._ended = False  # all of the body arrived
        self._told = False  # and the application knows
        self._failed = False  # the body did not come whole: the application gets no more of it
        self._full = False  # the body waits for the application
        self._unread = False  # the client does not read what was written
        self._running = False  # begun, not answered whole, and the client is there
        self._news = asyncio.Event()  # one of these changed

    # The connection's side

    def start(self) -> None:
        """The calls before it on this connection are answered."""
        app = self._owner.app
        self._running = True
        self._answer = Answer(self._method, http10=self.http10)
        task = tasks.spawn(self._owner.plane.loop, self._run(app))
        app.state.tasks.add(task)
        task.add_done_callback(app.state.tasks.discard)
        self._owner.reads_from(self)
        self.body.send_to(self)

    def client_gone(self) -> None:
        """Told to the application as a disconnect. A call that never began does nothing."""
        self._end()

    def pause(self) -> None:
        """The client does not read."""
        self._unread = True

    def resume(self) -> None:
        self._unread = False
        self._news.set()

    # The body's side

    def on_frame(self, data: bytes) -> None:
        if not self._running:
            return
        if not self.body.room.try_take(len(data), small=True):
            self.on_error(Overloaded("The gateway holds as many request bytes as it may; try again."))
            return
        self._held += len(data)
        self._arrived += data
        self._news.set()
        if not self._full and len(self._arrived) > HELD:
            self._full = True
            self.body.pause()

    def on_end(self) -> None:
        self._ended = True
        self._news.set()

    def on_error(self, error: PenstockError) -> None:
        """Answered as soon as the parser, whose callback this may be, has come to its end."""
        self._failed = True
        self._owner.plane.loop.call_soon(self._refuse, error)

    # The application's side

    async def receive(self) -> Message:
        """The next piece of the body; a disconnect once the client is gone or the answer is out."""
        while self._running:
            if not self._failed and (self._arrived or (self._ended and not self._told)):
                return self._piece()
            if not self.body.complete and not self._answer.begun:
                self._owner.proceed()
            await self._wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Takes a piece of the answer; waits while the client does not read. Without effect once the client is gone.

        Raises ValueError for what is no answer.
        """
        kind = message["type"]
        if kind == "http.response.start":
            if self._running:
                self._answer.start(message["status"], message.get("headers", ()))
            return
        if kind != "http.response.body":
            raise ValueError(f"{kind} is no part of an answer.")
        while self._unread and self._running:
            await self._wait()
        if self._running:
            more: bool = message.get("more_body", False)
            self._write(bytes(message.get("body", b"")), more=more)
            if more:
                await asyncio.sleep(0)  # others have a turn, and what was written is seen to be read, or not

    async def _run(self, app: AsgiApp) -> None:
        try:
            if (error := self._hopeless()) is not None:
                self._refuse(error)
            elif self._running:
                await app.application(self._scope(app), self.receive, self.send)
                if self._running:
                    raise RuntimeError("The application returned without a whole answer.")
        except asyncio.CancelledError:
            self._refuse(Overloaded("The gateway is stopping; try again."))
            raise
        except Exception as fault:  # noqa: BLE001  whatever it is, the client is told
            if self._running or not isinstance(fault, ClientDisconnect):
                log.error("a request of the control plane failed", exc_info=fault)
            self._refuse(Bug())

    def _hopeless(self) -> PenstockError | None:
        """What is known to be wrong with the body before the application is asked."""
        if self.body.length is not None and self.body.length > CONTROL_BODY:
            return BodyTooLarge(f"The request body is larger than {CONTROL_BODY} bytes.")
        return self.body.error

    def _piece(self) -> Message:
        data = bytes(self._arrived)
        self._arrived.clear()
        self._told = self._ended
        if self._full:
            self._full = False
            self.body.resume()
        return {"type": "http.request", "body": data, "more_body": not self._told}

    async def _wait(self) -> None:
        self._news.clear()
        await self._news.wait()

    def _write(self, data: bytes, *, more: bool) -> None:
        owner, answer = self._owner, self._answer
        close = owner.closing or not self.body.complete
        common = (*owner.app.state.default_headers, *owner.plane.cors.pairs(self._headers))
        data = answer.feed(data, more=more, common=common, close=close)
        owner.closing = close or answer.close
        if data:
            owner.write(data)
        if answer.complete:
            self._end()
            owner.answered(self)

    def _refuse(self, error: PenstockError) -> None:
        """The error where nothing was sent yet, else a cut. What the application still sends is dropped."""
        if not self._running:
            return
        if self._answer.begun:
            self._owner.cut()
            self._end()
            return
        self._answer = Answer(self._method, http10=self.http10)
        self._answer.start(error.status, control_headers(error))
        self._write(control_body(error), more=False)

    def _end(self) -> None:
        if self._running:
            self._running = False
            self._news.set()
            self._owner.reads_from(None)
        self.body.room.give(self._held)
        self._held = 0
        self.body.release()

    def _scope(self, app: AsgiApp) -> Scope:
        path, _, query = self._url.partition(b"?")
        transport, clients = self._owner.transport, self._owner.plane.clients
        return {
            "type": "http",
            "asgi": {"version": app.config.asgi_version, "spec_version": "2.3"},
            "http_version": "1.0" if self.http10 else "1.1",
            "server": get_local_addr(transport),
            "client": clients.client(transport, self._headers),
            "scheme": clients.scheme(transport, self._headers),
            "method": self._method.decode("ascii"),
            "root_path": "",
            "path": urllib.parse.unquote(path.decode("ascii")),
            "raw_path": path,
            "query_string": query,
            "headers": [(lower, value) for lower, _, value in self._headers],
            "state": app.lifespan_state.copy(),
        }
