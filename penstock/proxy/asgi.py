"""Requests outside the data plane: handed to the ASGI application through uvicorn's own request cycle."""

import asyncio
import logging
import urllib.parse
from typing import Any, Protocol

from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl
from uvicorn.server import ServerState

from penstock.core import tasks
from penstock.core.errors import PenstockError
from penstock.core.headers import Headers
from penstock.model.body import RequestBody

_log = logging.getLogger("uvicorn.error")


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
    transport: asyncio.Transport
    closing: bool  # this answer is the connection's last

    def answered(self, call: "AsgiCall") -> None: ...


class AsgiCall:
    """One request. It is the sink of its own body."""

    def __init__(self, owner: Owner, method: bytes, url: bytes, headers: Headers, body: RequestBody) -> None:
        self.body = body
        self.http10 = False
        self.last = False
        self._owner = owner
        self._method = method
        self._url = url
        self._headers = headers
        self._cycle: RequestResponseCycle | None = None

    def start(self) -> None:
        """The calls before it on this connection are answered."""
        app, transport = self._owner.app, self._owner.transport
        self._cycle = cycle = RequestResponseCycle(
            scope=self._scope(app, transport),
            transport=transport,
            flow=FlowControl(transport),
            logger=_log,
            access_logger=_log,
            access_log=False,
            default_headers=app.state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=any(lower == b"expect" for lower, _, _ in self._headers),
            keep_alive=not self._owner.closing,
            on_response=self._answered,
        )
        task = tasks.spawn(asyncio.get_running_loop(), cycle.run_asgi(app.application))
        app.state.tasks.add(task)
        task.add_done_callback(app.state.tasks.discard)
        self.body.send_to(self)

    def client_gone(self) -> None:
        """Told to the application as a disconnect."""
        self.body.release()
        if self._cycle is not None:
            self._cycle.disconnected = True
            self._cycle.message_event.set()

    def on_frame(self, data: bytes) -> None:
        if self._cycle is not None:
            self._cycle.body += data
            self._cycle.message_event.set()

    def on_end(self) -> None:
        if self._cycle is not None:
            self._cycle.more_body = False
            self._cycle.message_event.set()

    def on_error(self, error: PenstockError) -> None:
        """A body that does not arrive is a client that is gone."""
        self._owner.transport.abort()

    def _answered(self) -> None:
        self._owner.answered(self)
        self.body.release()

    def _scope(self, app: AsgiApp, transport: asyncio.Transport) -> Any:
        path, _, query = self._url.partition(b"?")
        return {
            "type": "http",
            "asgi": {"version": app.config.asgi_version, "spec_version": "2.3"},
            "http_version": "1.0" if self.http10 else "1.1",
            "server": get_local_addr(transport),
            "client": get_remote_addr(transport),
            "scheme": "https" if is_ssl(transport) else "http",
            "method": self._method.decode("ascii"),
            "root_path": "",
            "path": urllib.parse.unquote(path.decode("ascii")),
            "raw_path": path,
            "query_string": query,
            "headers": [(lower, value) for lower, _, value in self._headers],
            "state": app.lifespan_state.copy(),
        }
