"""How many calls a gateway lets in, on a real server."""

import asyncio
import json

import pytest

from tests.kit.client import until
from tests.kit.house import ACCOUNT, envelope, house, request
from tests.kit.store import OPEN, SECRET

ONE_A_LONG_TIME = {"rate_limiting_interval": 10**6, "rate_limiting_limit": 1}
AT = f"/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways/default"


def put(**settings):
    body = json.dumps(dict(OPEN) | settings).encode()
    head = f"PUT {AT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SECRET}\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize("technique", ["fixed", "sliding", None])
async def test_a_call_too_many_is_refused_and_says_when_to_come_again(technique):
    async with (
        house(gateways={"default": ONE_A_LONG_TIME | {"rate_limiting_technique": technique}, "other": {}}) as made,
        made.client() as client,
    ):
        assert (await client.ask(request(event="first"))).status == 200
        answer = await client.ask(request(event="second"))
        assert envelope(answer, 429, 2003) == "Rate limited"
        wait = int(answer.headers["retry-after"])
        assert 1 <= wait <= 10**6 * 1.001
        assert (await client.ask(request(gateway="other"))).status == 200
        assert made.mock.stats()["requests_begun"] == 2
        row = await made.row("second")
        assert (row.status_code, row.success, row.cost, row.outcome) == (429, False, 0, "refused")
        told = json.loads(row.detail)["decisions"]["limit"]
        assert told.pop("retry_after") == pytest.approx(wait, abs=1)
        expected = {"technique": technique or "fixed", "interval": 10**6, "limit": 1, "used": 1, "by": "memory"}
        assert told == expected
        assert json.loads((await made.row("first")).detail)["decisions"]["limit"] == expected
        assert made.server.app.telemetry.rate_limited.values == {(ACCOUNT, "default"): 1}


@pytest.mark.parametrize(("interval", "limit"), [(0, 5), (60, 0), (None, 5), (60, None)])
async def test_without_an_interval_or_a_limit_there_is_none(interval, limit):
    off = {"rate_limiting_interval": interval, "rate_limiting_limit": limit}
    async with house(gateways={"default": off}) as made, made.client() as client:
        for _ in range(7):
            assert (await client.ask(request(event="free"))).status == 200
        assert all(json.loads(row.detail)["decisions"] == {} for row in await made.rows("free", 7))


async def test_what_the_cache_answers_takes_a_place_and_what_is_refused_takes_none():
    rule = {"rate_limiting_interval": 10**6, "rate_limiting_limit": 3, "cache_ttl": 600, "authentication": True}
    async with house(gateways={"default": rule}) as made, made.client() as client:
        asked = request(headers={"cf-aig-authorization": f"Bearer {SECRET}"})
        assert (await client.ask(request())).status == 401
        seen = [(await client.ask(asked)).status for _ in range(5)]
        assert seen == [200, 200, 200, 429, 429]
        assert made.mock.stats()["requests_begun"] == 1


async def test_further_attempts_take_no_place():
    rule = {"rate_limiting_interval": 10**6, "rate_limiting_limit": 2, "retry_max_attempts": 3, "retry_delay": 0}
    async with house(gateways={"default": rule}) as made, made.client() as client:
        seen = [(await client.ask(request(headers={"x-mock-status": "503"}))).status for _ in range(3)]
        assert seen == [503, 503, 429]
        assert made.mock.stats()["requests_begun"] == 6


async def test_a_change_acts_on_the_next_call_and_keeps_what_was_counted():
    async with house(gateways={"default": ONE_A_LONG_TIME}) as made, made.client() as client:
        assert (await client.ask(request())).status == 200
        assert (await client.ask(request())).status == 429
        assert (await client.ask(put(rate_limiting_interval=10**6, rate_limiting_limit=2))).status == 200
        assert [(await client.ask(request())).status for _ in range(2)] == [200, 429]
        assert (await client.ask(put(rate_limiting_interval=0, rate_limiting_limit=2))).status == 200
        assert (await client.ask(request())).status == 200


@pytest.mark.parametrize("technique", ["fixed", "sliding"])
async def test_of_thousands_at_once_exactly_the_limit_passes(technique):
    rule = {"rate_limiting_interval": 10**6, "rate_limiting_limit": 777, "rate_limiting_technique": technique}
    async with house(gateways={"default": rule | {"collect_logs": False}}) as made:

        async def caller():
            async with made.client() as client:
                return [(await client.ask(request())).status for _ in range(50)]

        seen = [status for statuses in await asyncio.gather(*(caller() for _ in range(50))) for status in statuses]
        assert (seen.count(200), seen.count(429), len(seen)) == (777, 1723, 2500)
        assert made.mock.stats()["requests_begun"] == 777


async def test_what_was_decided_is_told_on_request():
    async with house(gateways={"default": ONE_A_LONG_TIME}) as made, made.client() as client:
        asked = request(headers={"cf-aig-explain": "true"})
        for used, wait in ((1, False), (1, True)):
            told = json.loads((await client.ask(asked)).headers["cf-aig-explain"])["decisions"]
            assert (told["limit"]["used"], "retry_after" in told["limit"]) == (used, wait)


async def test_where_redis_is_away_and_nobody_may_count_a_call_is_answered_so(unused_tcp_port):
    there = house(
        gateways={"default": ONE_A_LONG_TIME, "free": {}},
        redis_url=f"redis://127.0.0.1:{unused_tcp_port}/0",
        limits_without_redis="refuse",
    )
    async with there as made, made.client() as client:
        answer = await client.ask(request(event="uncounted"))
        assert "Redis" in envelope(answer, 503, 2010)
        assert answer.headers["retry-after"] == "1"
        assert (await client.ask(request(gateway="free"))).status == 200
        assert json.loads((await made.row("uncounted")).detail)["decisions"]["limit"]["by"] == "refuse"
        assert made.server.app.telemetry.limits_alone.values == {("refuse",): 1}
        await until(lambda: not made.server.app.plane.calls)
