"""The line: which stage speaks first."""

import dataclasses

import pytest

from penstock.core.errors import GatewayRefusal
from penstock.gateway.snapshot import Snapshot
from tests.kit.exchange import an_exchange
from tests.kit.house import house, request
from tests.kit.store import ACCOUNT

ORDER = ["limits", "cache", "policies", "spend", "dlp", "guard"]


class Stage:
    """Any stage; notes that it was asked, and refuses if it is told to."""

    def __init__(self, name, asked, *, refuses):
        self.name = name
        self.asked = asked
        self.refuses = refuses

    async def _step(self, ex):
        self.asked.append(self.name)
        if self.refuses:
            raise GatewayRefusal(f"refused by {self.name}")

    admit = lookup = check = inspect_request = _step

    def capture(self, step, reply):
        self.asked.append(f"{self.name} back")
        return reply

    async def inspect_reply(self, step, reply):
        return self.capture(step, reply)


def watched(asked, refusing=""):
    def adjust(app):
        plain = app.snapshots.current.gateway(an_exchange())
        stages = {name: Stage(name, asked, refuses=name == refusing) for name in ORDER}
        return Snapshot(7, {(ACCOUNT, "default"): dataclasses.replace(plain, **stages)})

    return adjust


async def test_the_stages_run_in_their_order_there_and_back():
    asked = []
    async with house(adjust=watched(asked)) as made, made.client() as client:
        assert (await client.ask(request())).status == 200
    assert asked == [*ORDER, "dlp back", "guard back", "cache back"]


@pytest.mark.parametrize("refusing", ORDER)
async def test_a_refusal_ends_the_line_before_the_provider_is_asked(refusing):
    asked = []
    async with house(adjust=watched(asked, refusing)) as made, made.client() as client:
        answer = await client.ask(request(event="refused"))
        assert answer.status == 403
        assert f"refused by {refusing}".encode() in answer.body
        assert (await made.row("refused")).outcome == "refused"
        assert made.mock.stats()["requests_begun"] == 0
    assert asked == ORDER[: ORDER.index(refusing) + 1]


async def test_what_the_headers_decide_is_decided_before_the_body_is_asked_for():
    async with house(adjust=watched([], "limits")) as made, made.client() as client:
        await client.send(request(headers={"content-length": "5", "expect": "100-continue"}, body=None))
        answer = await client.answer()
        assert (answer.status, answer.interim) == (403, [])
