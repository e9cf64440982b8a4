"""The control plane of dynamic routes on a real socket, and who calls it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from penstock.model.token import Scope
from penstock.storage import audit, configuration, definitions
from penstock.storage.definitions import Definition
from tests.kit.databases import EITHER, database_of
from tests.kit.house import House, house
from tests.kit.store import ACCOUNT, SECRET, a_token

OTHER = "f" * 32
READER, LIMITED, FOREIGNER = "pst_reader", "pst_limited", "pst_foreigner"
TOKENS = (
    a_token(READER, scopes=frozenset({Scope.READ})),
    a_token(LIMITED, gateways=frozenset({"b"})),
    a_token(FOREIGNER, account=OTHER),
)
SAMPLE = [{"id": "id", "outputs": {"next": {"elementId": "elementId"}}, "type": "start"}]  # of the published API


class Api:
    """Asks for the routes of ACCOUNT's gateways."""

    def __init__(self, made: House, client: httpx.AsyncClient) -> None:
        self.house = made
        self.client = client

    async def ask(
        self,
        method: str,
        path: str = "",
        body: Any = None,
        *,
        gateway: str = "a",
        account: str = ACCOUNT,
        secret: str = SECRET,
    ) -> httpx.Response:
        at = f"/client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/routes"
        headers = {"authorization": f"Bearer {secret}", "content-type": "application/json"}
        content = body if isinstance(body, bytes) or body is None else json.dumps(body)
        return await self.client.request(
            method, at + (f"/{path}" if path[:1].isalnum() else path), content=content, headers=headers
        )

    async def told(self, method: str, path: str = "", body: Any = None, *, gateway: str = "a") -> dict[str, Any]:
        """The whole envelope of a success."""
        answer = await self.ask(method, path, body, gateway=gateway)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def make(self, name: str = "r", model: str = "m1", gateway: str = "a") -> dict[str, Any]:
        """The result of creating a route that can run."""
        return (await self.told("POST", body={"name": name, "elements": a_graph(model)}, gateway=gateway))["result"]

    async def draft(self, route: str, model: str = "m2") -> str:
        """The id of a new version."""
        return (await self.told("POST", f"{route}/versions", {"elements": a_graph(model)}))["result"]["version_id"]

    async def audited(self) -> list[audit.AuditRow]:
        """Oldest first."""
        async with self.house.server.app.control.database.reading() as connection:
            rows, _ = await audit.page(connection, ACCOUNT, 1000, 0)
        return rows[::-1]

    async def version(self) -> int:
        """Of the configuration."""
        async with self.house.server.app.control.database.reading() as connection:
            return await configuration.version(connection)

    async def changed(self, version: int) -> list[Definition]:
        """What is compiled anew by whoever serves at that version."""
        async with self.house.server.app.control.database.reading() as connection:
            return await definitions.changed_since(connection, version)


def a_graph(model: str = "m1") -> list[dict[str, Any]]:
    """It can run: one model."""
    return [
        {"id": "s", "type": "start", "outputs": {"next": {"elementId": "m"}}},
        {
            "id": "m",
            "type": "model",
            "properties": {"provider": "openai", "model": model, "timeout": 0, "retries": 0},
            "outputs": {"success": {"elementId": "e"}, "fallback": {"elementId": "e"}},
        },
        {"id": "e", "type": "end", "outputs": {}},
    ]


@pytest.fixture(params=EITHER)
async def api(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Api]:
    with database_of(request.param, tmp_path) as url:
        gateways = {"a": {}, "b": {}}
        async with (
            house(gateways=gateways, tokens=TOKENS, accounts=[OTHER], database_url=url) as made,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{made.server.port}") as client,
        ):
            yield Api(made, client)
