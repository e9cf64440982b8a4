"""Answers from memory, on a real server before simulated providers."""

import asyncio
import gzip
import json
import zlib
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import brotli
import pytest
import zstandard

from tests.kit.client import until
from tests.kit.house import house, request
from tests.kit.provider import answering, providing
from tests.kit.store import ACCOUNT

ON = {"default": {"cache_ttl": 600}}
CHAT = b'{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}]}'
STREAM = b'{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello"}]}'
STATUS = "cf-aig-cache-status"
MINE: dict[str, Any] = {
    "cf_aig_cache_key": "mine"
}  # one call, whatever the controls of the simulated provider, which travel


def chat(event="", body=CHAT, path="openai/chat/completions", **headers):
    return request(path, body=body, event=event, headers={name.replace("_", "-"): v for name, v in headers.items()})


def decision(row):
    return json.loads(row.detail)["decisions"].get("cache")


def upstream(made):
    return made.mock.stats()["requests_begun"]


async def test_a_hit_is_the_answer_as_it_was_and_costs_nothing():
    async with house(gateways=ON) as made, made.client() as client:
        miss = await client.ask(chat("miss"))
        hit = await client.ask(chat("hit"))
        assert (miss.headers[STATUS], hit.headers[STATUS]) == ("MISS", "HIT")
        assert (hit.status, hit.body, hit.headers["content-type"]) == (200, miss.body, miss.headers["content-type"])
        assert hit.headers["content-length"] == str(len(miss.body))
        assert upstream(made) == 1
        first, row = await made.row("miss"), await made.row("hit")
        assert first.cost
        assert (first.cached, row.cached, row.success, row.status_code, row.outcome) == (
            False,
            True,
            True,
            200,
            "answered",
        )
        assert (row.tokens_in, row.tokens_out, row.cost) == (0, 0, 0)
        assert (row.provider, row.model, row.response) == ("openai", "gpt-4o", miss.body)
        told = decision(row)
        assert (told["status"], told["ttl"], told["key"]) == ("HIT", 600, decision(first)["key"])
        saved = (told["saved_tokens_in"], told["saved_tokens_out"], told["saved_cost"])
        assert saved == (first.tokens_in, first.tokens_out, first.cost / 1e9)
        counted = made.server.app.telemetry
        assert counted.cache_lookups.values == {(ACCOUNT, "default", "miss"): 1, (ACCOUNT, "default", "hit"): 1}
        assert counted.saved_tokens.values == {
            (ACCOUNT, "default", "in"): saved[0],
            (ACCOUNT, "default", "out"): saved[1],
        }
        assert counted.saved_cost.values == {(ACCOUNT, "default"): first.cost}


async def test_a_hit_costs_nothing_at_the_callers_own_prices_either():
    async with house(gateways=ON) as made, made.client() as client:
        await client.ask(chat())
        await client.ask(chat("hit", cf_aig_custom_cost='{"total_cost": 3}'))
        row = await made.row("hit")
        assert (row.cached, row.cost, row.custom_cost) == (True, 0, False)


async def test_a_stream_comes_again_frame_for_frame():
    async with house(gateways=ON) as made, made.client() as client:
        miss = await client.ask(chat(body=STREAM, x_mock_frames="7", x_mock_pace="2", **MINE))
        hit = await client.ask(chat("hit", body=STREAM, **MINE))
        assert hit.headers[STATUS] == "HIT"
        assert len(miss.chunks) > 7
        assert hit.chunks == miss.chunks
        assert hit.headers["content-type"] == miss.headers["content-type"]
        assert b'"usage":{' not in hit.body  # the frame that was asked for and hidden is not in it
        assert (await made.row("hit")).tokens_out == 0
        assert decision(await made.row("hit"))["saved_tokens_out"] > 0
        assert upstream(made) == 1


async def test_streams_can_be_left_out():
    async with house(gateways={"default": {"cache_ttl": 600, "cache_streams": False}}) as made, made.client() as client:
        for _ in range(2):
            assert (await client.ask(chat(body=STREAM))).headers[STATUS] == "MISS"
            await client.ask(chat())
        assert upstream(made) == 3


async def test_without_a_time_and_without_a_key_nothing_is_cached():
    async with house() as made, made.client() as client:
        for _ in range(2):
            assert STATUS not in (await client.ask(chat("plain", cf_aig_cache_ttl="600"))).headers
        assert upstream(made) == 2
        assert [decision(row) for row in await made.rows("plain", 2)] == [None, None]


