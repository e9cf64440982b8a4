"""A process of a role without calls answers calls in the words of the data plane, and calls nobody."""

import json

import pytest

from tests.kit.house import house, request


@pytest.mark.parametrize("role", ["control", "worker"])
async def test_a_call_is_told_where_calls_go(role):
    async with house(role=role) as h, h.client() as client:
        for method, body in (("POST", b"x" * 100_000), ("GET", None)):
            answer = await client.ask(request(method=method, body=body, event="astray"))
            told = json.loads(answer.body)
            assert (answer.status, answer.whole, told["error"][0]["code"]) == (404, True, 2004)
            assert f"its role is {role}" in told["error"][0]["message"]
        assert not h.server.app.plane.calls
        assert h.mock.stats()["connections_open"] == 0
