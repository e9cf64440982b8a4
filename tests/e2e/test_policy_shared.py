"""Limits, cache and retries in two processes that share PostgreSQL and Redis, and without Redis."""

import asyncio
import itertools
import json
import os
import signal
import time
from collections import Counter
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from tests.kit import services
from tests.kit.client import connected
from tests.kit.house import request
from tests.kit.process import eventually
from tests.kit.several import control, each, several
from tests.kit.store import OPEN

pytestmark = pytest.mark.asyncio(loop_scope="module")

STATUS = "cf-aig-cache-status"
STREAM = b'{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello"}]}'
AT = "/accounts/{account}/ai-gateway/gateways"
LONG = {"rate_limiting_interval": 10**6}
TIMER = 1  # milliseconds to which the loop's timers are exact


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there(tmp_path_factory):
    async with several(tmp_path_factory.mktemp("policy")) as server:
        yield server


async def made(server, clients, gateway, **settings):
    """Returns when every process serves the gateway."""
    await server.make_gateway(gateway, **settings)
    for client in clients:
        await until_answered(client, request(gateway=gateway, method="GET", path="openai/models", body=None), 200)


async def until_answered(client, asked, status):
    async def answered():
        return (await client.ask(asked)).status == status

    await until_true(answered)


async def until_true(condition):
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("technique", ["fixed", "sliding"])
async def test_of_many_calls_through_two_processes_exactly_the_limit_passes(there, technique):
    gateway = f"limited-{technique}"
    await there.make_gateway(gateway, **LONG, rate_limiting_limit=200, rate_limiting_technique=technique)
    async with AsyncExitStack() as opened:
        clients = [await opened.enter_async_context(connected(there.port)) for _ in range(64)]

        async def call(client):
            seen = [await client.ask(request(gateway=gateway)) for _ in range(8)]
            return [(answer.status, "retry-after" in answer.headers) for answer in seen if answer.status != 400]

        for client in clients:  # every process has heard of it; these calls find no place of their own
            await until_true(lambda client=client: known(client, gateway))
        found = list(itertools.chain(*await asyncio.gather(*(call(client) for client in clients))))
    counted = (
        f'penstock_calls_total{{account="{there.account}",gateway="{gateway}",outcome="answered",provider="openai"}}'
    )
    let_in = (await there.metrics()).get(counted)
    assert let_in == 200
    assert len(found) == 512
    assert set(found) <= {(200, False), (429, True)}


async def known(client, gateway):
    return (await client.ask(request(gateway=gateway))).status != 400


async def test_what_one_process_caches_the_other_has_frame_for_frame(there):
    async with each(there) as clients:
        one, two = clients.values()
        await made(there, (one, two), "cached", cache_ttl=600)
        for body in (STREAM, STREAM.replace(b'"stream":true,', b"")):
            asked = request(gateway="cached", body=body, headers={"x-mock-pace": "2"})
            miss = await one.ask(asked)
            assert miss.headers[STATUS] == "MISS"

            async def hit(asked=asked, miss=miss):
                answer = await two.ask(asked)
                assert (answer.chunks, answer.body) == (miss.chunks, miss.body)
                return answer.headers[STATUS] == "HIT"

            await until_true(hit)


@pytest.mark.parametrize("how", ["purge", "by key", "put"])
async def test_what_is_dropped_through_one_process_is_gone_in_both(there, how):
    gateway = f"dropped-{how.replace(' ', '-')}"
    async with each(there) as clients:
        one, two = clients.values()
        await made(there, (one, two), gateway, cache_ttl=600, cache_invalidate_on_update=True)
        asked = request(gateway=gateway, headers={"cf-aig-cache-key": "mine"})

        async def hits(client):
            return (await client.ask(asked)).headers[STATUS] == "HIT"

        await until_true(lambda: hits(one))
        await until_true(lambda: hits(two))
        if how == "put":
            body = dict(OPEN) | {"cache_ttl": 700, "cache_invalidate_on_update": True}
            answer = await two.ask(control(there, "PUT", f"{AT}/{gateway}", body))
        else:
            body = {"cache_key": "mine"} if how == "by key" else {}
            answer = await two.ask(control(there, "POST", f"{AT}/{gateway}/purge_cache", body))
        assert answer.status == 200, answer.body

        async def gone():
            """The other process has heard of it: under that key it has nothing to drop."""
            told = await one.ask(control(there, "POST", f"{AT}/{gateway}/purge_cache", {"cache_key": "mine"}))
            return json.loads(told.body)["result"]["purged"] == 0

        await until_true(gone)
        assert (await one.ask(asked)).headers[STATUS] == "MISS"