@pytest.mark.parametrize(
    ("gateway", "headers", "seconds"),
    [
        (0, {"cf-aig-cache-key": "k"}, 300),
        (0, {"cf-aig-cache-key": "k", "cf-aig-cache-ttl": "900"}, 900),
        (600, {"cf-aig-cache-key": "k"}, 600),
        (600, {"cf-aig-cache-ttl": "61"}, 61),
        (600, {"cf-cache-ttl": "62"}, 62),
        (600, {"cf-cache-ttl": "62", "cf-aig-cache-ttl": "63"}, 63),
        (600, {"cf-aig-cache-ttl": "1"}, 60),
        (600, {"cf-aig-cache-ttl": "99999999"}, 2_592_000),
        (600, {"cf-aig-cache-ttl": "soon"}, 600),
        (7, {}, 7),
        (600, {"cf-aig-cache-ttl": "0"}, None),
        (0, {"cf-aig-cache-key": "k", "cf-aig-cache-ttl": "0"}, None),
    ],
)
async def test_how_long_an_answer_is_kept(gateway, headers, seconds):
    async with house(gateways={"default": {"cache_ttl": gateway}}) as made, made.client() as client:
        await client.ask(request(event="call", headers=headers))
        told = decision(await made.row("call"))
        assert (told and told["ttl"]) == seconds


async def test_a_key_of_the_clients_own_stands_for_the_whole_call():
    async with house(gateways={"default": {}, "other": {}}) as made, made.client() as client:
        miss = await client.ask(chat(cf_aig_cache_key="mine"))
        hit = await client.ask(chat(body=b"{}", path="anthropic/v1/messages", cf_aig_cache_key="mine"))
        assert (hit.headers[STATUS], hit.body) == ("HIT", miss.body)
        elsewhere = await client.ask(request(gateway="other", headers={"cf-aig-cache-key": "mine"}))
        assert elsewhere.headers[STATUS] == "MISS"


def steps(*headers):
    """A call of two steps under one key of its own, OpenAI's and then Anthropic's, each with its headers."""
    places = [("openai", "chat/completions"), ("anthropic", "v1/messages")]
    body = {**json.loads(CHAT), "max_tokens": 9}
    listed = [
        {"provider": provider, "endpoint": endpoint, "headers": more, "query": body}
        for (provider, endpoint), more in zip(places, headers, strict=True)
    ]
    return request("", body=json.dumps(listed).encode(), headers={"cf-aig-cache-key": "mine"})


async def test_a_step_of_a_list_finds_under_such_a_key_what_its_client_can_read():
    async with house() as made, made.client() as client:
        told = []
        for headers in ({"x-mock-status": "500"}, {}, {}):
            answer = await client.ask(steps(headers, {}))
            kind = json.loads(answer.body).get("object", "message")
            told.append((answer.headers["cf-aig-step"], answer.headers[STATUS], kind))
        assert told == [("1", "MISS", "message"), ("0", "MISS", "chat.completion"), ("0", "HIT", "chat.completion")]


async def test_a_step_of_a_list_does_not_follow_what_its_client_cannot_read():
    async with house() as made, made.client() as client, made.client() as running:
        await running.send(chat(path="anthropic/v1/messages", x_mock_stall="head", cf_aig_cache_key="mine"))
        await made.mock.until(lambda stats: stats.requests_running == 1)
        answer = await client.ask(steps({}, {}))
        assert (answer.headers["cf-aig-step"], answer.headers[STATUS]) == ("0", "MISS")


@pytest.mark.parametrize("name", ["cf-aig-skip-cache", "cf-skip-cache"])
async def test_a_call_that_skips_the_cache_refreshes_it(name):
    async with house(gateways=ON) as made, made.client() as client:
        await client.ask(chat(**MINE))
        skipped = await client.ask(chat("skip", **{name: "true"}, x_mock_size="99", **MINE))
        assert skipped.headers[STATUS] == "MISS"
        assert decision(await made.row("skip"))["skipped"]
        hit = await client.ask(chat(**MINE))
        assert (hit.headers[STATUS], hit.body) == ("HIT", skipped.body)


@pytest.mark.parametrize(
    "fault",
    [
        {"x-mock-status": "500"},
        {"x-mock-status": "404"},
        {"x-mock-status": "201"},
        {"x-mock-error-body": "1"},
        {"x-mock-cut-bytes": "20"},
    ],
)
@pytest.mark.parametrize("body", [CHAT, STREAM])
async def test_only_whole_and_successful_answers_are_kept(fault, body):
    async with house(gateways=ON) as made:
        async with made.client() as client:
            await client.ask(request(body=body, headers=fault | {"cf-aig-cache-key": "mine"}, event="bad"))
        await made.row("bad")
        async with made.client() as client:
            assert (await client.ask(chat(body=body, **MINE))).headers[STATUS] == "MISS"


