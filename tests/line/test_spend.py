"""Limits on money along the line, on a real server: calls of several steps, in the background, alike, many at once."""

import asyncio
import json
import random
from collections import Counter

import pytest
import pytest_asyncio

from penstock.core.codec import decode, encode
from penstock.model.money import NANO
from tests.kit import routes
from tests.kit.house import ACCOUNT, house, request
from tests.kit.store import SECRET

pytestmark = pytest.mark.asyncio(loop_scope="module")

LONG = 10**6
SAID = [{"role": "user", "content": "hello"}]
ROUTES = {
    "cheaper": [
        routes.start("first"),
        routes.model("first", fallback="second", provider="openai", model="gpt-4o"),
        routes.model("second", provider="anthropic", model="claude-haiku-4-5"),
        routes.end(),
    ],
    "dear": [
        routes.start("first"),
        routes.model("first", provider="openai", model="gpt-4o"),
        routes.end(),
    ],
}


def rule(limit, **more):
    return {"limit": limit, "limitType": "cost", "window": LONG} | more


def only(provider):
    return {"provider": {"mode": "filter", "values": [provider]}}


GATEWAYS = {
    "default": {"spend_limits": {"rules": [rule(1e-9, id="openai", **only("openai")), rule(1000, id="all")]}},
    "cached": {"cache_ttl": 600, "spend_limits": {"rules": [rule(0.003, id="once")]}},
    "crowded": {"collect_log_payloads": False, "spend_limits": {"rules": [rule(0.2, id="crowd")]}},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place():
    async with house(gateways=GATEWAYS, adjust=routes.deployed(ROUTES), max_connections=600) as served:
        yield served


async def asked(place, *args, **given):
    async with place.client() as client:
        return await client.ask(request(*args, **given))


def chat(model, **members):
    return encode({"model": model, "messages": SAID, "max_tokens": 50} | members)


def decided(row):
    return json.loads(row.detail)["decisions"]["spend"]


async def test_a_step_that_is_not_covered_leads_on_and_keeps_nothing_of_any_limit(place):
    steps = [
        {"provider": "openai", "endpoint": "chat/completions", "headers": {}, "query": json.loads(chat("gpt-4o"))},
        {
            "provider": "anthropic",
            "endpoint": "v1/messages",
            "headers": {},
            "query": json.loads(chat("claude-haiku-4-5")),
        },
    ]
    answer = await asked(place, "", body=encode(steps), event="steps")
    assert (answer.status, answer.headers["cf-aig-step"]) == (200, "1")
    first, second = await place.rows("steps", 2)
    assert (first.status_code, first.cost, first.spends) == (429, 0, ())
    assert decided(first)["exceeded"] == "rule 'openai'"
    assert "exceeded" not in decided(second)
    assert [(owner, amount) for owner, _, _, amount in second.spends] == [("rule:1:all", second.cost)]


async def test_a_model_of_a_route_that_is_not_covered_leads_to_its_fallback(place):
    answer = await asked(place, "compat/chat/completions", body=chat("dynamic/cheaper"), event="route")
    assert (answer.status, answer.headers["cf-aig-step"]) == (200, "1")
    assert [row.status_code for row in await place.rows("route", 2)] == [429, 200]
    answer = await asked(place, "compat/chat/completions", body=chat("dynamic/dear"), event="dear")
    assert answer.status == 400
    assert "Spend limit exceeded: rule 'openai'" in decode(answer.body)["message"]


async def test_calls_below_the_address_of_the_api_are_limited_too(place):
    headers = {"authorization": f"Bearer {SECRET}", "content-type": "application/json"}
    lines = [f"{name}: {value}" for name, value in headers.items()]
    for path, body in (
        ("ai/v1/chat/completions", chat("openai/gpt-4o")),
        ("ai/run/openai/gpt-4o", encode({"messages": SAID})),
    ):
        head = [
            f"POST /client/v4/accounts/{ACCOUNT}/{path} HTTP/1.1",
            "host: x",
            f"content-length: {len(body)}",
            *lines,
        ]
        async with place.client() as client:
            answer = await client.ask("\r\n".join([*head, "", ""]).encode() + body)
        assert answer.status == 429
        assert "Spend limit exceeded: rule 'openai'" in decode(answer.body)["errors"][0]["message"]


@pytest.mark.parametrize(("model", "status"), [("openai/gpt-4o", 429), ("anthropic/claude-haiku-4-5", 200)])
async def test_a_run_in_the_background_is_limited_and_pays(place, model, status):
    body = encode({"model": model, "input": {"messages": SAID, "max_tokens": 50}, "options": {"background": True}})
    head = f"POST /client/v4/accounts/{ACCOUNT}/ai/run HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SECRET}\r\n"
    event = f"run-{status}"
    head += f"cf-aig-event-id: {event}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    async with place.client() as client:
        assert (await client.ask(head.encode() + body)).status == 202
    row = await place.row(event)
    assert row.status_code == status
    assert sum(amount for *_, amount in row.spends) == row.cost


async def test_of_identical_calls_at_once_one_pays(place):
    body = chat("gpt-4o", max_tokens=200)  # of which the limit covers one
    paced = {"x-mock-delay": "100"}
    answers = await asyncio.gather(
        *[asked(place, gateway="cached", body=body, headers=paced, event="flight") for _ in range(10)]
    )
    assert {answer.status for answer in answers} == {200}
    rows = await place.rows("flight", 10)
    assert len([row for row in rows if row.spends]) == 1


async def test_hundreds_at_once_never_spend_more_than_they_reserved(place):
    """Some fail, some leave, some stream; in the end the counter is what the rows cost."""
    draw = random.Random(5)

    async def call():
        body = chat("gpt-4o", max_tokens=draw.randrange(10, 400), stream=draw.random() < 0.5)
        does = draw.choice([{}, {}, {}, {"x-mock-status": "500"}, {"x-mock-frames": "4", "x-mock-pace": "20"}])
        async with place.client() as client:
            await client.send(request(gateway="crowded", body=body, headers=does, event="crowd"))
            head = await client.head()
            if head.status == 200 and draw.random() < 0.2:
                return head.status  # leaves
            return head.status

    statuses = Counter(await asyncio.gather(*[call() for _ in range(500)]))
    assert statuses[200] > 10
    assert statuses[429] > 10
    rows = await place.rows("crowd", 500)
    spent = sum(row.cost or 0 for row in rows)
    (budget,) = place.server.app.snapshots.current._gateways[ACCOUNT, "crowded"].spend._rules.of(None)
    (held,) = await place.server.app.reservations.look([budget.budget])
    assert held == (spent, 0)
    assert spent == sum(amount for row in rows for *_, amount in row.spends)
    reserved = {row.id: round(decided(row)["reserved"] * NANO) for row in rows}
    over = sum(max(0, (row.cost or 0) - reserved[row.id]) for row in rows)
    assert spent <= NANO // 5 + over