async def test_retries_that_are_set_act_in_both(there):
    async with each(there) as clients:
        await made(there, clients.values(), "again", retry_max_attempts=3, retry_delay=0)
        for number, client in enumerate(clients.values()):
            headers = {"x-mock-status": "503", "cf-aig-explain": "1"}
            answer = await client.ask(request(gateway="again", headers=headers, event=f"again-{number}"))
            assert len(json.loads(answer.headers["cf-aig-explain"])["attempts"]) == 3
            slow = {"cf-aig-request-timeout": "30", "cf-aig-max-attempts": "1", "x-mock-stall": "head"}
            late = await client.ask(request(gateway="again", headers=slow))
            assert late.status == 504


@pytest.mark.parametrize(
    "policy", ["count", *(pytest.param(name, marks=pytest.mark.deep) for name in ("allow", "refuse"))]
)
async def test_redis_killed_under_load_loses_no_call_that_is_promised_and_counts_exactly_again(policy, tmp_path):
    alone = "penstock_limits_without_redis_total"
    with services.redis() as redis:
        environ = {"PENSTOCK_LIMITS_WITHOUT_REDIS": policy}
        async with several(tmp_path, redis=redis.url, **environ) as server:
            await server.make_gateway("limited", **LONG, rate_limiting_limit=10**6, cache_ttl=600)
            await server.make_gateway("afterwards", **LONG, rate_limiting_limit=200)
            seen, stopping, everybody = [], asyncio.Event(), asyncio.Barrier(8)

            async def decided(client, gateway):
                answer = await client.ask(request(gateway=gateway, headers={"cf-aig-explain": "1"}))
                limit = json.loads(answer.headers["cf-aig-explain"])["decisions"].get("limit", {})
                seen.append((gateway, answer.status, limit.get("by", "")))
                return limit.get("by", "")

            async def by_redis(client):
                return await decided(client, "limited") == "redis"

            async def caller(number):
                async with connected(server.port) as client:
                    for gateway in ("limited", "default"):
                        await until_answered(client, request(gateway=gateway), 200)
                    while not stopping.is_set():
                        await decided(client, ("limited", "default")[len(seen) % 2])
                    await until_true(lambda: by_redis(client))
                    await everybody.wait()  # in all processes it is back
                    return [(await client.ask(request(gateway="afterwards"))).status for _ in range(50)]

            callers = [asyncio.ensure_future(caller(number)) for number in range(8)]
            by = lambda who: sum(one[2] == who for one in seen)  # noqa: E731
            await eventually(lambda: by("redis") > 100)
            redis.kill()
            await eventually(lambda: by(policy) > 300)
            redis.start()
            back = len(seen)
            await eventually(lambda: sum(one[2] == "redis" for one in seen[back:]) > 300)
            stopping.set()
            afterwards = Counter(itertools.chain(*await asyncio.gather(*callers)))
            figures = await server.metrics()
            assert figures["penstock_cache_entries"] == 1  # one store, however many look into it
    refused = {("limited", 503, "refuse")} if policy == "refuse" else set()
    assert {one for one in seen if one[1] != 200} == refused
    assert {gateway for gateway, status, _ in seen if status == 200} == {"limited", "default"}
    assert afterwards == {200: 200, 429: 200}
    assert figures[f'{alone}{{policy="{policy}"}}'] == by(policy)


