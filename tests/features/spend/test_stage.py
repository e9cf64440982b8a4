"""What a gateway's calls may spend, on a real server."""

import json
import re

import pytest

from penstock.model.money import NANO, Budget, Window
from tests.kit.house import ACCOUNT, envelope, house, request
from tests.kit.store import OPEN, SECRET, a_token

AT = f"/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways/default"
LONG = 10**6  # seconds


def rule(limit, **more):
    return {"limit": limit, "limitType": "cost", "window": LONG} | more


def limits(*rules, **more):
    return {"default": {"spend_limits": {"rules": [*rules]} | more}}


_PRICE = (
    '[[prices]]\nprovider = "openai"\nmodel = "costs-{0}"\ntokens = {{input = 0, output = 0}}\nunits = {{call = {0}}}\n'
)
PRICED = "".join(map(_PRICE.format, (0.25, 0.5, 0.75, 2)))


def priced(dollars, event="", **headers):
    """A call of a model that costs so much by the operator's prices."""
    body = {"model": f"costs-{dollars}", "messages": [{"role": "user", "content": "hello"}]}
    return request(headers=headers, body=json.dumps(body).encode(), event=event)


def costs(dollars, event="", **headers):
    """A call that costs so much, and of which that is known before."""
    cost = json.dumps({"total_cost": dollars})
    return request(headers={"cf-aig-custom-cost": cost} | headers, event=event)


def put(**settings):
    body = json.dumps(dict(OPEN) | settings).encode()
    head = f"PUT {AT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SECRET}\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


async def seen(client, *calls):
    return [(await client.ask(call)).status for call in calls]


def decided(row):
    return json.loads(row.detail)["decisions"]["spend"]


@pytest.mark.parametrize("technique", ["fixed", "sliding", None])
async def test_a_call_that_a_limit_does_not_cover_is_refused_and_told_why(technique):
    given = rule(1, id="team-a", technique=technique)
    async with house(gateways=limits(given) | {"other": {}}) as made, made.client() as client:
        assert (await client.ask(costs(0.75, "first"))).status == 200
        answer = await client.ask(costs(0.5, "second"))
        message = envelope(answer, 429, 2045)
        assert re.fullmatch(
            rf"Spend limit exceeded: rule 'team-a' \(cost limit \$1\.00 per 1000000s, {technique or 'fixed'}\) for "
            r"openai gpt-4o: \$0\.75 spent, and this call may cost \$0\.50; it resets in \d+ s \(at \d{4}-[^)]*Z\); "
            r"wait, or ask whoever runs the gateway to raise it\.",
            message,
        )
        assert 1 <= int(answer.headers["retry-after"]) <= LONG * 1.01
        assert await seen(client, costs(0.25), costs(0.01), request()) == [200, 429, 429]
        assert (await client.ask(request(gateway="other"))).status == 200
        assert made.mock.stats()["requests_begun"] == 3
        row = await made.row("second")
        assert (row.status_code, row.success, row.cost, row.outcome) == (429, False, 0, "refused")
        assert decided(row) == {"reserved": 0.5, "limits": ["rule 'team-a'"], "exceeded": "rule 'team-a'"}
        assert decided(await made.row("first")) == {"reserved": 0.75, "limits": ["rule 'team-a'"]}


async def test_the_code_can_be_that_of_older_clients():
    async with house(gateways=limits(rule(1)), spend_limit_code="2041") as made, made.client() as client:
        assert envelope(await client.ask(costs(2)), 429, 2041).endswith(
            "$0.00 spent, and this call may cost $2.00; that alone is more than the limit: ask for fewer tokens of "
            "output, or ask whoever runs the gateway to raise it."
        )


@pytest.mark.parametrize("off", [{"enabled": False}, {"rules": []}, {"rules": [rule(1, enabled=False)]}])
async def test_what_is_off_limits_nothing(off):
    async with house(gateways={"default": {"spend_limits": off}}) as made, made.client() as client:
        assert await seen(client, costs(2), costs(2)) == [200, 200]


async def test_the_first_limit_that_is_exceeded_tells_and_the_others_keep_nothing():
    rules = rule(5, id="a"), rule(1, id="b"), rule(0.5, id="c")
    async with house(gateways=limits(*rules)) as made, made.client() as client:
        assert "rule 'b'" in envelope(await client.ask(costs(2)), 429, 2045)
        assert await seen(client, *[costs(0.25)] * 3) == [200, 200, 429]


