"""Simulated calls: they agree with real ones, and leave nothing behind."""

import os

import httpx
import pytest

from penstock.core.codec import decode, encode
from tests.control.routes.conftest import LIMITED, READER, SAMPLE, Api, a_graph
from tests.control.routes.test_routes import refusal
from tests.kit import routes as kit
from tests.kit.house import house, request
from tests.kit.several import CACHE
from tests.kit.store import ACCOUNT, SECRET

GRAPH = [
    kit.start("plan"),
    kit.conditional("plan", {"metadata.plan": "free", "body.stream": False}, "quota", "share"),
    kit.rate("quota", "cheap", "dear", limit=1),
    kit.percentage("share", {"25%": "cheap", "else": "dear"}),
    kit.model("cheap", fallback="dear", provider="groq", model="llama-3.3-70b-versatile", timeout=500, retries=2),
    kit.model("dear", model="gpt-4o"),
    kit.end(),
]


async def made(api, elements=GRAPH, name="r"):
    return (await api.told("POST", body={"name": name, "elements": elements}))["result"]["id"]


async def simulated(api, route, **question):
    return (await api.told("POST", f"{route}/simulate" if route else "/simulate", question))["result"]


def way(told):
    return [(one["element"], one["output"]) for one in told["path"]]


async def called(api, metadata, body, event=""):
    """The status of a real call of the route r."""
    headers = {"cf-aig-authorization": f"Bearer {SECRET}", "cf-aig-metadata": encode(metadata).decode()}
    body = encode({"model": "dynamic/r", **body})
    async with api.house.client() as client:
        call = request("compat/chat/completions", gateway="a", headers=headers, body=body, event=event)
        return (await client.ask(call)).status


async def test_a_simulated_call_goes_where_the_real_one_goes(api):
    route = await made(api)
    metadata, body = {"plan": "free", "user": "ada"}, {"stream": False, "messages": [{"role": "user", "content": "hi"}]}
    for used, event in enumerate(("one", "two")):
        told = await simulated(api, route, metadata=metadata, body=body)
        assert told == await simulated(api, route, metadata=metadata, body=body)  # took no place
        limit = told["path"][2]["limit"]
        assert (limit["value"], limit["used"], limit["counted_by"]) == ("ada", used, "memory")
        assert await called(api, metadata, body, event) == 200
        real = decode((await api.house.row(event)).detail)["decisions"]["route"]
        passed = [(one["element"], one["output"], one["why"]) for one in told["path"]]
        assert passed[: len(real["path"])] == [
            (one["element"], one["output"], one.get("why", "")) for one in real["path"]
        ]
        assert (told["answer"]["element"], told["version_id"]) == (real["element"], real["version"])
        assert way(told)[-2:] == [(real["element"], "success"), ("end", "")]


MODELS = [
    kit.start("none"),
    kit.model("none", fallback="moved", provider="nobody"),
    kit.model("moved", fallback="plain", provider="anthropic", model="claude-nonesuch", timeout=500, retries=2),
    kit.model("plain", "none-left", fallback="end", model="gpt-4o"),
    kit.rate("none-left", limit=1),
    kit.end(),
]


async def test_it_tells_what_each_model_would_be_sent_and_why_one_cannot_be(api):
    key = {"provider_slug": "anthropic", "alias": "mine", "default_config": True, "secret": "sk-of-nobody"}
    path = f"/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways/a/provider_configs"
    stored = await api.client.post(path, json=key, headers={"authorization": f"Bearer {SECRET}"})
    assert stored.status_code == 200
    body = {"logit_bias": {"1": 1}, "messages": [{"role": "user", "content": "hello"}]}
    none, moved, plain = (await simulated(api, None, elements=MODELS, body=body, assume={"moved": "fallback"}))["calls"]
    assert none["outcome"] == "fallback"
    assert "'nobody'" in none["error"]
    assert (moved["outcome"], moved["error"], moved["priced"]) == ("fallback", "", False)
    assert (moved["timeout"], moved["retries"], moved["dialect"]) == (0.5, 2, "anthropic")
    assert moved["key"] == {"source": "byok", "alias": "mine"}
    assert moved["url"] == f"{api.house.mock.url}/anthropic/v1/messages"
    assert any("logit_bias" in warning for warning in moved["warnings"])
    assert any("claude-nonesuch" in warning for warning in moved["warnings"])
    assert (plain["outcome"], plain["key"], plain["priced"], plain["dialect"]) == ("success", None, True, "")
    assert "no key for openai" in plain["warnings"][0]
    assert not api.house.mock.stats()["requests_begun"]


