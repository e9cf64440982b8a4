"""The control plane on a real socket, and who calls it."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from penstock.model.token import Token
from tests.kit.databases import EITHER, database_of
from tests.kit.house import House, house
from tests.kit.store import ACCOUNT, SECRET


class Api:
    """Asks the control plane of ACCOUNT."""

    def __init__(self, house: House, client: httpx.AsyncClient) -> None:
        self.house = house
        self.client = client

    async def ask(self, method: str, path: str = "", body: Any = None, *, secret: str | None = SECRET, **given: Any):
        """The answer; ``path`` is below the tokens of ACCOUNT unless it begins with a slash."""
        if not path.startswith("/"):
            path = f"/client/v4/accounts/{ACCOUNT}/tokens" + (f"/{path}" if path else "")
        headers = {"authorization": f"Bearer {secret}"} if secret else {}
        if body is not None:
            given["content"] = json.dumps(body)
            headers["content-type"] = "application/json"
        return await self.client.request(method, path, headers=headers | given.pop("headers", {}), **given)

    async def make(self, secret: str = SECRET, **fields: Any) -> dict[str, Any]:
        """The result of making a token."""
        body = {"name": "made by a test", "scopes": ["AI Gateway Run"]} | fields
        answer = await self.ask("POST", body=body, secret=secret)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    async def status(self, secret: str) -> int:
        """What verify answers to a secret."""
        return (await self.ask("GET", "/client/v4/user/tokens/verify", secret=secret)).status_code


@pytest.fixture(params=EITHER)
async def serve(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:
    """Starts a server that knows ``tokens`` beside the one of SECRET."""
    async with AsyncExitStack() as stack:

        async def start(tokens: Iterable[Token] = (), **more: Any) -> Api:
            url = stack.enter_context(database_of(request.param, tmp_path))
            served = await stack.enter_async_context(house(tokens=tokens, database_url=url, **more))
            client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{served.server.port}")
            return Api(served, await stack.enter_async_context(client))

        yield start


@pytest.fixture
async def api(serve: Any) -> Api:
    return await serve()
