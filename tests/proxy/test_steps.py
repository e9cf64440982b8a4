"""The universal endpoint over real sockets: steps are taken in order until one answers."""

import asyncio
import json
import logging

import pytest

from penstock.core import ids
from penstock.model.body import HELD
from tests.kit.client import until
from tests.kit.house import house, request
from tests.kit.provider import providing
from tests.kit.store import ACCOUNT

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
MESSAGES = {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": CHAT["messages"]}


def step(provider="openai", endpoint="v1/chat/completions", query=CHAT, headers=None, **more):
    return {"provider": provider, "endpoint": endpoint, "headers": headers or {}, "query": query, **more}


CLAUDE = step("anthropic", "v1/messages", MESSAGES)


def universal(steps, event="u", headers=None, *, slash="", method="POST"):
    body = steps if isinstance(steps, bytes) else json.dumps(steps).encode()
    lines = {"content-type": "application/json", "cf-aig-event-id": event, **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    target = f"{method} /v1/{ACCOUNT}/default{slash} HTTP/1.1\r\nhost: x\r\n"
    return f"{target}{head}content-length: {len(body)}\r\n\r\n".encode() + body


def failing(status):
    """Has the provider answer with that status."""
    return {"x-mock-status": str(status)}


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("shape", ["array", "object"])
async def test_one_step_is_a_call_to_its_provider(slash, shape):
    async with house() as made, made.client() as client:
        answer = await client.ask(universal([step()] if shape == "array" else step(), slash=slash))
        assert (answer.status, answer.headers["cf-aig-step"]) == (200, "0")
        assert json.loads(answer.body)["object"] == "chat.completion"
        (row,) = await made.rows("u", 1)
        assert (row.provider, row.model, row.step, row.success) == ("openai", "gpt-4o-mini", 0, True)
        assert (row.path, json.loads(row.request or b"")) == ("v1/chat/completions", CHAT)
        assert row.tokens_in


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
async def test_an_error_status_leads_on_to_the_next_step(status, streams):
    async with house() as made, made.client() as client:
        steps = [step(headers=failing(status)), {**CLAUDE, "query": {**MESSAGES, "stream": streams}}]
        answer = await client.ask(universal(steps))
        assert (answer.status, answer.headers["cf-aig-step"]) == (200, "1")
        assert (b"event: message_stop" in answer.body) is streams
        first, second = await made.rows("u", 2)
        assert (first.step, first.status_code, first.success, first.outcome) == (0, status, False, "answered")
        assert (second.step, second.status_code, second.success, second.provider) == (1, 200, True, "anthropic")
        assert first.id != second.id
        assert answer.headers["cf-aig-log-id"] == ids.text(second.id)


async def test_a_provider_that_cannot_be_reached_leads_on(unused_tcp_port):
    dead = f"http://127.0.0.1:{unused_tcp_port}"
    async with house(providers={"openai": dead}) as made, made.client() as client:
        answer = await client.ask(universal([step(), CLAUDE]))
        assert (answer.status, answer.headers["cf-aig-step"]) == (200, "1")
        first, _ = await made.rows("u", 2)
        assert (first.status_code, first.outcome, first.cost) == (502, "failed", None)


async def test_where_all_steps_fail_the_last_error_of_a_provider_is_the_answer(unused_tcp_port):
    dead = f"http://127.0.0.1:{unused_tcp_port}"
    async with house(providers={"anthropic": dead}) as made, made.client() as client:
        steps = [step(headers=failing(503)), step(headers=failing(404)), CLAUDE]
        answer = await client.ask(universal(steps))
        assert (answer.status, answer.headers["cf-aig-step"]) == (404, "1")
        assert json.loads(answer.body)["error"]
        assert [row.status_code for row in await made.rows("u", 3)] == [503, 404, 502]


async def test_where_no_step_has_an_answer_the_gateway_says_what_each_came_to(unused_tcp_port):
    dead = f"http://127.0.0.1:{unused_tcp_port}"
    async with house(providers={"openai": dead}) as made, made.client() as client:
        answer = await client.ask(universal([step(), step("nobody"), step("compat")]))
        assert (answer.status, answer.headers["cf-aig-step"]) == (502, "2")
        body = json.loads(answer.body)
        assert body["internalCode"] == 2005
        for said in (
            "openai: ",
            "no connection",
            "nobody: Invalid provider",
            "compat: Chat completion bad format",
        ):
            assert said in body["message"]
        assert [row.status_code for row in await made.rows("u", 3)] == [502, 400, 400]


async def test_options_of_a_step_beat_those_of_the_call_and_config_beats_both():
    tries = {"cf-aig-max-attempts": "3", "cf-aig-retry-delay": "1"}
    async with house() as made, made.client() as client:
        steps = [
            step(headers=failing(503)),
            step(headers={**failing(503), "cf-aig-max-attempts": "2"}),
            step(headers={**failing(503), "cf-aig-max-attempts": "2"}, config={"maxAttempts": 1}),
            CLAUDE,
        ]
        answer = await client.ask(universal(steps, headers=tries))
        assert answer.headers["cf-aig-step"] == "3"
        tried = [len(json.loads(row.detail).get("attempts", [])) for row in await made.rows("u", 4)]
        assert tried == [3, 2, 1, 1]


async def test_a_step_from_the_cache_is_an_answer_and_each_step_has_its_own_time():
    async with house(gateways={"default": {"cache_ttl": 60}}) as made, made.client() as client:
        uncached = step(headers={"cf-aig-cache-ttl": "0"})
        for expected in ("MISS", "HIT"):
            answer = await client.ask(universal([CLAUDE, uncached], event=expected))
            assert (answer.headers["cf-aig-cache-status"], answer.headers["cf-aig-step"]) == (expected, "0")
        answer = await client.ask(universal([uncached]))
        assert "cf-aig-cache-status" not in answer.headers


@pytest.mark.parametrize(
    ("outer", "inner", "skipped"),
    [
        ({}, {}, [None, None]),
        ({"cf-aig-cache-ttl": "90"}, {"cf-cache-ttl": "0"}, ["uncached", "uncached"]),
        ({"cf-skip-cache": "true"}, {"cf-aig-skip-cache": "false"}, [None, None]),
        ({}, {"cf-skip-cache": "true"}, [True, True]),
        ({}, {"cache-control": "no-cache"}, [True, True]),
        ({"cache-control": "no-cache"}, {}, [True, True]),
        ({"pragma": "no-cache"}, {"cf-aig-cache-ttl": "90"}, [True, True]),
    ],
)
async def test_caching_is_asked_of_a_step_as_of_a_call(outer, inner, skipped):
    async with house(gateways={"default": {"cache_ttl": 60}}) as made, made.client() as client:
        failed = step(headers={**failing(500), **inner})
        await client.ask(universal([failed, {**CLAUDE, "headers": inner}], headers=outer))
        told = [json.loads(row.detail)["decisions"].get("cache") for row in await made.rows("u", 2)]
        assert [cache.get("skipped") if cache else "uncached" for cache in told] == skipped


async def test_each_row_has_its_own_decisions_and_those_about_the_call():
    counted = {"rate_limiting_interval": 10**6, "rate_limiting_limit": 5}
    async with house(gateways={"default": {"cache_ttl": 60, **counted}}) as made, made.client() as client:
        cached, asks = {"cf-aig-cache-ttl": "60"}, {"cf-aig-explain": "1", "cf-aig-cache-ttl": "0"}
        steps = [step(headers={**failing(500), **cached}), step(headers=failing(429)), {**CLAUDE, "headers": cached}]
        answer = await client.ask(universal(steps, headers=asks))
        told = [json.loads(row.detail)["decisions"] for row in await made.rows("u", 3)]
        assert [decisions["limit"]["used"] for decisions in told] == [1, 1, 1]
        first, between, last = [decisions.get("cache") for decisions in told]
        assert between is None
        assert (first["status"], last["status"]) == ("MISS", "MISS")
        assert first["key"] != last["key"]
        assert json.loads(answer.headers["cf-aig-explain"])["decisions"] == told[2]


async def test_only_what_is_the_providers_travels():
    seen = []

    async def serve(peer):
        seen.append(await peer.request())
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

    headers = {"Authorization": "Bearer mine", "CF-AIG-Cache-TTL": "0", "x-own": "1", "host": "evil", "te": "trailers"}
    async with providing(serve) as provider, house(providers={"openai": provider.url}) as made, made.client() as client:
        outer = {"x-outer": "1", "authorization": "Bearer outer", "accept-encoding": "gzip, sdch"}
        asked = universal([step(endpoint="chat/completions?a=%20", headers=headers)], headers=outer)
        assert (await client.ask(asked)).status == 200
    head, _, body = seen[0].partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert lines[0] == b"post /chat/completions?a=%20 http/1.1"
    assert {
        b"authorization: bearer mine",
        b"x-own: 1",
        b"accept-encoding: gzip",
        b"content-type: application/json",
    } <= {*lines}
    assert not [line for line in lines if line.startswith((b"cf-aig", b"x-outer", b"te:", b"host: evil"))]
    assert json.loads(body) == CHAT


@pytest.mark.parametrize(
    ("body", "said"), [(b"[]", "empty"), (b"[1]", "is no step"), (b"{", "no step"), (b"", "array")]
)
async def test_what_is_no_list_of_steps_is_refused(body, said):
    async with house() as made, made.client() as client:
        answer = await client.ask(universal(body))
        assert (answer.status, json.loads(answer.body)["internalCode"]) == (400, 2019)
        assert said in json.loads(answer.body)["message"]
        assert answer.headers["cf-aig-step"] == "0"


async def test_the_endpoint_takes_post_alone():
    async with house() as made, made.client() as client:
        answer = await client.ask(universal(b"", method="GET"))
        assert (answer.status, json.loads(answer.body)["internalCode"]) == (405, 2006)
        assert answer.headers["allow"] == "POST"


async def test_a_refusal_before_the_first_step_names_that_step():
    closed = {"authentication": True}
    async with house(gateways={"default": closed}) as made, made.client() as client:
        for asked in (universal([step()]), universal([step()]).replace(b"/default", b"/missing")):
            answer = await client.ask(asked)
            assert answer.headers["cf-aig-step"] == "0"


async def test_a_native_answer_names_no_step():
    async with house() as made, made.client() as client:
        assert "cf-aig-step" not in (await client.ask(request())).headers


async def test_a_list_that_finds_no_room_may_be_sent_again():
    async with house(hold_body=1 << 16, buffer_memory=1 << 20) as made, made.client() as client:
        answer = await client.ask(universal([step(query="x" * (1 << 20))]))
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")


async def test_a_call_follows_the_later_step_of_one_that_asks_the_same():
    """A key of the client's own is for all steps, and the first one's error is held while the second runs."""
    asked, go_on = [], asyncio.Event()

    async def serve(peer):
        while True:
            asked.append(await peer.request())
            if b"x-fails" in asked[-1]:
                await peer.say(b"HTTP/1.1 404 \r\ncontent-length: 2\r\n\r\n{}")
            else:
                await go_on.wait()
                await peer.say(b"HTTP/1.1 200 \r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")

    key = {"cf-aig-cache-key": "both"}
    steps = [step(endpoint="models", headers={"x-fails": "1"}), step(endpoint="models")]
    async with (
        providing(serve) as provider,
        house(providers={"openai": provider.url}) as made,
        made.client() as first,
        made.client() as second,
    ):
        await first.send(universal(steps, headers=key))
        await until(lambda: len(asked) == 2)
        await second.send(universal(steps[1:], headers=key))
        await until(lambda: len(made.server.app.plane.calls) == 2)
        go_on.set()
        assert (await first.answer()).headers["cf-aig-cache-status"] == "MISS"
        assert (await second.answer()).headers["cf-aig-cache-status"] == "HIT"
    assert len(asked) == 2


async def test_a_list_that_is_told_to_be_too_large_is_refused_before_it_is_sent():
    async with house() as made, made.client() as client:
        head = f"POST /v1/{ACCOUNT}/default HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n"
        answer = await client.ask(f"{head}content-length: {HELD + 1}\r\n\r\n".encode())
        assert answer.status == 413


async def test_a_step_that_finds_no_room_leaves_no_list_of_steps_in_the_log():
    """The list holds the credentials of every step."""
    steps = [step(query="x" * 200_000, headers={"authorization": "Bearer sk-other"}), CLAUDE]
    async with house(buffer_memory=1 << 20) as made, made.client() as client:
        assert (await client.ask(universal(steps))).status == 503
        (row,) = await made.rows("u", 1)
        assert (row.status_code, row.request) == (503, None)


async def test_the_message_of_a_call_tells_how_each_of_many_steps_failed():
    steps = [step(f"unknown-{number}") for number in range(32)]
    async with house() as made, made.client() as client:
        message = json.loads((await client.ask(universal(steps))).body)["message"]
        assert all(f"unknown-{number}: Invalid provider" in message for number in range(32))


async def test_the_access_line_names_the_provider_that_answered(caplog):
    caplog.set_level(logging.INFO, "penstock.access")
    async with house(access_log=True) as made, made.client() as client:
        await client.ask(universal([step(headers=failing(500)), CLAUDE]))
        await made.rows("u", 2)
    lines = [record.__dict__["fields"] for record in caplog.records if record.getMessage() == "call"]
    assert [(line["provider"], line["path"], line["status"]) for line in lines] == [("anthropic", "v1/messages", 200)]


async def test_steps_that_were_all_refused_leave_no_more_rows_than_other_refusals():
    strange = [step("word-1", headers={"user-agent": "word-2"}), step("word-3", query={"model": "word-4"})]
    async with house(refused_rows=3) as made, made.client() as client:
        for _ in range(2):
            assert (await client.ask(universal(strange))).status == 502
        unkept = made.server.app.telemetry.rows_unkept
        await until(lambda: sum(unkept.values.values()) == 1)
        assert [(row.provider, row.user_agent) for row in made.sink.records] == [("", None)] * 3
        assert (await client.ask(universal([*strange, CLAUDE], event="served"))).status == 200
        assert [row.step for row in await made.rows("served")] == [2]


async def test_words_of_strangers_are_not_kept_of_a_step_that_was_refused():
    async with house() as made, made.client() as client:
        await client.ask(universal([step("word-1", headers={"user-agent": "word-2"}), CLAUDE]))
        first, second = await made.rows("u", 2)
        assert (first.provider, first.user_agent, second.provider) == ("", None, "anthropic")
