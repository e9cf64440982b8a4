"""A whole server, and a receiver of webhooks beside it."""

import asyncio
import ipaddress
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio

from penstock.control.alerts import deliver, watch
from penstock.core.codec import decode
from tests.control.custom_providers.conftest import OTHER, Api
from tests.kit.client import until
from tests.kit.databases import KINDS, database_of
from tests.kit.house import house

ALERTS = "/alerts"


class Got:
    """A webhook that came."""

    def __init__(self, head: bytes, body: bytes) -> None:
        first, *lines = head.decode().strip().split("\r\n")
        self.line = first
        self.headers = dict(line.split(": ", 1) for line in lines)
        self.body = body
        told = decode(body)
        self.type, self.data = told["type"], told["data"]

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class Receiver:
    """Keeps what comes, and answers ``status``; it can be ``down``."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.status = 204
        self.port = 0
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?team=a"

    async def up(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def wait(self, count: int) -> list[Got]:
        """All that came, once there are so many."""
        await until(lambda: len(self.got) >= count)
        return self.got

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        self.got.append(Got(head, await reader.readexactly(size)))
        writer.write(b"HTTP/1.1 %d Told\r\nconnection: close\r\n\r\n" % self.status)
        writer.close()


class Alerting(Api):
    """Asks the control plane about alerts."""

    receiver: Receiver

    async def alert(self, **fields: Any) -> dict[str, Any]:
        """A new alert, whose webhooks the receiver gets."""
        body = {"name": "mine", "kind": "credential_refused", "url": self.receiver.url} | fields
        return await self.done("POST", ALERTS, body)

    async def done(self, *args: Any, **given: Any) -> Any:
        """The result of a request that is right."""
        status, body = await self.ask(*args, **given)
        assert status == 200, body
        return body["result"]

    async def deliveries(self, alert: dict[str, Any]) -> list[dict[str, Any]]:
        return await self.done("GET", f"{ALERTS}/{alert['id']}/deliveries")


@asynccontextmanager
async def alerting(**more: Any) -> AsyncGenerator[Alerting]:
    allowed: dict[str, Any] = {"allowed_networks": (ipaddress.ip_network("127.0.0.0/8"),)} | more
    async with house(accounts=[OTHER], **allowed) as served:
        client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{served.server.port}")
        made = Alerting(served, client)
        made.receiver = Receiver()
        await made.receiver.up()
        yield made
        await client.aclose()
        await made.receiver.down()
        await served.quiet()


@pytest.fixture
def quick(monkeypatch):
    """Looks and attempts follow one another at once."""
    monkeypatch.setattr(watch, "EVERY", 0.03)
    monkeypatch.setattr(deliver, "WAITS", (0.05,) * 3)


@pytest_asyncio.fixture(loop_scope="module")
async def api() -> AsyncGenerator[Alerting]:
    async with alerting() as made:
        yield made


@pytest_asyncio.fixture(params=KINDS, loop_scope="module")
async def either(request, tmp_path, quick) -> AsyncGenerator[Alerting]:
    """The same on either database, in a hurry."""
    with database_of(request.param, tmp_path) as url:
        async with alerting(database_url=url) as made:
            yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def refusing() -> AsyncGenerator[Alerting]:
    """One for tests that leave nothing behind."""
    async with alerting() as made:
        yield made
