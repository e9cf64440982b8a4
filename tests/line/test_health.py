"""Models of routes that fail are left out for a while, and several targets share an element, on a real server."""

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from penstock.core.codec import decode, encode
from penstock.features.routing.graph.reading import read
from penstock.features.routing.unified import Unfolding
from penstock.model.route import Route
from penstock.model.surface import Surface
from penstock.providers.unified import CHAT
from tests.kit.client import until
from tests.kit.exchange import an_exchange
from tests.kit.house import envelope, house, request
from tests.kit.provider import OK, providing
from tests.kit.routes import end, model, start

BUSY = b"HTTP/1.1 503 No\r\ncontent-length: 2\r\n\r\nno"
WRONG = BUSY.replace(b"503", b"400")
HEALTH = {"failures": 3, "pause": 30}
OPENAI, GROQ = {"provider": "openai", "model": "a"}, {"provider": "groq", "model": "b"}
BODY = encode({"model": "dynamic/r", "messages": [{"role": "user", "content": "hello"}]})
SPARE = model("spare", provider="anthropic", model="c")


def choosing(success="end", fallback="spare", **properties):
    """A model element with targets."""
    made = model("m", success, fallback)
    made["properties"] = {"timeout": 0, "retries": 0} | properties
    return made


class Moody:
    """A provider whose answers a test changes; empty: it closes the connection. ``asked``: how often it was; ``late``:
    seconds that it takes.
    """

    def __init__(self):
        self.answer, self.asked, self.late = OK, 0, 0.0
        self.may = asyncio.Event()
        self.may.set()

    async def serve(self, peer):
        while self.answer:
            await peer.request()
            self.asked += 1
            await asyncio.sleep(self.late)
            await self.may.wait()
            await peer.say(self.answer)


@asynccontextmanager
async def place(*elements):
    """A house with the route ``r``; openai and groq are moody."""
    openai, groq, clock = Moody(), Moody(), SimpleNamespace(now=1000.0)

    def adjust(app):
        snapshot = app.snapshots.current
        for gateway in snapshot._gateways.values():
            gateway.routing._kinds["unified"]._watches.clock = lambda: clock.now
        return snapshot

    async with (
        providing(openai.serve) as one,
        providing(groq.serve) as other,
        house(providers={"openai": one.url, "groq": other.url}, adjust=adjust) as served,
    ):
        made = SimpleNamespace(served=served, openai=openai, groq=groq, clock=clock, number=0)
        deploy(made, *elements)
        yield made


def deploy(made, *elements, version="v1"):
    route = Route("id", "r", version, read([start("m"), *elements, end()]))
    for gateway in made.served.server.app.snapshots.current._gateways.values():
        gateway.routes = {"r": route}


async def ask(made):
    """The answer, and what the rows say: the provider that was asked, why it was, and the elements before."""
    made.number += 1
    event = f"call-{made.number}"
    async with made.served.client() as client:
        answer = await client.ask(request("compat/chat/completions", body=BODY, event=event))
    rows = sorted(
        await made.served.rows(event, int(answer.headers.get("cf-aig-step", 0)) + 1), key=lambda row: row.step
    )
    routes = [decode(row.detail)["decisions"]["route"] for row in rows]
    return answer, [(row.provider, route.get("why", "")) for row, route in zip(rows, routes, strict=True)], routes[-1]


async def test_a_provider_that_fails_is_skipped_and_comes_back_after_the_pause():
    async with place(choosing(**OPENAI, health=HEALTH), SPARE) as made:
        made.openai.answer = BUSY
        for _ in range(3):
            answer, asked, _ = await ask(made)
            assert answer.headers["cf-aig-provider"] == "anthropic" and len(asked) == 2
        answer, asked, route = await ask(made)
        assert (answer.headers["cf-aig-step"], asked) == ("0", [("anthropic", "")])
        assert route["path"][-1] == {
            "element": "m",
            "output": "fallback",
            "why": "skipped: 3 failures in a row, tried again in 30 s",
        }
        assert made.openai.asked == 3
        assert made.served.server.app.telemetry.targets_skipped.values == {("openai",): 1}
        made.openai.answer = OK
        made.clock.now += 30
        _, asked, _ = await ask(made)
        assert asked == [("openai", "tried again after 3 failures in a row")]
        _, asked, _ = await ask(made)
        assert asked == [("openai", "")]


