"""Dynamic routes on a real server: a graph chooses the models of a call, until one answers."""

import asyncio

import pytest
import pytest_asyncio

from penstock.core.codec import decode, encode
from penstock.features.routing.budgets import Budgets
from penstock.features.routing.graph.reading import read
from penstock.model.route import Route
from penstock.ports.counters import Taken
from penstock.proxy import steps
from tests.kit.house import envelope, house, request

pytestmark = pytest.mark.asyncio(loop_scope="module")


def to(element):
    return {"elementId": element}


def model(name, provider, success="end", fallback=None, model="m", **properties):
    outputs = {"success": to(success)} | ({"fallback": to(fallback)} if fallback else {})
    properties = {"provider": provider, "model": model, "timeout": 0, "retries": 0} | properties
    return {"id": name, "type": "model", "properties": properties, "outputs": outputs}


START, END = {"id": "start", "type": "start", "outputs": {"next": to("first")}}, {"id": "end", "type": "end"}


def plan(true, false):
    condition = {"metadata.plan": {"$eq": "free"}}
    outputs = {"true": to(true), "false": to(false)}
    return {"id": "first", "type": "conditional", "properties": {"conditions": condition}, "outputs": outputs}


def limit(most, success, fallback=None, kind="count"):
    outputs = {"success": to(success)} | ({"fallback": to(fallback)} if fallback else {})
    properties = {"limitType": kind, "key": "metadata.user", "limit": most, "window": 3600}
    return {"id": "first", "type": "rate", "properties": properties, "outputs": outputs}


ROUTES = {
    "one": [START, model("first", "anthropic"), END],
    "plans": [START, plan("cheap", "dear"), model("cheap", "groq"), model("dear", "anthropic"), END],
    "fallback": [START, model("first", "nobody", fallback="second"), model("second", "google-ai-studio"), END],
    "failing": [
        START,
        model("first", "fireworks", fallback="second"),
        model("second", "openai", fallback="third"),
        model("third", "anthropic"),
        END,
    ],
    "failing-long": [START, model("first", "qqqq", fallback="second"), model("second", "opnai"), END],
    "quota": [START, limit(2, "good", "poor"), model("good", "openai"), model("poor", "groq"), END],
    "budget": [
        START,
        limit(0.000_000_001, "good", "poor", "cost"),
        model("good", "openai", model="gpt-4o"),
        model("poor", "groq"),
        END,
    ],
    "counted": [
        START,
        limit(1_000_000, "good", kind="cost"),
        model("good", "openai", "dear", "dear", model="gpt-4o-mini"),
        model("dear", "anthropic", model="claude-sonnet-4-5", retries=1),
        END,
    ],
    "strict": [START, limit(1, "good"), model("good", "openai"), END],
    "chain": [START, model("first", "openai", success="second"), model("second", "anthropic"), END],
    "tail": [START, model("first", "openai", success="second"), model("second", "nobody"), END],
}


def deployed(app):
    """The published gateway ``default`` with routes."""
    snapshot = app.snapshots.current
    routes = {name: Route(f"id-{name}", name, "v1", read(elements)) for name, elements in ROUTES.items()}
    routes["broken"] = Route("id-broken", "broken", "v1", None, "elements.0: why")
    for gateway in snapshot._gateways.values():
        gateway.routes = routes
    return snapshot


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place():
    async with house(adjust=deployed) as served:
        yield served


def chat(route, path="compat/chat/completions", event="", metadata=None, headers=None, **members):
    said = [{"role": "user", "content": "hello"}]
    body = encode({"model": f"dynamic/{route}", "messages": said, **members})
    told = {"cf-aig-metadata": encode(metadata).decode()} if metadata else {}
    return request(path, body=body, event=event, headers=told | (headers or {}))


async def asked(place, *args, **given):
    async with place.client() as client:
        return await client.ask(chat(*args, **given))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("path", "more"),
    [("compat/chat/completions", {}), ("compat/messages", {"max_tokens": 9}), ("compat/responses", {"input": "hello"})],
)
async def test_a_route_is_a_model_in_every_dialect(place, path, more, stream):
    answer = await asked(place, "one", path, stream=stream, **more)
    assert answer.status == 200
    assert answer.headers["cf-aig-provider"] == "anthropic"
    assert answer.headers["cf-aig-model"] == "m"
    assert answer.headers["cf-aig-step"] == "0"
    assert answer.whole


@pytest.mark.parametrize(("plan", "provider"), [("free", "groq"), ("paid", "anthropic")])
async def test_a_condition_chooses_the_model(place, plan, provider):
    answer = await asked(place, "plans", metadata={"plan": plan}, event=plan)
    assert answer.headers["cf-aig-provider"] == provider
    route = decode((await place.row(plan)).detail)["decisions"]["route"]
    assert route["name"] == "plans"
    assert [visit["element"] for visit in route["path"]] == ["start", "first"]
    assert route["path"][1]["output"] == ("true" if plan == "free" else "false")


async def test_a_model_that_cannot_be_asked_leads_to_its_fallback(place):
    answer = await asked(place, "fallback", event="fallback")
    assert (answer.headers["cf-aig-provider"], answer.headers["cf-aig-step"]) == ("google-ai-studio", "1")
    rows = await place.rows("fallback", 2)
    (last,) = [row for row in rows if row.step == 1]
    path = decode(last.detail)["decisions"]["route"]["path"]
    assert path[-1]["output"] == "fallback"
    assert "nobody" in path[-1]["why"]


async def test_what_has_no_answer_says_why_element_by_element(place):
    answer = await asked(place, "failing", headers={"x-mock-status": "503"})
    message = envelope(answer, 400, 2005)
    for word in ("'failing'", "'first'", "'second'", "'third'", "status 503"):
        assert word in message