async def test_a_change_acts_on_the_next_call_and_keeps_what_was_spent():
    async with house(gateways=limits(rule(1))) as made, made.client() as client:
        assert await seen(client, costs(1), costs(1)) == [200, 429]
        assert await seen(client, put(spend_limits={"rules": [rule(9, model=None), rule(1.5)]})) == [200]
        assert await seen(client, costs(0.5), costs(0.5)) == [
            200,
            200,
        ]  # the second rule is a new one, of the same name
        assert await seen(client, costs(0.75)) == [429]
        assert await seen(client, put(spend_limits={"rules": [rule(2.25)]}), costs(0.25), costs(0.25)) == [
            200,
            200,
            429,
        ]


async def test_without_a_known_price_a_call_only_needs_that_something_is_left():
    unknown = request(body=b'{"model":"nobody-knows","messages":[]}')
    async with house(gateways=limits(rule(1))) as made, made.client() as client:
        assert await seen(client, unknown, costs(1), unknown) == [200, 200, 429]


async def test_a_hit_of_the_cache_costs_nothing_and_is_not_refused():
    settings = limits(rule(1))["default"] | {"cache_ttl": 600}
    async with house(gateways={"default": settings}) as made, made.client() as client:
        assert await seen(client, *[costs(1)] * 3) == [200, 200, 200]
        assert made.mock.stats()["requests_begun"] == 1


@pytest.mark.parametrize(
    ("status", "spent"),
    [({"x-mock-status": "500"}, False), ({"x-mock-reset": "1"}, False), ({}, True)],
)
async def test_a_call_without_an_answer_costs_nothing(status, spent):
    async with house(gateways=limits(rule(1))) as made, made.client() as client:
        assert (await client.ask(costs(1, **status))).status == (
            200 if spent else {"500": 500}.get(status.get("x-mock-status"), 502)
        )
        assert await seen(client, costs(1)) == [429 if spent else 200]


async def test_attempts_reserve_once():
    settings = limits(rule(1))["default"] | {"retry_max_attempts": 3, "retry_delay": 0}
    async with house(gateways={"default": settings}) as made, made.client() as client:
        assert await seen(client, costs(1, **{"x-mock-status": "503"}), costs(1)) == [503, 200]
        assert made.mock.stats()["requests_begun"] == 4


async def test_an_answer_on_the_operators_key_whose_usage_nobody_told_is_charged_what_it_may_cost():
    """Nothing limits it; a caller that leaves before usage is told does not go uncharged."""
    headers = {"cf-aig-authorization": f"Bearer {SECRET}", "x-mock-usage": "none"}
    own = headers | {"authorization": "Bearer sk-mine"}
    async with house(provider_keys={"openai": "sk-operator"}) as made, made.client() as client:
        assert await seen(client, request(headers=headers, event="operators"), request(headers=own, event="own")) == [
            200,
            200,
        ]
        row = await made.row("operators")
        assert row.cost
        assert (row.charge, row.spends, json.loads(row.detail)["cost_source"]) == ((ACCOUNT, row.cost), (), "reserved")
        assert "spend" not in json.loads(row.detail)["decisions"]
        other = await made.row("own")
        assert (other.cost, other.charge) == (None, None)


async def test_an_answer_whose_usage_nobody_told_costs_what_was_reserved():
    body = b'{"model":"gpt-4o","stream":true,"max_tokens":1000,"messages":[{"role":"user","content":"hello"}]}'
    async with house(gateways=limits(rule(1))) as made:
        async with made.client() as client:
            asked = request(body=body, headers={"x-mock-frames": "64", "x-mock-pace": "50"}, event="left")
            await client.send(asked)
            await client.head()
        row = await made.row("left")
        assert row.outcome == "client_gone"
        detail = json.loads(row.detail)
        assert (detail["cost_source"], row.cost) == ("reserved", round(decided(row)["reserved"] * NANO))
        assert row.cost == 1000 * 10_000 + len(body) // 4 * 2500


_TEXT = "word " * 2000
_SAID = {"messages": [{"role": "user", "content": _TEXT}], "stream": True}
_SHORT = {"max_tokens": 1, "max_completion_tokens": 2}  # the provider does not heed them
_GPT, _CLAUDE = ("gpt-4o", 2_500, 10_000), ("claude-sonnet-4-5", 3_000, 15_000)  # nano-dollars for tokens in and out


