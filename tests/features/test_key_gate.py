"""Rate limits of stored keys, by attempts at a provider, and what follows where one is used up."""

import json

import pytest

from penstock.core.errors import KeyLimited
from penstock.core.key_uses import KeyUses
from penstock.features.key_gate import KeyGate
from penstock.model.credential import StoredKey
from penstock.ports.counters import Counters, Taken
from tests.kit.house import envelope, house, request
from tests.kit.store import SECRET

LONG = 10**6  # seconds
TOKEN = {"cf-aig-authorization": f"Bearer {SECRET}"}


def a_key(limit, alias="default", provider="openai"):
    return StoredKey("", provider, alias, alias == "default", f"sk-{alias}", 1, limit, LONG)


def ask(path="openai/chat/completions", event="", **headers):
    return request(
        path, event=event, headers=TOKEN | {name.replace("_", "-"): value for name, value in headers.items()}
    )


async def test_an_attempt_too_many_is_not_made_and_the_key_is_named():
    async with house(keys=[a_key(2), a_key(1, alias="other")]) as made, made.client() as client:
        assert [(await client.ask(ask())).status for _ in range(2)] == [200, 200]
        answer = await client.ask(ask(event="over"))
        assert envelope(answer, 429, 2003) == (
            "The key 'default' of provider 'openai' is at its rate limit of 2 attempts in 1000000 seconds; "
            "try again later."
        )
        assert 1 <= int(answer.headers["retry-after"]) <= LONG
        row = await made.row("over")
        assert (row.status_code, row.success, row.outcome) == (429, False, "refused")
        assert made.mock.stats()["requests_begun"] == 2
        assert (await client.ask(ask(cf_aig_byok_alias="other"))).status == 200  # each key has a count of its own
        assert (await client.ask(ask(authorization="Bearer sk-own"))).status == 200  # the client's own has none
        assert (await client.ask(ask())).status == 429


async def test_further_attempts_count_and_the_last_answer_stands_where_none_is_left():
    retry = {"retry_max_attempts": 5, "retry_delay": 0}
    async with house(gateways={"default": retry}, keys=[a_key(2)]) as made, made.client() as client:
        answer = await client.ask(ask(event="tried", x_mock_status="503"))
        assert answer.status == 503
        assert made.mock.stats()["requests_begun"] == 2
        warnings = json.loads((await made.row("tried")).detail)["warnings"]
        assert any(
            "not tried again: The key 'default' of provider 'openai' is at its rate limit" in one for one in warnings
        )


async def test_what_the_cache_answers_takes_no_place():
    async with house(gateways={"default": {"cache_ttl": 600}}, keys=[a_key(1)]) as made, made.client() as client:
        assert [(await client.ask(ask())).status for _ in range(3)] == [200, 200, 200]
        assert made.mock.stats()["requests_begun"] == 1


async def test_the_next_step_is_taken():
    steps = [
        {"provider": provider, "endpoint": endpoint, "headers": {}, "query": {"model": "m", "messages": []}}
        for provider, endpoint in (("openai", "chat/completions"), ("groq", "chat/completions"))
    ]
    keys = [a_key(1), a_key(None, provider="groq")]
    async with house(keys=keys) as made, made.client() as client:
        sent = request("", event="steps", headers=TOKEN, body=json.dumps(steps).encode())
        first, second = await client.ask(sent), await client.ask(sent)
        assert [(answer.status, answer.headers["cf-aig-step"]) for answer in (first, second)] == [
            (200, "0"),
            (200, "1"),
        ]
        rows = await made.rows("steps", 3)
        assert [(row.provider, row.status_code) for row in rows] == [("openai", 200), ("openai", 429), ("groq", 200)]


class Away(Counters):
    """Redis is away, and calls that nobody can count are refused."""

    async def take(self, owner, limit):
        return Taken(False, 0, 1.0, "refuse")


async def test_where_nobody_can_count_the_refusal_says_so():
    gate = KeyGate(Away(), KeyUses())
    with pytest.raises(KeyLimited, match="nobody can count while Redis is away") as refused:
        await gate.admit(a_key(1))
    assert (refused.value.retry_after, refused.value.leads_on) == (1, True)
    await gate.admit(a_key(None))
