"""The control plane of stored keys on a real socket, and who calls it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from penstock.model.token import Scope
from penstock.storage import audit, tables
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


class Api:
    """Asks for the stored keys of ACCOUNT's gateways."""

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
        at = f"/client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/provider_configs"
        headers = {"authorization": f"Bearer {secret}", "content-type": "application/json"}
        content = None if body is None else json.dumps(body)
        return await self.client.request(
            method, at + (f"/{path}" if path[:1].isalnum() else path), content=content, headers=headers
        )

    async def make(self, gateway: str = "a", **fields: Any) -> dict[str, Any]:
        """The result of storing a key."""
        answer = await self.ask("POST", body=a_key(**fields), gateway=gateway)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    async def rows(self) -> list[Any]:
        """What the table holds."""
        async with self.house.server.app.control.database.reading() as connection:
            return list(await connection.execute(select(tables.provider_keys)))

    async def audited(self) -> list[audit.AuditRow]:
        """Oldest first."""
        async with self.house.server.app.control.database.reading() as connection:
            rows, _ = await audit.page(connection, ACCOUNT, 1000, 0)
        return rows[::-1]


def a_key(**fields: Any) -> dict[str, Any]:
    """A body; ``None`` leaves a field out."""
    body = {"alias": "default", "default_config": True, "provider_slug": "openai", "secret": "sk-0123456789abcdef"}
    return {name: value for name, value in (body | fields).items() if value is not None}


@pytest.fixture(params=EITHER)
async def api(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Api]:
    with database_of(request.param, tmp_path) as url:
        gateways = {"a": {}, "b": {}}
        async with (
            house(gateways=gateways, tokens=TOKENS, accounts=[OTHER], database_url=url) as made,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{made.server.port}") as client,
        ):
            yield Api(made, client)