@pytest.mark.parametrize(
    ("path", "members", "model"),
    [
        ("openai/chat/completions", _SAID | _SHORT, _GPT),
        ("openai/responses", {"input": _TEXT, "stream": True}, _GPT),
        ("anthropic/v1/messages", _SAID | {"max_tokens": 900}, _CLAUDE),
        ("compat/chat/completions", _SAID, ("anthropic/claude-sonnet-4-5", *_CLAUDE[1:])),
    ],
)
async def test_a_stream_whose_client_leaves_before_usage_is_told_costs_what_came_of_it(path, members, model):
    name, into, out = model
    body = json.dumps({"model": name} | members).encode()
    async with house(gateways=limits(rule(1))) as made:
        async with made.client() as client:
            paced = {"x-mock-frames": "600", "x-mock-stall": "500"}
            await client.send(request(path, body=body, headers=paced, event="left"))
            await client.head()
            came = 0
            while came < 60_000:
                came += len(await client.reader.read(65_536))
        row = await made.row("left")
        assert row.outcome == "client_gone"
        assert row.cost >= 2500 * into + 200 * out
        assert [amount for *_, amount in row.spends] == [row.cost]


@pytest.mark.parametrize("authentication", [True, False])
@pytest.mark.parametrize("limited", [{}, {"spend_limits": {"rules": [rule(9)]}}])
async def test_the_budget_of_a_token_holds_for_its_calls_alone(authentication, limited):
    secret = "pst_with_a_budget_0123456789"
    budget = Budget("token:ann", NANO, Window("fixed", "month"))
    gateways = {"default": limited | {"authentication": authentication}}
    tokens = [a_token(secret, name="ann", budget=budget)]
    async with house(gateways=gateways, tokens=tokens, prices=PRICED) as made, made.client() as client:
        with_budget = {"cf-aig-authorization": f"Bearer {secret}"}
        without = {"cf-aig-authorization": f"Bearer {SECRET}"}
        assert await seen(client, priced(0.75, "first", **with_budget), priced(2, **without)) == [200, 200]
        message = envelope(await client.ask(priced(0.5, **with_budget)), 429, 2045)
        assert "the budget of token 'ann' (cost limit $1.00 per month, fixed) for openai costs-0.5: $0.75" in message
        assert message.endswith("wait, or ask whoever manages the token to raise it.")
        assert await seen(client, priced(0.25, **with_budget), priced(2, **without)) == [200, 200]
        owners = [owner for owner, *_ in (await made.row("first")).spends]
        assert owners[-1] == "token:ann"


async def test_a_call_that_has_reserved_leaves_a_draft_of_its_row():
    body = b'{"model":"gpt-4o","max_tokens":100,"messages":[{"role":"user","content":"hello"}]}'
    async with house(gateways=limits(rule(1, id="r"))) as made, made.client() as client:
        assert (await client.ask(request(body=body, event="told"))).status == 200
        row, (draft,) = await made.row("told"), made.sink.drafts
        assert (draft.id, draft.event_id, draft.outcome, draft.cost) == (row.id, "told", "lost", 1_050_000)
        assert json.loads(draft.detail)["cost_source"] == "reserved"
        assert "cost_source" not in json.loads(row.detail)
        ((owner, start, ends, reserved),), ((same, _, _, spent),) = draft.spends, row.spends
        assert owner == same
        assert (reserved, spent) == (1_050_000, row.cost)
        assert start <= row.created_at < ends


async def test_whose_calls_have_a_budget_does_not_say_what_they_cost():
    token = a_token("pst_with_a_budget_0123456789", budget=Budget("token:ann", NANO, Window("fixed", "month")))
    async with house(tokens=[token], prices=PRICED) as made, made.client() as client:
        own = {
            "cf-aig-authorization": "Bearer pst_with_a_budget_0123456789",
            "cf-aig-custom-cost": '{"total_cost": 0}',
        }
        assert await seen(client, priced(0.75, "first", **own), priced(0.75, **own)) == [200, 429]
        row = await made.row("first")
        assert (row.cost, row.custom_cost) == (NANO * 3 // 4, False)
        assert json.loads(row.detail)["warnings"] == ["cf-aig-custom-cost: ignored, as the token has a budget"]
