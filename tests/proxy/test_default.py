"""The gateway ``default`` is made by the first authenticated call to it."""

import asyncio
import json

import pytest

from penstock.model.token import Scope
from tests.kit.client import connected
from tests.kit.house import house, request
from tests.kit.store import ACCOUNT, SECRET, a_token

OTHER = "f" * 32
OURS = {"cf-aig-authorization": f"Bearer {SECRET}"}
TOKENS = [
    a_token("pst_of_the_other", account=OTHER),
    a_token("pst_without_run", scopes=frozenset({Scope.READ, Scope.WRITE})),
    a_token("pst_for_another", gateways=frozenset({"elsewhere"})),
    a_token("pst_for_default", gateways=frozenset({"default"}), scopes=frozenset({Scope.RUN})),
    a_token("pst_expired", expires_at=1),
]


def code(answer):
    return answer.status, json.loads(answer.body)["error"][0]["code"]


async def test_an_authenticated_call_makes_it_once_and_goes_on_on_it():
    async with house(gateways={}) as made:

        async def one(number):
            async with connected(made.server.port) as client:
                return await client.ask(request(headers=OURS, event=f"call {number}"))

        answers = await asyncio.gather(*(one(number) for number in range(12)))
        assert [answer.status for answer in answers] == [200] * 12
        numbers = {(await made.row(f"call {number}")).gateway for number in range(12)}
        assert len(numbers) == 1
        assert 0 not in numbers
        async with made.client() as client:  # it has authentication on, and so it stays
            assert code(await client.ask(request())) == (401, 2009)


async def test_a_token_for_default_alone_makes_it():
    async with house(gateways={}, tokens=TOKENS, accounts=[OTHER]) as made, made.client() as client:
        headers = {"authorization": "Bearer pst_for_default", "x-mock-echo": "1"}
        answer = await client.ask(request("openai/x", headers=headers, body=b"{}"))
        assert answer.status == 200
        assert b"pst_" not in answer.body


@pytest.mark.parametrize(
    "token", [None, "pst_unknown", "pst_of_the_other", "pst_without_run", "pst_for_another", "pst_expired"]
)
async def test_without_a_valid_token_nothing_is_made(token):
    headers = {"cf-aig-authorization": f"Bearer {token}"} if token else {}
    async with house(gateways={}, tokens=TOKENS, accounts=[OTHER]) as made, made.client() as client:
        version = made.server.app.snapshots.current.version
        bodies = set()
        for account in (ACCOUNT, "0" * 32):  # the same whether the account exists or not
            data = request(headers=headers, event="no").replace(ACCOUNT.encode(), account.encode(), 1)
            answer = await client.ask(data)
            assert code(answer) == (401, 2009)
            bodies.add(answer.body)
        assert len(bodies) == 1
        assert made.server.app.snapshots.current.version == version
        for row in await made.rows("no", 2):
            assert (row.gateway, row.outcome, row.request) == (0, "refused", None)


async def test_it_is_refused_before_a_body_is_asked_for():
    async with house(gateways={}) as made, made.client() as client:
        await client.send(request(headers={"content-length": "5", "expect": "100-continue"}, body=None))
        answer = await client.answer()
        assert (answer.status, answer.interim) == (401, [])


async def test_no_other_gateway_is_made():
    async with house(gateways={}, accounts=[OTHER]) as made, made.client() as client:
        for account, gateway in ((ACCOUNT, "other"), (ACCOUNT, "Default"), (OTHER, "other"), ("0" * 32, "other")):
            for headers in ({}, OURS):
                data = request(gateway=gateway, headers=headers).replace(ACCOUNT.encode(), account.encode(), 1)
                assert code(await client.ask(data)) == (400, 2001)
