"""Trying again, and for how long to wait, on a real server."""

import asyncio
import gzip
import json

import pytest

from penstock.core.retry_budget import FLOOR
from penstock.features import calls
from tests.kit.client import until
from tests.kit.house import ACCOUNT, envelope, house, request
from tests.kit.provider import OK, answering, providing
from tests.kit.store import OPEN, SECRET

THREE = {"cf-aig-max-attempts": "3", "cf-aig-retry-delay": "1"}
BUSY = b"HTTP/1.1 503 No\r\ncontent-length: 4\r\n\r\nbusy"


def attempts(row):
    return json.loads(row.detail)["attempts"]


def warnings(row):
    return json.loads(row.detail).get("warnings", [])


def refusing(status, then=b"", more=b""):
    """A provider that answers so once a connection, or, with ``then``, something else the next time."""
    return answering(b"HTTP/1.1 %d No\r\n%bcontent-length: 2\r\n\r\nno" % (status, more), *((then,) if then else ()))


@pytest.mark.parametrize(
    ("status", "again"),
    [
        *((status, True) for status in (408, 429, 500, 503, 524, 529)),
        *((status, False) for status in (400, 401, 403, 404, 413, 422, 501, 525)),
    ],
)
async def test_what_may_pass_is_tried_again_and_nothing_else(status, again):
    async with (
        providing(refusing(status, OK)) as provider,
        house(providers={"openai": provider.url}) as made,
        made.client() as client,
    ):
        answer = await client.ask(request(headers=THREE, event="call"))
        assert (answer.status, answer.body) == ((200, b"ok") if again else (status, b"no"))
        tried = attempts(await made.row("call"))
        assert [one["status"] for one in tried] == ([status, 200] if again else [status])
        if again:
            assert tried[1]["waited"] >= 0.5
            assert tried[1]["reused"]  # the first answer was read to its end
            assert made.server.app.telemetry.retries.values == {("openai",): 1}


QUOTA = b'{"error":{"message":"You have no credit left.","type":"insufficient_quota","code":"insufficient_quota"}}'
COUNTED = (
    b'{"error":{"message":"Too many requests, \\"code\\": \\"insufficient_quota\\".","code":"rate_limit_exceeded"}}'
)
LATER = b'{"error":{"code":429,"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"61.5s"}]}}'
SOON = LATER.replace(b"61.5s", b"0.1s")


@pytest.mark.parametrize(
    ("status", "headers", "body", "why"),
    [
        (429, b"x-should-retry: false", b"no", "x-should-retry: false"),
        (503, b"X-Should-Retry:  False ", b"no", "x-should-retry: false"),
        (503, b"x-should-retry: true", b"no", ""),
        (429, b"retry-after: 61", b"no", "61 seconds"),
        (503, b"retry-after: 99999999999999", b"no", "99999999999999 seconds"),
        (429, b"retry-after-ms: 60001", b"no", "60 seconds"),
        (529, b"retry-after: Fri, 31 Dec 2100 23:59:59 GMT", b"no", "seconds"),
        (429, b"x-any: 1", LATER, "62 seconds"),
        (429, b"x-any: 1", SOON, ""),
        (503, b"x-any: 1", LATER, "62 seconds"),
        (503, b"x-any: 1", SOON, ""),
        (503, b"x-any: 1", QUOTA, "insufficient_quota"),
        (429, b"x-any: 1", QUOTA, "insufficient_quota"),
        (429, b"x-any: 1", QUOTA.replace(b"insufficient_quota", b"billing_hard_limit_reached"), "billing_hard_limit"),
        (429, b"content-encoding: gzip", gzip.compress(QUOTA, mtime=0), "insufficient_quota"),
        (429, b"x-any: 1", b"[%b]" % QUOTA, "insufficient_quota"),
        (429, b"x-any: 1", COUNTED, ""),
        (429, b"content-encoding: gzip", b"no gzip", ""),
        (429, b"content-encoding: of-no-kind", b"no", ""),
        (429, b"x-any: 1", b"x" * 20_000 + QUOTA, ""),
    ],
)
async def test_a_provider_that_says_that_no_other_try_will_do_is_heeded(status, headers, body, why):
    first = b"HTTP/1.1 %d No\r\n%b\r\ncontent-length: %d\r\n\r\n%b" % (status, headers, len(body), body)
    async with (
        providing(answering(first, OK)) as provider,
        house(providers={"openai": provider.url}) as made,
        made.client() as client,
    ):
        answer = await client.ask(request(headers=THREE | {"accept-encoding": "gzip"}, event="final"))
        assert (answer.status, answer.body) == ((status, body) if why else (200, b"ok"))
        row = await made.row("final")
        assert len(attempts(row)) == (1 if why else 2)
        said = [warning for warning in warnings(row) if warning.startswith("not tried again: the provider ")]
        assert [why in warning for warning in said] == [True] * bool(why)
        if b"retry-after" in headers:
            name, _, value = headers.decode().partition(": ")
            assert answer.headers[name] == value