async def test_what_is_dropped_while_redis_hangs_is_dropped_in_both(tmp_path):
    with services.redis() as redis:
        async with several(tmp_path, redis=redis.url) as server, each(server) as clients:
            asked = request(gateway="mine", headers={"cf-aig-cache-key": "mine"})
            await made(server, clients.values(), "mine", cache_ttl=600)

            async def tells(client, status):
                return (await client.ask(asked)).headers[STATUS] == status

            for client in clients.values():
                await until_true(lambda client=client: tells(client, "HIT"))
            os.kill(redis.pid, signal.SIGSTOP)
            one, other = clients.values()
            assert await tells(one, "MISS")  # it has noticed
            purge = control(server, "POST", f"{AT}/mine/purge_cache", {"cache_key": "mine"})
            assert (await one.ask(purge)).status == 200
            os.kill(redis.pid, signal.SIGCONT)
            explained = request(gateway="mine", headers={"cf-aig-cache-key": "mine", "cf-aig-explain": "1"})
            purged = time.monotonic()

            async def has_it_anew(client):
                told = json.loads((await client.ask(explained)).headers["cf-aig-explain"])["decisions"]["cache"]
                assert told.get("age", 0.0) <= time.monotonic() - purged, "a hit on what was dropped"
                return told["status"] == "HIT"

            await until_true(lambda: has_it_anew(one))
            await until_true(lambda: has_it_anew(other))


async def explained(client, gateway, body=None, **headers):
    """The answer's cache status, and what it says decided."""
    told = {name.replace("_", "-"): value for name, value in headers.items()} | {"cf-aig-explain": "1"}
    more = {} if body is None else {"body": body}
    answer = await client.ask(request(gateway=gateway, headers=told, **more))
    return answer.headers.get(STATUS), json.loads(answer.headers["cf-aig-explain"])


async def test_each_header_of_the_cache_acts_in_both(there):
    async with each(there) as clients:
        await made(there, clients.values(), "headers", cache_ttl=600)
        await made(there, clients.values(), "no-streams", cache_ttl=600, cache_streams=False)
        await made(there, clients.values(), "off")
        for number, client in enumerate(clients.values()):
            body = b'{"model":"gpt-4o","messages":[{"role":"user","content":"%d"}]}' % number
            for name, seconds in (("cf_aig_cache_ttl", 61), ("cf_cache_ttl", 62)):
                _, told = await explained(client, "headers", body + b" " * seconds, **{name: str(seconds)})
                assert told["decisions"]["cache"]["ttl"] == seconds
            for name in ("cf_aig_skip_cache", "cf_skip_cache"):
                assert (await explained(client, "headers", body, **{name: "true"}))[0] == "MISS"
                assert (await explained(client, "headers", body))[0] == "HIT"
            for _ in range(2):
                assert (await explained(client, "no-streams", STREAM))[0] == "MISS"
                assert (await explained(client, "off", body))[0] is None
            assert (await explained(client, "off", body, cf_aig_cache_key=f"k{number}"))[0] == "MISS"
            assert (await explained(client, "off", b"{}", cf_aig_cache_key=f"k{number}"))[0] == "HIT"


@pytest.mark.parametrize(
    ("settings", "headers", "growth"),
    [
        ({"retry_max_attempts": 3, "retry_delay": 8, "retry_backoff": "constant"}, {}, 1),
        ({}, {"cf_aig_max_attempts": "3", "cf_aig_retry_delay": "8", "cf_aig_backoff": "linear"}, 2),
        ({"retry_max_attempts": 3, "retry_delay": 60_000}, {"cf_aig_retry_delay": "8"}, 2),
    ],
)
async def test_how_a_wait_grows_is_said_by_settings_and_headers_in_both(there, settings, headers, growth):
    """Few calls: the budget of further attempts allows ten in each process."""
    async with each(there) as clients:
        gateway = f"waits-{len(settings)}-{len(headers)}"
        await made(there, clients.values(), gateway, **settings)
        for client in clients.values():
            _, told = await explained(client, gateway, x_mock_status="503", **headers)
            first, second = (attempt["waited"] for attempt in told["attempts"][1:])
            assert first >= 4 - TIMER
            assert second >= 4 * growth - TIMER