async def test_what_has_no_answer_ends_as_the_call_would(api):
    models = dict.fromkeys(("moved", "plain"), "fallback")
    told = await simulated(api, None, elements=MODELS, assume=models)
    assert (told["answer"], told["error"]["status"], told["error"]["code"]) == (None, 400, 2005)
    for name in ("'none'", "'moved'", "'plain'", "assumed to fail"):
        assert name in told["error"]["message"]
    told = await simulated(api, None, elements=MODELS, assume={"moved": "fallback", "none-left": "fallback"})
    assert (told["answer"], told["error"]["status"], told["error"]["code"]) == (None, 429, 2003)
    assert way(told)[-1] == ("none-left", "")
    assert (told["path"][-1]["limit"]["used"], told["path"][-1]["limit"]["counted_by"]) == (None, "assumed")


async def test_what_decides_can_be_drawn_or_assumed(api):
    route = await made(api)
    for draw, output in ((0, "25%"), (0.2499, "25%"), (0.25, "else"), (0.99, "else")):
        share = (await simulated(api, route, draw=draw))["path"][2]
        assert (share["output"], share["why"]) == (output, f"drawn: {draw:.4f}")
        assert [(one["output"], one["percent"]) for one in share["shares"]] == [("25%", 25), ("else", 75)]
    assume = {"plan": "false", "share": "25%", "cheap": "fallback"}
    told = await simulated(api, route, metadata={"plan": "free"}, body={"stream": False}, assume=assume)
    assert way(told)[1:-2] == [*assume.items()]
    assert [one["assumed"] for one in told["path"]] == [False, True, True, True, True, False]
    assert (await simulated(api, route, assume={"plan": "true", "quota": "fallback"}))["answer"]["element"] == "dear"


async def test_a_version_or_elements_are_simulated_before_they_are_deployed(api):
    route = await made(api, a_graph("m1"))
    draft = await api.draft(route, "m2")
    told = [await simulated(api, route, **which) for which in ({}, {"version_id": draft}, {"elements": a_graph("m3")})]
    assert [one["answer"]["model"] for one in told] == ["m1", "m2", "m3"]
    assert [(one["number"], one["name"], one["route_id"]) for one in told] == [(n, "r", route) for n in (1, 2, None)]
    told = await simulated(api, None, elements=a_graph("m4"))
    assert (told["answer"]["model"], told["route_id"], told["version_id"]) == ("m4", None, None)


async def test_metadata_is_read_as_that_of_a_call(api):
    route = await made(api)
    header = {"CF-AIG-Metadata": '{"plan":"free","cf.x":1}'}
    told = await simulated(api, route, headers=header, body={"stream": False})
    assert way(told)[1] == ("plan", "true")
    assert "cf.x" in told["warnings"][0]
    told = await simulated(api, route, headers=header, metadata={"plan": "paid"}, body={"stream": False})
    assert way(told)[1] == ("plan", "false")
    told = await simulated(api, route, metadata={"plan": "free", "x": []}, body={"stream": False})
    assert way(told)[1] == ("plan", "false")
    assert "'x' is neither" in told["warnings"][0]


async def test_what_cannot_be_simulated_is_refused_with_its_path(api):
    route = await made(api)
    invalid = (await api.told("POST", body={"name": "broken", "elements": SAMPLE}))["result"]
    fault = invalid["version"]["fault"]["path"]
    assert refusal(await api.ask("POST", f"{invalid['id']}/simulate", {}))[:2] == (400, fault)
    assert refusal(await api.ask("POST", "/simulate", {"elements": SAMPLE}))[:2] == (400, ["body", *fault])
    for body, path in (
        ({"assume": {"nowhere": "success"}}, ["assume", "nowhere"]),
        ({"assume": {"plan": "success"}}, ["assume", "plan"]),
        ({"assume": {"start": "next"}}, ["assume", "start"]),
        ({"version_id": invalid["version"]["version_id"]}, ["version_id"]),
        ({"version_id": "x", "elements": a_graph()}, ["version_id"]),
        ({"draw": 1}, ["draw"]),
        ({"draw": float("nan")}, ["draw"]),
        ({"headers": {"x": "\ud800"}}, ["headers"]),
        ({"metadata": []}, ["metadata"]),
        ({"body": {"x": "x" * 65536}}, ["body"]),
        ({"body": []}, ["body"]),
        ({"colour": "red"}, ["colour"]),
    ):
        status, at, _ = refusal(await api.ask("POST", f"{route}/simulate", body))
        assert (status, at[: len(path) + 1]) == (400, ["body", *path]), body
    assert refusal(await api.ask("POST", "/simulate", {}))[:2] == (400, ["body", "elements"])