@pytest.mark.parametrize(("route", "says"), [("none", "no route 'none'"), ("broken", "elements.0: why")])
async def test_a_route_that_cannot_run_says_why(place, route, says):
    assert says in envelope(await asked(place, route), 400, 2005)


@pytest.mark.parametrize(
    ("route", "provider", "coding"),
    [("one", "anthropic", ""), ("failing", "anthropic", ""), ("plans", "groq", ""), ("plans", "groq", "gzip")],
)
async def test_what_has_no_answer_has_the_words_of_the_provider_that_answered_last(place, route, provider, coding):
    told = {"x-mock-status": "400"} | ({"x-mock-encoding": coding, "accept-encoding": coding} if coding else {})
    message = envelope(await asked(place, route, headers=told, metadata={"plan": "free"}), 400, 2005)
    assert f"status 400. {provider} said: " in message
    assert not message.endswith("said: ")


async def test_an_error_whose_body_does_not_come_is_told_without_it(place, monkeypatch):
    monkeypatch.setattr(steps, "_PATIENCE", 0.01)
    answer = await asked(place, "one", headers={"x-mock-status": "503", "x-mock-stall": "body"})
    assert envelope(answer, 400, 2005).endswith("element 'first': status 503.")


async def test_a_long_reason_ends_where_it_was_cut(place):
    message = envelope(await asked(place, "failing-long"), 400, 2005)
    assert "element 'first': Invalid provider 'qqqq': known are adobe-firefly, " in message
    assert "…; element 'second': Invalid provider 'opnai': did you mean openai?" in message


async def test_a_quota_leads_elsewhere_when_it_is_used_up(place):
    told = [await asked(place, "quota", metadata={"user": "ada"}) for _ in range(3)]
    other = await asked(place, "quota", metadata={"user": "bob"})
    assert [answer.headers["cf-aig-provider"] for answer in (*told, other)] == ["openai", "openai", "groq", "openai"]


async def test_a_budget_leads_elsewhere_once_it_is_spent(place):
    first = await asked(place, "budget", metadata={"user": "ada"}, event="spent")
    assert (await place.row("spent")).cost
    again = await asked(place, "budget", metadata={"user": "ada"})
    other = await asked(place, "budget", metadata={"user": "bob"})
    assert [answer.headers["cf-aig-provider"] for answer in (first, again, other)] == ["openai", "groq", "openai"]


async def test_a_budget_has_spent_what_the_rows_behind_it_cost_however_the_calls_end(place):
    ends = [{}, {"x-mock-cut-frames": "2"}, {"x-mock-usage": "none"}, {"x-mock-status": "503"}, {"x-mock-pace": "5"}]

    async def call(number):
        headers = ends[number % len(ends)]
        async with place.client() as client:
            stream = number % 2 == 0
            told = chat("counted", event="counted", metadata={"user": "ada"}, stream=stream, headers=headers)
            await client.send(told)
            await (client.head() if "x-mock-pace" in headers else client.answer())  # the former leave early

    await asyncio.gather(*(call(number) for number in range(100)))
    await place.quiet()
    rows = await place.rows("counted")
    assert {row.outcome for row in rows} == {"answered", "broken", "client_gone"}
    cost = sum(row.cost or 0 for row in rows)
    answer = await asked(place, "counted", metadata={"user": "ada"}, headers={"cf-aig-explain": "1"})
    path = decode(answer.headers["cf-aig-explain"])["decisions"]["route"]["path"]
    spent, _, rest = path[1]["why"].partition(" ")
    assert (float(spent), rest) == (cost / 1e9, "of 1000000 dollars in 3600 seconds")


async def test_a_quota_without_a_fallback_refuses(place):
    await asked(place, "strict")
    answer = await asked(place, "strict")
    assert "element 'first' of route 'strict' has had 1 of 1 calls" in envelope(answer, 429, 2003)
    assert int(answer.headers["retry-after"]) > 0


async def test_a_quota_that_cannot_be_counted_names_its_element(place, monkeypatch):
    async def refuse(*_):
        return Taken(False, 0, 0, by="refuse")

    monkeypatch.setattr(Budgets, "take", refuse)
    assert "element 'first' of route 'strict'" in envelope(await asked(place, "strict"), 503, 2010)


@pytest.mark.parametrize(("route", "provider"), [("chain", "anthropic"), ("tail", "openai")])
async def test_the_last_model_that_answered_is_the_answer(place, route, provider):
    answer = await asked(place, route, event=route)
    assert answer.status == 200
    assert answer.headers["cf-aig-provider"] == provider
    assert decode(answer.body)["choices"][0]["message"]["content"]
    assert len(await place.rows(route, 2)) == 2


async def test_the_clients_own_provider_key_goes_nowhere(place):
    answer = await asked(place, "quota", headers={"authorization": "Bearer sk-own", "x-mock-echo": "1"})
    assert "sk-own" not in answer.body.decode()


async def test_a_step_of_a_universal_call_may_name_a_route(place):
    query = {"model": "dynamic/fallback", "messages": [{"role": "user", "content": "hello"}]}
    dead = {"provider": "compat", "endpoint": "chat/completions", "query": query | {"model": "dynamic/none"}}
    steps = [dead, {"provider": "compat", "endpoint": "chat/completions", "query": query}]
    async with place.client() as client:
        answer = await client.ask(request("", body=encode(steps)))
    assert (answer.headers["cf-aig-step"], answer.headers["cf-aig-provider"]) == ("1", "google-ai-studio")