async def test_an_error_whose_body_does_not_come_is_tried_again(monkeypatch):
    monkeypatch.setattr(calls, "_PATIENCE", 0.05)

    async def serve(peer):
        await peer.request()
        if peer.number == 1:
            await peer.say(b"HTTP/1.1 429 No\r\ncontent-length: 9\r\n\r\nno")
            await peer.gone()
        await peer.say(OK)

    async with (
        providing(serve) as provider,
        house(providers={"openai": provider.url}) as made,
        made.client() as client,
    ):
        answer = await client.ask(request(headers=THREE))
        assert (answer.status, answer.body) == (200, b"ok")


async def test_a_client_that_leaves_while_an_error_is_read_leaves_nothing_open():
    async def serve(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 429 No\r\ncontent-length: 9\r\n\r\nno")
        said.set()
        await peer.gone()

    said = asyncio.Event()
    async with providing(serve) as provider, house(providers={"openai": provider.url}) as made:
        async with made.client() as client:
            await client.send(request(headers=THREE, event="left"))
            await said.wait()
        assert (await made.row("left")).outcome == "client_gone"
        await until(lambda: not provider.open)


async def test_a_body_that_goes_on_coming_between_two_attempts_is_sent_whole():
    """The provider refuses it amid the upload: what comes while the gateway waits must not be lost for the next try."""
    waiting, bodies = asyncio.Event(), []

    async def serve(peer):
        if peer.number == 1:
            await peer.reader.readuntil(b"\r\n\r\n")
            await peer.say(b"HTTP/1.1 503 No\r\nconnection: close\r\ncontent-length: 4\r\n\r\nbusy")
            await peer.gone()
            waiting.set()
            return
        bodies.append((await peer.request()).partition(b"\r\n\r\n")[2])
        await peer.say(OK)

    async with (
        providing(serve) as provider,
        house(providers={"openai": provider.url}, hold_body=100, log_body_limit=1000) as made,
        made.client() as client,
    ):
        body = bytes(range(200)) + b"x" * 100_000
        asked = request("openai/x", headers=THREE | {"cf-aig-retry-delay": "300"}, body=body, event="amid")
        await client.send(asked[:-100_000])
        await waiting.wait()
        await client.send(asked[-100_000:])
        assert (await client.answer()).body == b"ok"
        assert bodies == [body]
        assert [one["status"] for one in attempts(await made.row("amid"))] == [503, 200]


async def test_a_request_that_a_closed_connection_lost_stands_in_the_row():
    async def serve(peer):
        await peer.request()
        await peer.say(OK)
        if peer.number == 1:
            await peer.reader.readexactly(5)
        else:
            await peer.gone()

    async with (
        providing(serve) as provider,
        house(providers={"openai": provider.url}) as made,
        made.client() as client,
    ):
        made.server.app.transport._limits.unread = 5.0  # a slow machine is no fault of the code
        for event in ("first", "second"):
            assert (await client.ask(request(event=event))).body == b"ok"
        lost, served = attempts(await made.row("second"))
        assert (lost["reused"], "sent again" in lost["error"], "status" in lost) == (True, True, False)
        assert (served.get("reused", False), served["status"]) == (False, 200)
        assert served["began"] == pytest.approx(lost["began"] + lost["duration"])


async def test_a_call_that_a_provider_took_is_made_once():
    """It took the request on a connection that had served before, worked, and went: a second one may be paid twice."""

    async def serve(peer):
        await peer.request()
        await peer.say(OK)
        await peer.request()
        await asyncio.sleep(0.3)

    async with (
        providing(serve) as provider,
        house(providers={"openai": provider.url}) as made,
        made.client() as client,
    ):
        assert (await client.ask(request())).status == 200
        assert (await client.ask(request(event="once"))).status == 502
        assert (len(attempts(await made.row("once"))), provider.connections) == (1, 1)


async def test_without_a_word_nothing_is_tried_again():
    async with house() as made, made.client() as client:
        assert (await client.ask(request(headers={"x-mock-status": "503"}, event="call"))).status == 503
        assert len(attempts(await made.row("call"))) == 1


@pytest.mark.parametrize(
    ("settings", "headers", "count"),
    [
        ({"retry_max_attempts": 4, "retry_delay": 0}, {}, 4),
        ({"retry_max_attempts": 4, "retry_delay": 0}, {"cf-aig-max-attempts": "2"}, 2),
        ({"retry_max_attempts": 4, "retry_delay": 60_000}, {"cf-aig-retry-delay": "0"}, 4),
        ({"retry_delay": 0, "retry_backoff": "linear"}, {"cf-aig-max-attempts": "5"}, 5),
        ({"retry_delay": 0, "retry_backoff": "constant"}, {}, 1),
    ],
)
async def test_how_often_is_said_by_the_gateway_and_before_it_by_the_call(settings, headers, count):
    async with house(gateways={"default": settings}) as made, made.client() as client:
        answer = await client.ask(request(headers={"x-mock-status": "503", **headers}, event="call"))
        assert answer.status == 503
        assert b"error" in answer.body  # the provider's own, as it is
        row = await made.row("call")
        assert len(attempts(row)) == count == made.mock.stats()["requests_begun"]
        assert (row.status_code, row.success, row.outcome) == (503, False, "answered")


async def test_a_setting_acts_on_the_next_call():
    body = json.dumps(dict(OPEN) | {"retry_max_attempts": 3, "retry_delay": 0}).encode()
    head = f"PUT /client/v4/accounts/{ACCOUNT}/ai-gateway/gateways/default HTTP/1.1\r\nhost: x\r\n"
    head += f"authorization: Bearer {SECRET}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    async with house() as made, made.client() as client:
        assert (await client.ask(head.encode() + body)).status == 200
        await client.ask(request(headers={"x-mock-status": "503"}, event="call"))
        assert len(attempts(await made.row("call"))) == 3


async def test_the_same_bytes_are_sent_again():
    seen = []

    async def serve(peer):
        seen.append(await peer.request())
        await peer.say(BUSY if len(seen) < 3 else OK)
        if len(seen) < 3:
            seen.append(await peer.request())
            await peer.say(BUSY if len(seen) < 3 else OK)

    body = bytes(range(256)) * 40
    async with providing(serve) as provider, house(providers={"openai": provider.url}) as made, made.client() as client:
        answer = await client.ask(request(body=body, headers={**THREE, "x-own": "1"}))
        assert answer.body == b"ok"
    assert len(seen) == 3
    assert len(set(seen)) == 1
    assert seen[0].endswith(body)


@pytest.mark.parametrize("fault", ["refused", "reset", "closed"])
async def test_a_provider_that_cannot_be_reached_is_tried_again(fault, unused_tcp_port):
    async def serve(peer):
        if fault == "reset":
            await peer.request()
            peer.writer.transport.abort()
        else:
            peer.writer.close()

    async with providing(serve) as provider:
        url = f"http://127.0.0.1:{unused_tcp_port}" if fault == "refused" else provider.url
        async with house(providers={"openai": url}) as made, made.client() as client:
            envelope(await client.ask(request(headers=THREE, event="call")), 502, 2005)
            tried = attempts(await made.row("call"))
            assert len(tried) == 3
            assert all("error" in one for one in tried)


@pytest.mark.parametrize(
    ("said", "waits"),
    [
        (b"retry-after: 0\r\n", 0.5),
        (b"retry-after-ms: 30\r\n", 30),
        (b"retry-after: soon\r\n", 0.5),
        (b"retry-after: Wed, 21 Oct 2015 07:28:00 GMT\r\n", 0.5),
    ],
)
async def test_the_provider_may_ask_for_a_longer_wait(said, waits):
    async with (
        providing(refusing(429, OK, said)) as provider,
        house(providers={"openai": provider.url}) as made,
        made.client() as client,
    ):
        assert (await client.ask(request(headers=THREE, event="call"))).status == 200
        waited = attempts(await made.row("call"))[1]["waited"]
        assert waits <= waited < 10_000


async def test_a_lone_attempt_that_takes_too_long_is_timed_out():
    async with house() as made, made.client() as client:
        headers = {"cf-aig-request-timeout": "30", "x-mock-stall": "head"}
        answer = await client.ask(request(headers=headers, event="slow"))
        assert envelope(answer, 504, 2005) == "Request timed out"
        row = await made.row("slow")
        assert (row.status_code, row.outcome, row.success) == (504, "failed", False)
        (tried,) = attempts(row)
        assert tried["error"] == "Request timed out"
        await made.mock.until(lambda stats: not stats.requests_running)


async def test_the_last_of_several_attempts_waits_for_the_provider():
    calls = []

    async def serve(peer):
        calls.append(peer)
        await peer.request()
        if len(calls) < 3:
            await peer.gone()
        else:
            await asyncio.sleep(0.15)  # longer than the limit
            await peer.say(OK)

    async with (
        providing(serve) as provider,
        house(providers={"openai": provider.url}) as made,
        made.client() as client,
    ):
        answer = await client.ask(request(headers={**THREE, "cf-aig-request-timeout": "40"}, event="call"))
        assert answer.body == b"ok"
        tried = attempts(await made.row("call"))
        assert [one.get("error") for one in tried] == ["Request timed out", "Request timed out", None]
        await until(lambda: provider.open <= 1)


async def test_an_answer_that_has_begun_is_not_timed_out():
    async with house() as made, made.client() as client:
        headers = {"cf-aig-request-timeout": "200", "x-mock-frames": "12", "x-mock-pace": "25"}
        body = b'{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello"}]}'
        answer = await client.ask(request(body=body, headers=headers))
        assert (answer.status, answer.whole) == (200, True)


async def test_a_stream_that_breaks_after_its_head_is_not_tried_again():
    async with house() as made, made.client() as client:
        body = b'{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello"}]}'
        answer = await client.ask(request(body=body, headers={**THREE, "x-mock-cut-frames": "3"}, event="cut"))
        assert (answer.status, answer.whole) == (200, False)
        assert len(attempts(await made.row("cut"))) == 1


async def test_a_body_that_is_not_held_any_more_is_not_sent_again():
    async with house(hold_body=100, log_body_limit=100) as made, made.client() as client:
        answer = await client.ask(
            request("openai/x", body=b"x" * 3_000_000, headers={**THREE, "x-mock-status": "503"}, event="large")
        )
        assert answer.status == 503
        row = await made.row("large")
        assert len(attempts(row)) == 1
        assert any("too large to be held" in line for line in warnings(row))


async def test_a_client_that_leaves_meanwhile_ends_the_call():
    async with house() as made:
        async with made.client() as client:
            headers = {"cf-aig-max-attempts": "3", "cf-aig-retry-delay": "60000", "x-mock-status": "503"}
            await client.send(request(headers=headers, event="left"))
            await made.mock.until(lambda stats: stats.requests_begun > 0)
            await until(lambda: made.server.app.telemetry.retries.values)
            await asyncio.sleep(0.1)
        row = await made.row("left")
        assert (row.outcome, len(attempts(row))) == ("client_gone", 1)
        assert json.loads(row.detail)["timings"]["upstream"] >= 90  # the wait is nobody's own time
        await made.quiet()


async def test_further_attempts_stay_within_the_budget():
    async with house() as made:

        async def call(number):
            async with made.client() as client:
                headers = {**THREE, "cf-aig-max-attempts": "5", "x-mock-status": "503"}
                return (await client.ask(request(headers=headers, event=f"call-{number}"))).status

        statuses = await asyncio.gather(*(call(number) for number in range(100)))
        assert set(statuses) == {503}
        begun = made.mock.stats()["requests_begun"]
        assert 100 + FLOOR <= begun <= 100 + 100 // 5
        withheld = made.server.app.telemetry.retries_withheld.values[("openai",)]
        rows = [await made.row(f"call-{number}") for number in range(100)]
        assert sum(any("as may be" in line for line in warnings(row)) for row in rows) == withheld > 0
        assert sum(len(attempts(row)) for row in rows) == begun


async def test_the_waits_are_not_our_own_time():
    async with house() as made, made.client() as client:
        headers = {"cf-aig-max-attempts": "2", "cf-aig-retry-delay": "100", "x-mock-status": "503"}
        told = json.loads(
            (await client.ask(request(headers=headers | {"cf-aig-explain": "1"}, event="call"))).headers[
                "cf-aig-explain"
            ]
        )
        timings = json.loads((await made.row("call")).detail)["timings"]
        assert timings["total"] >= 50
        assert timings["upstream"] >= 50
        assert timings["overhead"] <= timings["total"] - 50
        assert told["own_ms"] <= timings["total"] - 50
        assert [one["status"] for one in told["attempts"]] == [503, 503]
        assert told["attempts"][1]["waited"] >= 50
        assert not any("host" in one for one in told["attempts"])


async def test_a_call_that_waits_for_no_provider_says_so():
    settings = {"cache_ttl": 600, "rate_limiting_interval": 3600, "rate_limiting_limit": 2}
    async with house(gateways={"default": settings}) as made, made.client() as client:
        for event, status in (("first", 200), ("hit", 200), ("refused", 429)):
            assert (await client.ask(request(event=event))).status == status
        for event in ("hit", "refused"):
            timings = json.loads((await made.row(event)).detail)["timings"]
            assert timings["upstream"] == 0
            assert timings["overhead"] == timings["total"] > 0
            assert 0 < timings["latency"] <= timings["total"]


async def test_a_client_that_leaves_while_the_provider_thinks_costs_none_of_our_own_time():
    async with house() as made:
        async with made.client() as client:
            await client.send(request(headers={"x-mock-stall": "head"}, event="left"))
            await made.mock.until(lambda stats: stats.requests_running > 0)
            await asyncio.sleep(0.1)
        row = await made.row("left")
        timings = json.loads(row.detail)["timings"]
        assert timings["upstream"] >= attempts(row)[0]["duration"] > 50


async def test_the_last_attempts_times_are_the_calls():
    """Not those of an answer before it that was not good enough."""
    calls = []

    async def serve(peer):
        calls.append(peer)
        await peer.request()
        if len(calls) == 1:
            await peer.say(BUSY)
            await peer.request()
        peer.writer.close()

    async with (
        providing(serve) as provider,
        house(providers={"openai": provider.url}) as made,
        made.client() as client,
    ):
        headers = {"cf-aig-max-attempts": "2", "cf-aig-retry-delay": "60"}
        envelope(await client.ask(request(headers=headers, event="call")), 502, 2005)
        timings = json.loads((await made.row("call")).detail)["timings"]
        waited = attempts(await made.row("call"))[1]["waited"]
        assert waited >= 30
        assert timings["latency"] == timings["total"]  # no head came that counts
        assert waited <= timings["upstream"] <= timings["total"]
