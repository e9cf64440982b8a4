"""The account's spending limit: set, shown and taken away by the API, enforced on every gateway."""

import json

import pytest

from penstock.model.money import NANO
from tests.kit.client import until
from tests.kit.house import ACCOUNT, envelope, house, request
from tests.kit.store import SECRET, a_token

AT = f"/client/v4/accounts/{ACCOUNT}/ai-gateway/billing/spending-limit"
NONE = {"config": {"amount": None, "duration": None, "strategy": None}, "enabled": False}
ONE_DOLLAR = {"amount": 100, "duration": "monthly", "strategy": "fixed"}


async def ask(client, method, body=None, secret=SECRET):
    data = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {AT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {secret}\r\ncontent-length: {len(data)}\r\n"
    answer = await client.ask(f"{head}content-type: application/json\r\n\r\n".encode() + data)
    return answer.status, json.loads(answer.body)


def costs(dollars, gateway="default", event=""):
    cost = {"cf-aig-custom-cost": json.dumps({"total_cost": dollars})}
    return request(gateway=gateway, headers=cost, event=event)


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (ONE_DOLLAR, "per month, fixed"),
        (ONE_DOLLAR | {"duration": "weekly", "strategy": "sliding"}, "per week, sliding"),
        (ONE_DOLLAR | {"duration": "daily"}, "per day, fixed"),
    ],
)
async def test_it_holds_for_all_gateways_together_until_it_is_deleted(limit, words):
    gateways = {"default": {}, "other": {"spend_limits": {"rules": [{"limit": 9, "limitType": "cost", "window": 60}]}}}
    async with house(gateways=gateways) as made, made.client() as client:
        assert (await ask(client, "GET"))[1]["result"] == NONE
        assert (await client.ask(costs(5))).status == 200
        assert await ask(client, "POST", limit) == (200, {"success": True, "errors": [], "messages": [], "result": {}})
        assert (await ask(client, "GET"))[1]["result"] == {"config": limit, "enabled": True}
        assert [(await client.ask(costs(0.5, name))).status for name in ("default", "other")] == [200, 200]
        for name in ("default", "other"):
            message = envelope(await client.ask(costs(0.25, name)), 429, 2045)
            assert f"the account's spending limit (cost limit $1.00 {words})" in message
            assert "$1.00 spent" in message
        assert (await ask(client, "DELETE"))[1]["result"] == {}
        assert (await client.ask(costs(5))).status == 200
        assert (await ask(client, "DELETE"))[0] == 200
        assert (await ask(client, "GET"))[1]["result"] == NONE


async def test_its_row_says_what_was_spent_of_it():
    async with house() as made, made.client() as client:
        await ask(client, "POST", ONE_DOLLAR)
        await client.ask(costs(0.5, event="counted"))
        ((owner, start, ends, amount),) = (await made.row("counted")).spends
        assert (owner, amount) == (f"account:{ACCOUNT}", NANO // 2)
        assert start <= (await made.row("counted")).created_at < ends


@pytest.mark.parametrize(
    "body",
    [ONE_DOLLAR | {"amount": 99}, ONE_DOLLAR | {"duration": "yearly"}, {"amount": 100}, ONE_DOLLAR | {"amount": 100.5}],
)
async def test_what_is_no_limit_is_refused(body):
    async with house() as made, made.client() as client:
        status, told = await ask(client, "POST", body)
        assert (status, told["errors"][0]["code"]) == (400, 7001)


async def test_a_token_for_some_gateways_does_not_reach_it():
    limited = a_token("pst_for_some_gateways_0123456789", gateways=frozenset({"default"}))
    async with house(tokens=[limited]) as made, made.client() as client:
        for method, body in (("GET", None), ("POST", ONE_DOLLAR), ("DELETE", None)):
            assert (await ask(client, method, body, "pst_for_some_gateways_0123456789"))[0] == 403


async def test_a_gateway_that_is_made_later_has_it_too():
    async with house() as made, made.client() as client:
        await ask(client, "POST", ONE_DOLLAR)
        settings = {"id": "later", "authentication": False, "cache_ttl": 0, "collect_logs": True}
        settings |= {"cache_invalidate_on_update": False, "rate_limiting_interval": 0, "rate_limiting_limit": 0}
        body = json.dumps(settings).encode()
        at = f"/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways"
        head = f"POST {at} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SECRET}\r\ncontent-type: application/json\r\n"
        assert (await client.ask(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)).status == 200
        await until(lambda: (ACCOUNT, "later") in made.server.app.snapshots.current._gateways)
        envelope(await client.ask(costs(2, "later")), 429, 2045)
