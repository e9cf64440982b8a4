"""The audit trail as clients see it: a real server, a real socket."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from penstock.core import ids, instants
from penstock.model.token import SCOPES, Scope
from tests.kit.house import house
from tests.kit.store import ACCOUNT, SECRET, a_token

OTHER = "f" * 32
BASE = f"/client/v4/accounts/{ACCOUNT}"
TRAIL = f"{BASE}/ai-gateway/audit-logs"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    limited = a_token("limited", gateways=frozenset({"default"}))
    blind = a_token("blind", scopes=frozenset(SCOPES) - {Scope.READ})
    theirs = a_token("theirs", account=OTHER)
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(house(tokens=[limited, blind, theirs], accounts=[OTHER]))
        yield await stack.enter_async_context(httpx.AsyncClient(base_url=f"http://127.0.0.1:{served.server.port}"))


def by(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


async def make(client: httpx.AsyncClient, name: str, secret: str = SECRET, account: str = ACCOUNT) -> dict[str, Any]:
    body = {"name": name, "scopes": [Scope.RUN], "gateways": ["default"]}
    answer = await client.post(f"/client/v4/accounts/{account}/tokens", json=body, headers=by(secret))
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


async def test_a_token_leaves_a_trace_when_it_is_made_and_when_it_is_revoked(client: httpx.AsyncClient):
    made = await make(client, "ci")
    await client.delete(f"{BASE}/tokens/{made['id']}", headers=by(SECRET))
    answer = await client.get(TRAIL, headers=by(SECRET))
    traits = {
        "name": "ci",
        "scopes": [Scope.RUN],
        "email": None,
        "gateways": ["default"],
        "expires_on": None,
        "budget": None,
        "rate_limit": None,
        "models": None,
    }
    common = {"account": ACCOUNT, "actor": a_token().id, "actor_name": a_token().name, "subject": made["id"]}
    revoked, created = answer.json()["result"]
    for row in (revoked, created):
        assert instants.text(ids.millis(ids.parse(row.pop("id")))) == row.pop("created_at")
    assert revoked == common | {"action": "token.revoke", "before": traits, "after": None}
    assert created == common | {"action": "token.create", "before": None, "after": traits}
    assert made["value"] not in answer.text


async def test_pages_are_newest_first(client: httpx.AsyncClient):
    for number in range(5):
        await make(client, f"token {number}")
    answer = (await client.get(TRAIL, params={"page": 2, "per_page": 2}, headers=by(SECRET))).json()
    assert [row["after"]["name"] for row in answer["result"]] == ["token 2", "token 1"]
    assert answer["result_info"] == {"page": 2, "per_page": 2, "count": 2, "total_count": 5, "total_pages": 3}
    past = (await client.get(TRAIL, params={"page": 4, "per_page": 2}, headers=by(SECRET))).json()
    assert (past["success"], past["result"]) == (True, [])


async def test_a_part_of_the_trail_is_asked_for(client: httpx.AsyncClient):
    made = [await make(client, f"token {number}") for number in range(2)]
    await client.delete(f"{BASE}/tokens/{made[0]['id']}", headers=by(SECRET))
    for query, count in (({"action": "token"}, 3), ({"action": "token.revoke"}, 1), ({"subject": made[0]["id"]}, 2)):
        answer = (await client.get(TRAIL, params=query | {"actor": a_token().name}, headers=by(SECRET))).json()
        assert answer["result_info"]["total_count"] == len(answer["result"]) == count
    assert (await client.get(TRAIL, params={"actor": "nobody"}, headers=by(SECRET))).json()["result"] == []


async def test_what_was_refused_leaves_no_trace(client: httpx.AsyncClient):
    for body in ({"name": "x"}, {"name": "x", "scopes": [Scope.READ]}):
        answer = await client.post(f"{BASE}/tokens", json=body, headers=by("blind"))
        assert answer.status_code in {400, 403}
    assert (await client.get(TRAIL, headers=by(SECRET))).json()["result"] == []


@pytest.mark.parametrize(("secret", "status"), [("blind", 403), ("limited", 403), ("theirs", 404), ("unknown", 401)])
async def test_who_may_not_read_it(client: httpx.AsyncClient, secret: str, status: int):
    answer = await client.get(TRAIL, headers=by(secret))
    assert (answer.status_code, answer.json()["result"]) == (status, None)


async def test_one_account_sees_nothing_of_another(client: httpx.AsyncClient):
    await make(client, "theirs alone", "theirs", OTHER)
    assert (await client.get(TRAIL, headers=by(SECRET))).json()["result"] == []
    theirs = await client.get(f"/client/v4/accounts/{OTHER}/ai-gateway/audit-logs", headers=by("theirs"))
    assert [row["after"]["name"] for row in theirs.json()["result"]] == ["theirs alone"]