@pytest.mark.parametrize("answer", [BUSY.replace(b"503", b"429"), b"", None])
async def test_a_provider_fails_that_has_no_time_for_a_call_no_answer_or_none_in_time(answer):
    async with place(choosing(**OPENAI, timeout=20, health={"failures": 1}), SPARE) as made:
        if answer is None:
            made.openai.may.clear()
        else:
            made.openai.answer = answer
        await ask(made)
        _, asked, _ = await ask(made)
        assert asked == [("anthropic", "")]


async def test_what_the_caller_did_wrong_is_no_failure_of_the_provider():
    async with place(choosing(**OPENAI, health=HEALTH), SPARE) as made:
        made.openai.answer = WRONG
        for _ in range(5):
            await ask(made)
        assert made.openai.asked == 5


async def test_while_one_call_tries_again_others_go_elsewhere_and_one_that_is_given_up_frees_the_place():
    async with place(choosing(**OPENAI, health={"failures": 1}), SPARE) as made:
        made.openai.answer = BUSY
        await ask(made)
        made.openai.answer = OK
        made.clock.now += 30
        made.openai.may.clear()
        async with made.served.client() as client:
            client.writer.write(request("compat/chat/completions", body=BODY, event="left"))
            await until(lambda: made.openai.asked == 2)
            others = await asyncio.gather(*(ask(made) for _ in range(5)))
            assert [asked for _, asked, _ in others] == [[("anthropic", "")]] * 5
            assert others[0][2]["path"][-1]["why"] == "skipped: its last call failed, just being tried again"
            assert made.openai.asked == 2
        await made.served.row("left")
        made.openai.may.set()
        _, asked, _ = await ask(made)
        assert asked == [("openai", "tried again after its last call failed")]


async def test_a_target_that_was_chosen_and_never_asked_is_free_when_the_call_ends():
    async with place(choosing(**OPENAI, health={"failures": 1}), SPARE) as made:
        made.openai.answer = BUSY
        await ask(made)
        made.openai.answer = OK
        made.clock.now += 30
        for gateway in made.served.server.app.snapshots.current._gateways.values():
            ex = an_exchange(body=BODY)
            ex.gateway = gateway
            ex.request.surface = Surface("compat", kind=CHAT, dialect="openai_chat")
            await Unfolding(gateway.routing._kinds["unified"]).first(ex)
            ex.steps.clear()
            ex.close()
        _, asked, _ = await ask(made)
        assert asked == [("openai", "tried again after its last call failed")]


async def test_a_target_is_back_once_the_head_of_its_answer_came():
    async with place(choosing(**OPENAI, health={"failures": 1}), SPARE) as made:
        made.openai.answer = BUSY
        await ask(made)
        made.openai.answer = OK[:-1]
        made.clock.now += 30
        async with made.served.client() as client:
            client.writer.write(request("compat/chat/completions", body=BODY))
            assert await client.reader.readuntil(b"\r\n\r\no")
            made.openai.answer = OK
            _, asked, _ = await ask(made)
            assert asked == [("openai", "")]


async def test_what_is_known_of_a_target_outlives_a_deployment():
    elements = choosing(**OPENAI, health={"failures": 1}), SPARE
    async with place(*elements) as made:
        made.openai.answer = BUSY
        await ask(made)
        deploy(made, *elements, version="v2")
        _, asked, route = await ask(made)
        assert (asked, route["version"]) == ([("anthropic", "")], "v2")