async def test_what_only_its_connections_end_ends_is_not_kept():
    half = answering(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{")
    async with (
        providing(half) as provider,
        house(gateways=ON, providers={"openai": provider.url}) as made,
        made.client() as client,
    ):
        for _ in range(2):
            answer = await client.ask(chat())
            assert (answer.status, answer.body, answer.headers[STATUS]) == (200, b"{", "MISS")


async def test_an_answer_whose_client_left_is_not_kept():
    async with house(gateways=ON) as made:
        async with made.client() as client:
            await client.send(chat("left", body=STREAM, x_mock_stall="3", **MINE))
            await client.head()
            await client.chunk()
        assert (await made.row("left")).outcome == "client_gone"
        async with made.client() as client:
            assert (await client.ask(chat(body=STREAM, **MINE))).headers[STATUS] == "MISS"
        await made.quiet()


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE"])
async def test_only_get_and_post_are_cached(method):
    async with house(gateways=ON) as made, made.client() as client:
        for _ in range(2):
            answer = await client.ask(request(method=method, headers={"x-mock-echo": "1", "cf-aig-cache-key": "mine"}))
            assert STATUS not in answer.headers


NUMBERS = count(1)


async def numbering(peer):
    """A provider that answers each request by another number."""
    while True:
        await peer.request()
        told = b'{"id":%d}' % next(NUMBERS)
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(told)
        await peer.say(head + told)


@asynccontextmanager
async def numbered():
    """A client of a gateway that caches, before such a provider."""
    async with (
        providing(numbering) as provider,
        house(gateways=ON, providers={"openai": provider.url}) as made,
        made.client() as client,
    ):
        yield client


CREATE = b'{"model":"m","input":"hi"}'


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "openai/conversations", b"{}"),
        ("POST", "openai/threads", b"{}"),
        ("POST", "openai/files", b"{}"),
        ("POST", "openai/batches", b"{}"),
        ("POST", "openai/videos", CREATE),
        ("POST", "openai/moderations", CREATE),
        ("POST", "openai/responses/resp_1/cancel", b"{}"),
        ("GET", "openai/batches/batch_1", None),
        ("GET", "openai/models", None),
        ("GET", "openai/chat/completions", None),
        ("POST", "openai/responses", b'{"model":"m","input":"hi","background":true}'),
        ("POST", "openai/responses", b"not to be read"),
        ("POST", "openai/responses", b'{"model":"m","input":"hi","conversation":"conv_1"}'),
        ("POST", "openai/responses", b'{"model":"m","input":"hi","previous_response_id":"resp_1"}'),
    ],
)
async def test_what_does_not_depend_on_the_request_alone_is_cached_under_a_key_of_the_clients_alone(method, path, body):
    async with numbered() as client:
        asked = [request(path, method=method, body=body) for _ in range(2)]
        plain = [await client.ask(one) for one in asked]
        assert plain[0].body != plain[1].body
        assert not any(STATUS in answer.headers for answer in plain)
        mine = request(path, method=method, body=body, headers={"cf-aig-cache-key": "mine"})
        assert (await client.ask(mine)).body == (await client.ask(mine)).body


@pytest.mark.parametrize(
    ("lines", "seen"),
    [
        ({"cache-control": "no-cache"}, ["MISS", "HIT", "MISS", "HIT"]),  # a refresh, which the last call gets
        ({"cache-control": "max-age=0, No-Cache"}, ["MISS", "HIT", "MISS", "HIT"]),
        ({"cache-control": "max-age=5", "Cache-Control": "no-cache"}, ["MISS", "HIT", "MISS", "HIT"]),
        ({"cache-control": "max-age=0"}, ["MISS", "HIT", "MISS", "HIT"]),
        ({"cache-control": 'private, No-Cache="x, y"'}, ["MISS", "HIT", "MISS", "HIT"]),
        ({"pragma": "no-cache"}, ["MISS", "HIT", "MISS", "HIT"]),
        ({"pragma": "no-cache", "cache-control": "max-age=60"}, ["MISS", "HIT", "HIT", "HIT"]),
        ({"cache-control": "no-store"}, ["MISS", "HIT", None, "HIT"]),
        ({"cache-control": "no-cache, no-store"}, ["MISS", "HIT", None, "HIT"]),
        ({"cache-control": "max-age=60, no-transform, min-fresh=0"}, ["MISS", "HIT", "HIT", "HIT"]),
    ],
)
@pytest.mark.parametrize("key", [{}, {"cf-aig-cache-key": "mine"}])
async def test_the_clients_cache_control_is_heeded(key, lines, seen):
    async with numbered() as client:
        answers = [await client.ask(request(headers=key | more)) for more in ({}, {}, lines, {})]
        assert [answer.headers.get(STATUS) for answer in answers] == seen
        assert (answers[2].body == answers[1].body) is (seen[2] == "HIT")
        assert (answers[3].body == answers[2].body) is (seen[2] is not None)


TOLD = {"connection": "keep-alive", "authorization": "Bearer sk-0123456789abcdef", "content-type": "application/json"}


