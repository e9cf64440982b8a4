"""The whole data plane in the loop of a test: a real server, simulated providers, a log in memory."""

import ssl
import tempfile
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from penstock.app import Application
from penstock.core.codec import decode
from penstock.core.settings import Settings
from penstock.gateway.snapshot import Snapshot
from penstock.mock.providers import PROVIDERS
from penstock.mock.server import MockServer, start
from penstock.model.credential import StoredKey
from penstock.model.record import LogRecord
from penstock.model.token import Token
from tests.kit.client import Answer, Client, connected, until
from tests.kit.logsink import MemoryLogSink
from tests.kit.server import Running, running
from tests.kit.store import ACCOUNT, a_token, furnish

_OPEN: Mapping[str, Mapping[str, Any]] = {"default": {}}


@dataclass(slots=True)
class House:
    """What a test of the data plane has at hand."""

    server: Running
    mock: MockServer
    sink: MemoryLogSink
    tls: ssl.SSLContext | None = None  # what its clients speak

    def client(self, limit: int = 1 << 20) -> AbstractAsyncContextManager[Client]:
        """A new connection."""
        return connected(self.server.port, limit, tls=self.tls)

    async def quiet(self) -> None:
        """Returns when no call runs, nothing is open at either end but idle connections, and no memory is held."""
        plane, transport = self.server.app.plane, self.server.app.transport
        await until(lambda: not plane.calls and not plane.connections and not transport.counts()[0])
        await until(lambda: not plane.bounds.budget.used and not self.server.app.answers.used)
        await self.mock.until(lambda stats: not stats.requests_running)

    async def rows(self, event: str, count: int = 1) -> list[LogRecord]:
        """The log rows of an event id, once there are so many."""
        await until(lambda: len([row for row in self.sink.records if row.event_id == event]) >= count)
        return [row for row in self.sink.records if row.event_id == event]

    async def row(self, event: str) -> LogRecord:
        """The one log row of an event id."""
        (row,) = await self.rows(event)
        return row


@asynccontextmanager
async def house(
    *,
    gateways: Mapping[str, Mapping[str, Any]] | None = None,
    tokens: Iterable[Token] = (),
    accounts: Iterable[str] = (),
    keys: Iterable[StoredKey] = (),
    providers: Mapping[str, str] | None = None,
    adjust: Callable[[Application], Snapshot | None] | None = None,
    **settings: Any,
) -> AsyncGenerator[House]:
    """Serves until the block ends. ``settings`` change the defaults; ``providers`` go before the simulated ones; a
    database that ``database_url`` names is empty, of the newest schema.

    ``gateways`` are settings as in the API, by id; where none are given there is ``default``, open to anybody.
    ``keys`` are stored in each gateway. ``tokens`` hold beside the one of ``testing.store.SECRET``; ``accounts`` exist
    beside ACCOUNT.
    """
    mock, sink = await start(), MemoryLogSink()
    at = {slug: f"{mock.url}/{slug}" for slug in PROVIDERS} | dict(providers or {})
    changed = replace(Settings(), **({"stop_timeout": 2.0, "providers": at} | settings))
    try:
        with tempfile.TemporaryDirectory(prefix="penstock-house-") as folder:
            named = _OPEN if gateways is None else gateways
            place = await furnish(
                Path(folder), named, (a_token(), *tokens), accounts, keys=keys, url=changed.database_url or None
            )
            trust = changed.tls_certificate and ssl.create_default_context(cafile=changed.tls_certificate)
            async with running(changed, place, sink, adjust=adjust) as server:
                yield House(server, mock, sink, trust or None)
    finally:
        await mock.stop()


def envelope(answer: Answer, status: int, code: int) -> str:
    """Checks that an answer is the gateway's own error on the data plane; returns its message."""
    told = decode(answer.body)
    message = told["message"]
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert told == {
        "success": False,
        "result": [],
        "messages": [],
        "error": [{"code": code, "message": message}],
        "name": "AiGatewayError",
        "httpCode": status,
        "internalCode": code,
        "message": message,
        "description": message,
    }
    return message


def request(
    path: str = "openai/chat/completions",
    *,
    method: str = "POST",
    gateway: str = "default",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = b'{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}]}',
    event: str = "",
) -> bytes:
    """The bytes of a data-plane request with its length; ``body`` None: no body and no length."""
    lines = [f"{method} /v1/{ACCOUNT}/{gateway}/{path} HTTP/1.1", "host: gateway.example"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if event:
        lines.append(f"cf-aig-event-id: {event}")
    if body is not None:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")