@pytest.mark.parametrize("fallback", [None, "end"])
async def test_a_provider_that_fails_is_asked_all_the_same_where_no_other_model_is(fallback):
    async with place(choosing(fallback=fallback, **OPENAI, health={"failures": 1})) as made:
        made.openai.answer = BUSY
        for _ in range(2):
            answer, asked, _ = await ask(made)
            assert "status 503" in envelope(answer, 400, 2005)
        assert made.openai.asked == 2
        assert asked[0][1].startswith("asked all the same")
        made.openai.answer = OK
        answer, _, _ = await ask(made)
        assert answer.status == 200


async def test_a_route_whose_models_are_all_skipped_says_so():
    elements = choosing(fallback="plan", **OPENAI, health={"failures": 1})
    plan = {
        "id": "plan",
        "type": "conditional",
        "properties": {"conditions": {"metadata.plan": "free"}},
        "outputs": {"true": {"elementId": "end"}, "false": {"elementId": "end"}},
    }
    async with place(elements, plan) as made:
        made.openai.answer = BUSY
        await ask(made)
        step = {"provider": "compat", "endpoint": "chat/completions", "query": decode(BODY)}
        async with made.served.client() as client:
            answer = await client.ask(request("compat/chat/completions", body=BODY))
            assert "'m': skipped: its last call failed" in envelope(answer, 400, 2005)
            other = {"provider": "groq", "endpoint": "chat/completions", "query": {"model": "b"}}
            answer = await client.ask(request("", body=encode([step, other])))
            assert (answer.status, answer.headers["cf-aig-step"]) == (200, "1")


async def test_an_element_all_of_whose_targets_are_skipped_tells_of_each():
    long = OPENAI | {"model": "a-name-of-a-model-of-some-length"}
    async with place(choosing(targets=[long, GROQ], health={"failures": 1}), SPARE) as made:
        made.openai.answer = made.groq.answer = BUSY
        await ask(made)
        _, asked, route = await ask(made)
        assert asked == [("anthropic", "")]
        why = "skipped: its last call failed, tried again in 30 s"
        assert set(route["path"][-1]["why"].split("; ")) == {f"openai/{long['model']} {why}", f"groq/b {why}"}
        assert made.served.server.app.telemetry.targets_skipped.values == {("openai",): 1, ("groq",): 1}


async def test_targets_share_the_calls_by_weight_and_stand_in_for_one_another():
    heavy = OPENAI | {"weight": 1_000_000}
    async with place(choosing(targets=[GROQ | {"weight": 0.000_001}, heavy]), SPARE) as made:
        for _ in range(10):
            _, asked, _ = await ask(made)
            assert asked == [("openai", "weighted 1e+06 of 1e+06")]
        made.openai.answer = BUSY
        answer, asked, _ = await ask(made)
        assert answer.headers["cf-aig-model"] == "b"
        assert asked[1] == ("groq", "no other target is left")
        made.groq.answer = BUSY
        answer, asked, route = await ask(made)
        assert [provider for provider, _ in asked] == ["openai", "groq", "anthropic"]
        assert route["path"][-1]["why"] == "openai/a: status 503; groq/b: status 503"


async def test_the_fastest_target_of_late_is_preferred():
    async with place(choosing(targets=[OPENAI, GROQ], strategy="fastest"), SPARE) as made:
        made.openai.late = 0.05
        first = [(await ask(made))[1][0] for _ in range(2)]
        assert first == [("openai", "not asked yet"), ("groq", "not asked yet")]
        made.openai.late = 0.0
        chosen = [(await ask(made))[1][0] for _ in range(6)]
        fast = {provider for provider, why in chosen if why.startswith("fastest of late: ")}
        assert fast == {"groq"}


async def test_retries_are_of_each_target():
    async with place(choosing(targets=[OPENAI, GROQ], retries=1), SPARE) as made:
        made.openai.answer = made.groq.answer = BUSY
        await ask(made)
        assert (made.openai.asked, made.groq.asked) == (2, 2)
