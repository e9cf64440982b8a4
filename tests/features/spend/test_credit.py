"""Prepaid accounts: calls on the operator's keys are made as long as the credit covers them. On a real server."""

import json

import pytest

from penstock.control.billing import service
from penstock.control.context import Context
from penstock.core.codec import decode, encode
from tests.kit.client import until
from tests.kit.house import ACCOUNT, envelope, house, request
from tests.kit.store import SECRET

TOKEN = {"cf-aig-authorization": f"Bearer {SECRET}"}
PREPAID = {"billing_mode": "prepaid", "provider_keys": {"openai": "sk-operator"}, "markups": (("openai", "*", 100.0),)}
BODY = b'{"model":"gpt-4o","max_tokens":100,"messages":[{"role":"user","content":"hello"}]}'
MAY_COST = 2 * (100 * 10_000 + len(BODY) // 4 * 2500)  # with the mark-up


async def grant(made, nano):
    await service.credit(Context(made.server.app.control, ACCOUNT, "operator"), nano, "for a test")


async def left(made):
    (bound,) = made.server.app.snapshots.current._gateways[ACCOUNT, "default"].spend._credit
    (held,) = await made.server.app.reservations.look([bound.budget])
    return bound.budget.limit - held.spent, held.reserved


async def test_calls_on_the_operators_key_need_credit_and_are_charged():
    async with house(**PREPAID) as made, made.client() as client:
        answer = await client.ask(request(headers=TOKEN, body=BODY, event="none"))
        assert envelope(answer, 402, 2021) == (
            "Insufficient wholesale credits: $0.00 left, and this call may cost $0.0021; top the account's credit up, "
            "or use a key of your own."
        )
        row = await made.row("none")
        assert (row.status_code, row.cost, row.charge, row.outcome) == (402, 0, None, "refused")
        assert json.loads(row.detail)["decisions"]["spend"]["exceeded"] == "the account's credit"
        await grant(made, MAY_COST)
        assert (await client.ask(request(headers=TOKEN, body=BODY, event="paid"))).status == 200
        row = await made.row("paid")
        assert row.cost
        assert row.charge == (ACCOUNT, 2 * row.cost)
        assert row.spends == ()
        await until(lambda: not made.server.app.plane.calls)
        assert await left(made) == (MAY_COST - 2 * row.cost, 0)
        assert (await client.ask(request(headers=TOKEN, body=BODY))).status == 402
        assert made.mock.stats()["requests_begun"] == 1


async def test_a_key_of_ones_own_needs_none():
    async with house(**PREPAID) as made, made.client() as client:
        mine = TOKEN | {"authorization": "Bearer sk-mine"}
        assert (await client.ask(request(headers=mine, body=BODY))).status == 200


async def test_prices_that_the_caller_gave_do_not_stretch_it():
    free = TOKEN | {"cf-aig-custom-cost": '{"total_cost":0}'}
    stream = BODY.replace(b"{", b'{"stream":true,', 1)
    async with house(**PREPAID) as made:
        async with made.client() as client:
            assert (await client.ask(request(headers=free, body=BODY))).status == 402
            await grant(made, 10 * MAY_COST)
            paced = free | {"x-mock-frames": "64", "x-mock-pace": "50"}
            await client.send(request(headers=paced, body=stream, event="left"))
            await client.head()
        row = await made.row("left")
        assert (row.outcome, row.cost) == ("client_gone", 0)
        assert row.charge is not None
        assert row.charge[1] == 2 * (100 * 10_000 + len(stream) // 4 * 2500)
        assert await left(made) == (10 * MAY_COST - row.charge[1], 0)


async def test_a_run_is_told_so_in_words_of_its_own():
    body = encode({"model": "openai/gpt-4o", "input": {"messages": [{"role": "user", "content": "hello"}]}})
    head = f"POST /client/v4/accounts/{ACCOUNT}/ai/run HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SECRET}\r\n"
    async with house(**PREPAID) as made, made.client() as client:
        answer = await client.ask(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        (error,) = decode(answer.body)["errors"]
        assert (answer.status, error["code"]) == (402, 2021)
        assert error["message"].startswith("Insufficient balance; add money to your gateway or use BYOK: $0.00 left")


@pytest.mark.parametrize("mode", ["postpaid"])
async def test_accounts_that_pay_afterwards_need_none(mode):
    async with house(**PREPAID | {"billing_mode": mode}) as made, made.client() as client:
        assert (await client.ask(request(headers=TOKEN, body=BODY, event="later"))).status == 200
        row = await made.row("later")
        assert row.cost
        assert row.charge == (ACCOUNT, 2 * row.cost)


async def test_a_step_without_credit_leads_on():
    steps = [
        {"provider": "openai", "endpoint": "chat/completions", "headers": {}, "query": json.loads(BODY)},
        {
            "provider": "openai",
            "endpoint": "chat/completions",
            "headers": {"authorization": "Bearer sk-mine"},
            "query": json.loads(BODY),
        },
    ]
    async with house(**PREPAID) as made, made.client() as client:
        answer = await client.ask(request("", headers=TOKEN, body=encode(steps)))
        assert (answer.status, answer.headers["cf-aig-step"]) == (200, "1")
