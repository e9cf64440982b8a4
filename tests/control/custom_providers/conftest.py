"""A whole server whose control plane and data plane a test calls."""

import ipaddress
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest_asyncio

from tests.kit.house import House, house, request
from tests.kit.store import ACCOUNT, SECRET

OTHER = "f" * 32
PROVIDERS = "/custom-providers"


class Api:
    """Asks the control plane, and calls providers."""

    def __init__(self, served: House, client: httpx.AsyncClient) -> None:
        self.house = served
        self.client = client

    async def ask(self, method, path=PROVIDERS, body=None, *, secret=SECRET, account=ACCOUNT, **given: Any):
        """Status and body; ``path`` is below the account's AI gateway."""
        headers = {"authorization": f"Bearer {secret}", "content-type": "application/json"}
        at = f"/client/v4/accounts/{account}/ai-gateway{path}"
        content = None if body is None else json.dumps(body)
        answer = await self.client.request(method, at, headers=headers, content=content, **given)
        return answer.status_code, answer.json()

    async def refused(self, *args, **given):
        """Status, code and path of a refusal's one error."""
        status, body = await self.ask(*args, **given)
        (error,) = body["errors"]
        return status, error["code"], error.get("path", [])

    async def make(self, slug="mine", *, at="openai", **fields: Any) -> dict[str, Any]:
        """An enabled provider that is the simulated ``at``."""
        body = {"name": slug, "slug": slug, "base_url": f"{self.house.mock.url}/{at}", "enable": True} | fields
        status, answer = await self.ask("POST", body=body)
        assert status == 200, answer
        return answer["result"]

    async def change(self, provider, **fields: Any) -> dict[str, Any]:
        status, answer = await self.ask("PATCH", f"{PROVIDERS}/{provider['id']}", fields)
        assert status == 200, answer
        return answer["result"]

    async def call(self, path="custom-mine/chat/completions", *, token=True, headers=None, **given: Any):
        """The answer to a call of the data plane."""
        sent = {"cf-aig-authorization": f"Bearer {SECRET}"} if token else {}
        async with self.house.client() as client:
            return await client.ask(request(path, headers=sent | (headers or {}), **given))

    async def sent(self, *args, headers=None, **given: Any) -> tuple[str, dict[str, str]]:
        """The target and the headers that the provider got."""
        answer = await self.call(*args, headers={"x-mock-echo": "1"} | (headers or {}), **given)
        assert answer.status == 200, answer.body
        told = json.loads(answer.body)
        return told["target"], dict(told["headers"])


@asynccontextmanager
async def serving(**more: Any) -> AsyncGenerator[Api]:
    allowed: dict[str, Any] = {"allowed_networks": (ipaddress.ip_network("127.0.0.0/8"),)} | more
    async with house(accounts=[OTHER], **allowed) as served:
        client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{served.server.port}")
        yield Api(served, client)
        await client.aclose()
        await served.quiet()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def refusing() -> AsyncGenerator[Api]:
    """One for tests that leave nothing behind."""
    async with serving() as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def api() -> AsyncGenerator[Api]:
    async with serving() as made:
        yield made