@pytest.mark.parametrize(
    "other",
    [
        {"authorization": "Bearer sk-other-0123456789"},
        {"content-type": "text/plain"},
        {"connection": "authorization"},  # then it does not travel
        {"connection": "keep-alive, Content-Type"},
        {"authorization": ""},
        {"openai-organization": "org-2"},
        {"openai-project": "proj_2"},
        {"openai-beta": "assistants=v2"},
        {"ocp-apim-subscription-key": "0123456789abcdef"},
        {"x-amz-security-token": "0123456789abcdef"},
        {"x-goog-user-project": "p"},
        {"x-tenant": "b"},
        {"idempotency-key": "i"},
        {"accept": "application/json"},
    ],
)
async def test_whatever_travels_tells_callers_apart(other):
    async with numbered() as client:
        one, two = request(headers=TOLD), request(headers=TOLD | other)
        bodies = [(await client.ask(asked)).body for asked in (one, two, one, two)]
        assert bodies[:2] == bodies[2:]
        assert bodies[0] != bodies[1]


@pytest.mark.parametrize(
    "other",
    [
        {"user-agent": "OpenAI/Python 2"},
        {"connection": "close"},
        {"accept-encoding": "gzip"},
        {"x-stainless-retry-count": "1"},
        {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
        {"x-request-id": "r"},
        {"x-forwarded-for": "192.0.2.1"},
        {"cf-aig-metadata": '{"user":"b"}'},
        {"connection": "x-tenant", "x-tenant": "b"},  # nor does what does not travel
    ],
)
async def test_noise_does_not(other):
    async with numbered() as client:
        assert (await client.ask(request(headers=TOLD))).body == (await client.ask(request(headers=TOLD | other))).body


async def test_a_post_is_cached_by_its_query():
    async with house(gateways=ON) as made, made.client() as client:
        asked = [request(f"openai/chat/completions?api-version={n}") for n in (1, 2)]
        seen = [(await client.ask(one)).headers[STATUS] for one in (*asked, *asked)]
        assert seen == ["MISS", "MISS", "HIT", "HIT"]


async def test_a_large_request_is_held_whole_and_cached():
    body = b'{"model":"gpt-4o","messages":[{"role":"user","content":"%b"}]}' % (b"x" * 3_000_000)
    async with house(gateways=ON) as made, made.client() as client:
        seen = [(await client.ask(request(body=body))).headers[STATUS] for _ in range(2)]
        assert seen == ["MISS", "HIT"]
    async with house(gateways={"default": {}}) as made, made.client() as client:
        assert (await client.ask(request(body=body))).status == 200
        assert not made.server.app.plane.bounds.budget.used


async def test_an_answer_beyond_the_largest_that_is_kept_goes_through():
    async with house(gateways=ON, cache_answer_size=1000) as made, made.client() as client:
        for _ in range(2):
            answer = await client.ask(chat(x_mock_size="5000"))
            assert (answer.headers[STATUS], answer.whole) == ("MISS", True)
    await asyncio.sleep(0)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate"])
@pytest.mark.parametrize("body", [CHAT, STREAM])
async def test_who_does_not_take_a_coding_gets_the_answer_without(coding, body):
    async with house(gateways=ON) as made, made.client() as client:
        key = {"cf-aig-cache-key": "k"}
        plain = await client.ask(request(body=body, headers={"cf-aig-cache-key": "plain"}))
        coded = await client.ask(
            request(
                body=body, headers=key | {"accept-encoding": coding, "x-mock-encoding": coding, "x-mock-usage": "none"}
            )
        )
        same = await client.ask(request(body=body, headers=key | {"accept-encoding": f"{coding};q=0.5, identity"}))
        other = await client.ask(request(body=body, headers=key | {"accept-encoding": "identity"}))
        silent = await client.ask(request(body=body, headers=key))
        assert [answer.headers[STATUS] for answer in (coded, same, other, silent)] == ["MISS", "HIT", "HIT", "HIT"]
        if "content-encoding" in coded.headers:
            assert (same.headers["content-encoding"], same.body) == (coding, coded.body)
        assert "content-encoding" not in other.headers
        assert other.body == silent.body
        assert len(other.body) > len(plain.body) / 2


async def test_of_many_identical_calls_at_once_one_goes_upstream():
    async with house(gateways=ON) as made:

        async def call(number):
            async with made.client() as client:
                return await client.ask(chat(f"many-{number}", body=STREAM, x_mock_pace="2", x_mock_delay="20"))

        answers = await asyncio.gather(*(call(number) for number in range(60)))
        assert upstream(made) == 1
        assert {answer.body for answer in answers} == {answers[0].body}
        assert {tuple(answer.chunks) for answer in answers} == {tuple(answers[0].chunks)}
        rows = [await made.row(f"many-{number}") for number in range(60)]
        assert sorted(row.cached for row in rows) == [False] + [True] * 59
        (leader,) = [row for row in rows if not row.cached]
        assert leader.cost
        assert all(
            decision(row)["shared"] and decision(row)["saved_cost"] == leader.cost / 1e9 for row in rows if row.cached
        )
        assert sum(row.cost or 0 for row in rows) == leader.cost
        await made.quiet()


@pytest.mark.parametrize("stall", ["head", "3"])
async def test_a_leader_whose_client_leaves_goes_on_for_its_followers(stall):
    """Until the last of them leaves, too."""
    async with house(gateways=ON) as made, made.client() as follower, made.client() as another:
        async with made.client() as leader:
            await leader.send(chat("leader", body=STREAM, x_mock_stall=stall, **MINE))
            await made.mock.until(lambda stats: stats.requests_running > 0)
            await follower.send(chat("follower", body=STREAM, **MINE))
            await another.send(chat("another", body=STREAM, **MINE))
            await until(lambda: len(made.server.app.plane.calls) == 3)
        await asyncio.sleep(0.02)
        assert made.mock.stats()["requests_running"] == 1
        follower.close()
        assert (await made.row("follower")).outcome == "client_gone"
        assert made.mock.stats()["requests_running"] == 1
        another.close()
        await made.mock.until(lambda stats: not stats.requests_running)
        assert (await made.row("leader")).outcome == "client_gone"


async def test_what_a_leader_brings_home_without_its_client_is_charged_and_kept():
    async with house(gateways=ON) as made, made.client() as follower:
        async with made.client() as leader:
            await leader.send(chat("leader", body=STREAM, x_mock_pace="10", x_mock_frames="10", **MINE))
            await leader.head()
            await follower.send(chat("follower", body=STREAM, **MINE))
            await until(lambda: len(made.server.app.plane.calls) == 2)
        answer = await follower.answer()
        assert answer.whole and answer.body.endswith(b"data: [DONE]\n\n")
        row = await made.row("leader")
        assert row.outcome == "client_gone"
        assert row.cost
        assert (await follower.ask(chat("later", body=STREAM, **MINE))).headers[STATUS] == "HIT"
        assert upstream(made) == 1


async def test_an_answer_that_may_not_be_kept_is_not_shared_either():
    async with house(gateways=ON) as made:

        async def call():
            async with made.client() as client:
                return await client.ask(chat(x_mock_delay="20", x_mock_status="503"))

        answers = await asyncio.gather(*(call() for _ in range(5)))
        assert {answer.status for answer in answers} == {503}
        assert {answer.headers[STATUS] for answer in answers} == {"MISS"}
        assert upstream(made) == 5


async def test_followers_of_a_stream_that_breaks_are_told_so():
    async with house(gateways=ON) as made:

        async def call(event, **headers):
            async with made.client() as client:
                return await client.ask(chat(event, body=STREAM, **headers))

        faulty = {"x_mock_cut_frames": "4", "x_mock_pace": "10"}
        answers = await asyncio.gather(call("one", **faulty), call("two", **faulty))
        assert upstream(made) == 1
        assert not any(answer.whole for answer in answers)
        assert answers[0].body == answers[1].body
        assert b'"error"' in answers[0].body
        for event in ("one", "two"):
            row = await made.row(event)
            assert (row.outcome, row.success) == ("broken", False)


async def test_half_an_answer_is_a_failure_of_its_followers_too_and_saves_nothing():
    joined = asyncio.Event()

    async def serve(peer):
        await peer.request()
        await peer.say(SSE)
        await joined.wait()
        await peer.say(b"0\r\n\r\n")

    async with (
        providing(serve) as provider,
        house(gateways=ON, providers={"openai": provider.url}) as made,
        made.client() as leader,
        made.client() as follower,
    ):
        await leader.send(chat("leader", body=STREAM))
        await leader.head()
        await follower.send(chat("follower", body=STREAM))
        await follower.head()
        joined.set()
        rows = [await made.row(event) for event in ("leader", "follower")]
        assert [(row.cached, row.success, row.outcome) for row in rows] == [
            (False, False, "answered"),
            (True, False, "answered"),
        ]
        assert not made.server.app.telemetry.saved_cost.values


async def test_a_slow_client_keeps_no_other_waiting():
    """Neither the leader nor a follower; and nothing is lost to it when it reads on."""
    async with house(gateways=ON) as made, made.client(1 << 16) as leader, made.client(1 << 16) as slow:
        size = 8_000_000
        await leader.send(chat("leader", x_mock_size=str(size), x_mock_frames="400", **MINE))
        await made.mock.until(lambda stats: stats.requests_running > 0)
        leader.deafen()
        await slow.send(chat("slow", **MINE))
        slow.deafen()
        async with made.client() as quick:
            answer = await quick.ask(chat("quick", **MINE))
            assert answer.whole and len(answer.body) > size
        leader.undeafen()
        slow.undeafen()
        for client in (leader, slow):
            assert (await client.answer()).body == answer.body
        assert upstream(made) == 1


@pytest.mark.parametrize("stays", [True, False])
async def test_what_a_slow_client_has_still_to_get_counts_as_held(stays):
    async with house(gateways=ON) as made, made.client() as leader:
        held = made.server.app.answers
        async with made.client(1 << 16) as slow:
            size = 8_000_000
            await leader.send(chat("leader", x_mock_size=str(size), x_mock_frames="400", **MINE))
            await made.mock.until(lambda stats: stats.requests_running > 0)
            await slow.send(chat("slow", **MINE))
            slow.deafen()
            answer = await leader.answer()
            assert (await made.row("leader")).cached is False
            assert held.used > size
            if stays:
                slow.undeafen()
                assert (await slow.answer()).body == answer.body
        await until(lambda: held.used == 0)
        assert (await made.row("slow")).cached is True


@pytest.mark.parametrize("kind", [CHAT, STREAM])
@pytest.mark.parametrize("stays", [True, False])
async def test_a_large_hit_goes_out_as_its_client_reads_and_counts_as_held_until_then(kind, stays):
    size = 8_000_000
    async with house(gateways=ON, answer_memory=60_000_000) as made, made.client() as client:
        held = made.server.app.answers
        miss = await client.ask(chat("miss", body=kind, x_mock_size=str(size), x_mock_frames="400", **MINE))
        await until(lambda: held.used == 0)
        async with made.client(1 << 16) as slow, made.client(1 << 16) as second:
            for one in (slow, second):
                await one.send(chat(body=kind, **MINE))
                one.deafen()
            await until(lambda: held.used >= 2 * size)
            assert len(made.server.app.plane.calls) == 2  # they are not done
            # there is no room for a third: it is as if there were nothing to answer it by
            assert (await client.ask(chat("third", body=kind, x_mock_status="503", **MINE))).status == 503
            if stays:
                for one in (slow, second):
                    one.undeafen()
                    hit = await one.answer()
                    assert (hit.headers[STATUS], hit.body) == ("HIT", miss.body)
                    assert hit.chunks == miss.chunks
        await until(lambda: held.used == 0)


async def test_beyond_what_is_kept_all_go_at_the_pace_of_the_slowest():
    async with house(gateways=ON, cache_answer_size=100_000) as made, made.client(1 << 16) as leader:
        size = 30_000_000
        await leader.send(chat("leader", x_mock_size=str(size), x_mock_frames="400"))
        await leader.head()
        leader.deafen()
        assert made.server.app.answers.used < 20_000_000
        assert made.mock.stats()["requests_running"] == 1
        leader.close()
        await made.quiet()


async def test_what_is_held_of_an_answer_that_outgrew_its_place_counts_until_the_slowest_has_it():
    async def serve(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 12000000\r\n\r\n")
        await go.wait()
        for _ in range(120):
            await peer.say(b"x" * 100_000)
        await peer.gone()

    go = asyncio.Event()
    async with (
        providing(serve) as provider,
        house(gateways=ON, providers={"openai": provider.url}, cache_answer_size=10_000_000) as made,
        made.client() as leader,
        made.client(1 << 16) as slow,
    ):
        held = made.server.app.answers
        await leader.send(chat("leader", path="openai/audio/speech"))
        await leader.head()
        (flight,) = [call.step.flight for call in made.server.app.plane.calls]
        await slow.send(chat("slow", path="openai/audio/speech"))
        await slow.head()
        slow.deafen()
        go.set()
        assert flight is not None
        reading = asyncio.ensure_future(leader.reader.readexactly(12_000_000))
        await until(lambda: not flight.held)
        assert held.used >= flight.size - 1_000_000 > 1_000_000
        slow.undeafen()
        assert await slow.reader.readexactly(12_000_000) == await reading
        await until(lambda: held.used == 0)


@pytest.mark.parametrize("store", ["memory", "sqlite"])
async def test_a_refresh_that_is_too_large_to_keep_drops_what_is_older(store, tmp_path):
    async with (
        house(gateways=ON, cache_answer_size=5000, cache_store=store, data_dir=tmp_path) as made,
        made.client() as client,
    ):
        await client.ask(chat(**MINE))
        assert (await client.ask(chat(cf_aig_skip_cache="1", x_mock_status="500", **MINE))).status == 500
        assert (await client.ask(chat(**MINE))).headers[STATUS] == "HIT"
        await client.ask(chat(cf_aig_skip_cache="1", x_mock_size="20000", **MINE))
        assert (await client.ask(chat(**MINE))).headers[STATUS] == "MISS"


async def test_who_comes_when_an_answer_is_too_large_to_share_goes_by_itself():
    async def serve(peer):
        await peer.request()
        await peer.say(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 3000\r\n\r\n" + b"x" * 2000
        )
        arrived.set()
        await done.wait()
        await peer.say(b"x" * 1000)
        await peer.gone()

    arrived, done = asyncio.Event(), asyncio.Event()
    async with providing(serve) as provider:
        there = house(gateways=ON, providers={"openai": provider.url}, cache_answer_size=1000)
        async with there as made, made.client() as one, made.client() as two:
            await one.send(chat())
            await arrived.wait()
            await one.head()
            arrived.clear()
            await two.send(chat())
            await arrived.wait()
            done.set()
            assert provider.connections == 2


async def test_callers_with_different_keys_of_the_provider_share_nothing():
    async with house(gateways=ON) as made, made.client() as client:
        seen = [
            (await client.ask(chat(authorization=f"Bearer sk-of-{who}-0123456789"))).headers[STATUS]
            for who in ("ann", "bob", "ann")
        ]
        assert seen == ["MISS", "MISS", "HIT"]


async def test_why_it_was_a_hit_is_told_on_request():
    async with house(gateways=ON) as made, made.client() as client:
        plain = await client.ask(chat())
        assert "cf-aig-explain" not in plain.headers
        told = json.loads((await client.ask(chat("hit", cf_aig_explain="1"))).headers["cf-aig-explain"])
        row = decision(await made.row("hit"))
        assert told["decisions"]["cache"]["status"] == "HIT" == row["status"]
        assert told["decisions"]["cache"]["key"] == row["key"]
        assert told["decisions"]["cache"]["age"] >= 0
        assert told["upstream_ms"] == 0
        assert told["own_ms"] > 0
        assert "attempts" not in told
        miss = json.loads(
            (await client.ask(chat(body=CHAT.replace(b"hello", b"hi"), cf_aig_explain="1"))).headers["cf-aig-explain"]
        )
        assert miss["decisions"]["cache"]["status"] == "MISS"
        (attempt,) = miss["attempts"]
        assert (attempt["provider"], attempt["status"]) == ("openai", 200)
        assert 0 < attempt["ms"] <= miss["upstream_ms"]


@pytest.mark.parametrize(("attempts", "outcome"), [("1", (504, "MISS")), ("2", (200, "MISS"))])
async def test_a_follower_waits_for_a_head_no_longer_than_for_a_providers(attempts, outcome):
    """Where it may try again, it calls by itself then."""
    async with house(gateways=ON) as made, made.client() as leader, made.client() as follower:
        await leader.send(chat(x_mock_stall="head", **MINE))
        await made.mock.until(lambda stats: stats.requests_running > 0)
        answer = await follower.ask(
            chat("follower", cf_aig_request_timeout="30", cf_aig_max_attempts=attempts, cf_aig_explain="1", **MINE)
        )
        assert (answer.status, answer.headers[STATUS]) == outcome
        assert json.loads((await made.row("follower")).detail)["timings"]["upstream"] >= 30


async def test_a_follower_does_not_wait_for_the_retries_of_its_leader():
    async with house(gateways=ON) as made, made.client() as leader, made.client() as follower:
        asked = {"cf-aig-max-attempts": "3", "cf-aig-retry-delay": "60000"}
        asked |= {"x-mock-status": "503", "x-mock-delay": "30", "cf-aig-cache-key": "mine"}
        await leader.send(request(body=CHAT, headers=asked, event="leader"))
        await made.mock.until(lambda stats: stats.requests_running > 0)
        answer = await follower.ask(chat(**MINE))
        assert (answer.status, answer.headers[STATUS]) == (200, "MISS")
        assert (await follower.ask(chat(**MINE))).headers[STATUS] == "HIT"
        leader.close()
        assert (await made.row("leader")).outcome == "client_gone"


SSE = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\na\r\ndata: {}\n\n\r\n"


async def test_a_leader_whose_last_follower_goes_its_own_way_goes_on_for_nobody():
    served, go, closed = [], asyncio.Event(), asyncio.Event()

    async def serve(peer):
        await peer.request()
        served.append(peer.number)
        if len(served) == 1:
            await go.wait()
            await peer.say(SSE)
            await peer.gone()
            closed.set()
        else:
            await peer.say(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
            await peer.gone()

    gateways = {"default": {"cache_ttl": 600, "cache_streams": False}}
    async with (
        providing(serve) as provider,
        house(gateways=gateways, providers={"openai": provider.url}) as made,
        made.client() as follower,
    ):
        async with made.client() as leader:
            await leader.send(chat("leader", body=STREAM))
            await until(lambda: len(served) == 1)
            await follower.send(chat("follower", body=STREAM))
            await until(lambda: len(made.server.app.plane.calls) == 2)
        await until(lambda: any(call.client_gone for call in made.server.app.plane.calls))
        go.set()
        assert (await follower.answer()).body == b"{}"
        await asyncio.wait_for(closed.wait(), 5)
        assert (await made.row("leader")).outcome == "client_gone"


async def test_whoever_cannot_take_an_answers_coding_holds_nothing_of_it():
    served, go, closed = [], asyncio.Event(), asyncio.Event()

    async def serve(peer):
        await peer.request()
        served.append(peer.number)
        if len(served) == 1:
            odd = b"content-type: application/json\r\ncontent-encoding: x-odd\r\n"
            await peer.say(b"HTTP/1.1 200 OK\r\n" + odd + b"content-length: 5000000\r\n\r\n")
            await go.wait()
            await peer.say(b"x" * 4_000_000)
            await peer.gone()
            closed.set()
        else:
            await peer.gone()

    async with (
        providing(serve) as provider,
        house(gateways=ON, providers={"openai": provider.url}, cache_answer_size=1000) as made,
        made.client() as other,
    ):
        async with made.client() as leader:
            await leader.send(chat("leader"))
            await leader.head()
            (flight,) = [call.step.flight for call in made.server.app.plane.calls]
            await other.send(chat("other"))
            await until(lambda: len(served) == 2)
            go.set()
            await leader.reader.readexactly(4_000_000)
            assert flight is not None
            assert flight.frames == []
        await asyncio.wait_for(closed.wait(), 5)


async def test_an_answer_with_several_codings_is_taken_out_of_all_of_them():
    plain = b'{"a":"' + b"y" * 500 + b'"}'
    data = gzip.compress(gzip.compress(plain))

    async def serve(peer):
        while True:
            await peer.request()
            head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n" + 2 * b"content-encoding: gzip\r\n"
            await peer.say(head + b"content-length: %d\r\n\r\n" % len(data) + data)

    async with (
        providing(serve) as provider,
        house(gateways=ON, providers={"openai": provider.url}) as made,
        made.client() as client,
    ):
        assert (await client.ask(chat(accept_encoding="gzip"))).body == data
        hit = await client.ask(chat())
        assert (hit.headers[STATUS], hit.body) == ("HIT", plain)
        assert "content-encoding" not in hit.headers


FILE: dict[str, Any] = MINE | {"path": "openai/files/file-1/content"}


@asynccontextmanager
async def zeros(size, *, coding=gzip.compress, name="gzip", **settings):
    """A gateway whose provider answers with a few bytes that decode to so many."""
    data = coding(bytes(size))
    head = b"content-type: application/octet-stream\r\ncontent-encoding: %b\r\n" % name.encode()
    reply = b"HTTP/1.1 200 OK\r\n" + head + b"content-length: %d\r\n\r\n" % len(data) + data
    async with (
        providing(answering(*[reply] * 3)) as provider,
        house(gateways=ON, providers={"openai": provider.url}, **settings) as made,
        made.client() as first,
    ):
        assert (await first.ask(chat(accept_encoding=name, **FILE))).body == data
        yield made


CODERS = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstandard.compress, "deflate": zlib.compress}


@pytest.mark.parametrize("coding", CODERS)
async def test_what_a_cached_answer_decodes_to_comes_as_its_client_reads_and_counts(coding):
    size = 20_000_000
    async with zeros(size, coding=CODERS[coding], name=coding) as made, made.client(1 << 16) as slow:
        app = made.server.app
        assert app._outside is not None
        connections = app._outside.connections
        await slow.send(chat("slow", **FILE))
        await slow.head()
        slow.deafen()
        await until(lambda: any(connection._unread for connection in connections))
        assert sum(connection.transport.get_write_buffer_size() for connection in connections) < 1 << 20
        assert 0 < app.answers.used < size / 2
        slow.undeafen()
        got = 0
        while part := await slow.chunk():
            assert not part.strip(b"\0")
            got += len(part)
        assert got == size
        await until(lambda: not app.answers.used)
        assert (await made.row("slow")).cached is True


async def test_where_there_is_no_room_to_decode_an_answer_it_is_as_if_there_were_none():
    async with zeros(1_000_000, answer_memory=60_000) as made, made.client() as client:
        answer = await client.ask(chat(**FILE))
        assert (answer.headers[STATUS], answer.headers["content-encoding"]) == ("MISS", "gzip")


async def test_a_kept_answer_that_cannot_be_decoded_is_asked_for_again():
    async with zeros(1_000, coding=lambda data: b"no gzip" + data) as made, made.client() as client:
        assert (await client.ask(chat(**FILE))).headers[STATUS] == "MISS"