async def test_whoever_may_read_may_simulate_and_nothing_is_stored(api):
    route = await made(api)
    version, audited = await api.version(), len(await api.audited())
    for path, body in ((f"{route}/simulate", {}), ("/simulate", {"elements": a_graph()})):
        assert (await api.ask("POST", path, body, secret=READER)).status_code == 200
        assert (await api.ask("POST", path, body, secret=LIMITED)).status_code == 404
        assert (await api.ask("POST", path, body, gateway="none")).status_code == 404
    assert (await api.ask("POST", f"{route}/simulate", {}, gateway="b")).status_code == 404
    assert (await api.version(), len(await api.audited())) == (version, audited)


async def test_what_redis_counts_for_all_processes_is_seen():
    async with (
        house(gateways={"a": {}}, redis_url=os.environ[CACHE]) as made_here,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{made_here.server.port}") as client,
    ):
        api = Api(made_here, client)
        route = await made(api, QUOTA)
        assert await called(api, {"user": "ada"}, {"messages": []}) == 200
        seen = [(await simulated(api, route, metadata={"user": user}))["path"][1]["limit"] for user in ("ada", "eve")]
    assert [(limit["used"], limit["counted_by"]) for limit in seen] == [(1, "redis"), (0, "redis")]


@pytest.mark.parametrize("fetches", [True, False])
async def test_nothing_is_fetched(fetches):
    picture = {"type": "image_url", "image_url": {"url": "https://pictures.example/a.png"}}
    body = {"messages": [{"role": "user", "content": [picture]}]}
    elements = [kit.start("m"), kit.model("m", provider="aws-bedrock", model="amazon.nova-lite-v1:0"), kit.end()]
    async with house(gateways={"a": {}}, fetch_media=fetches) as made_here, made_here.client() as client:
        (call,) = (await asked(client, elements=elements, body=body))["calls"]
    assert (call["outcome"], bool(call["error"])) == (("success", False) if fetches else ("fallback", True))
    assert any("fetched" in warning for warning in call["warnings"]) == fetches


QUOTA = [kit.start("quota"), kit.rate("quota", "m"), kit.model("m"), kit.end()]


async def asked(client, **question):
    """The answer to a simulation of elements that are not stored."""
    body = encode(question)
    path = f"/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways/a/routes/simulate"
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SECRET}\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return decode((await client.ask(head.encode() + body)).body)["result"]


async def test_a_process_that_takes_no_calls_says_that_it_sees_no_counts():
    async with house(role="control", gateways={"a": {}}) as made, made.client() as client:
        passed = (await asked(client, elements=QUOTA, metadata={"user": "ada"}))["path"][1]
    assert (passed["output"], passed["assumed"]) == ("success", True)
    limit = passed["limit"]
    assert (limit["used"], limit["value"], limit["counted_by"]) == (None, "ada", "nobody")


async def test_targets_are_chosen_as_for_a_call_and_nothing_is_learned_of_them(api):
    targets = [{"provider": "openai", "model": "gpt-4o", "weight": 3}, {"provider": "groq", "model": "x"}]
    health = {"failures": 1}
    many = (
        kit.start("m"),
        kit.model("m", fallback="other", provider=None, model=None, targets=targets, health=health),
        kit.model("other"),
        kit.end(),
    )
    route = await made(api, [*many])
    for draw, model in ((0.74, "gpt-4o"), (0.76, "x")):
        told = await simulated(api, route, draw=draw)
        assert (told["answer"]["model"], told["calls"][0]["why"][:9]) == (model, "weighted ")
        assert told["path"][1]["why"].startswith("weighted ")
    for _ in range(2):
        told = await simulated(api, route, draw=0, assume={"m": "fallback"})
        assert [one["model"] for one in told["calls"]] == ["gpt-4o", "x", "gpt-4o-mini"]
        assert told["path"][1]["why"] == "openai/gpt-4o: assumed to fail; groq/x: assumed to fail"
