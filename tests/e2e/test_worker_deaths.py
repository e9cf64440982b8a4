"""What becomes of a server of several processes when one of them, or their parent, is stopped or killed under load."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack

import psutil
import pytest

from tests.kit.client import connected
from tests.kit.databases import SERVER, postgres_on
from tests.kit.house import request
from tests.kit.process import PATIENCE, Refused, eventually
from tests.kit.services import redis
from tests.kit.several import Load, all_run, each, gone, several
from tests.kit.store import OPEN

STREAM = b'{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello"}]}'
PACED = {"x-mock-frames": "30", "x-mock-pace": "40"}
LONG = {"x-mock-frames": "80", "x-mock-pace": "40"}
STALLED = {"x-mock-frames": "30", "x-mock-stall": "3"}
CALLS = 'penstock_calls_total{{account="{}",gateway="default",outcome="answered",provider="openai"}}'
WRITTEN = "penstock_log_rows_written_total"
GATEWAY = "/accounts/{account}/ai-gateway/gateways/default"


async def rows(server):
    """Event ids of all log rows."""
    return [row["event_id"] for row in await server.rows()]


TIMES = [1, pytest.param(3, marks=pytest.mark.deep)]


@pytest.mark.parametrize("times", TIMES)
async def test_a_killed_process_is_replaced_and_the_other_serves_on(tmp_path, times):
    async with several(tmp_path) as server:
        load = Load(server.port)
        async with load.running():
            seen = []
            for _ in range(times):
                await load.more(200)
                figures = await server.metrics()
                seen.append((figures[CALLS.format(server.account)], figures[WRITTEN]))
                members = server.members
                members[0].kill()
                await load.more(200)
                await all_run(server)
                assert {one.pid for one in server.members} & {one.pid for one in members} == {members[1].pid}
        assert seen == sorted(seen)
        assert [w for _, w in seen] == sorted(w for _, w in seen), "a total went back"
        assert load.refused == 0
        assert load.broken <= times * load.callers  # those that the killed processes had, and no others
        assert load.broken or times == 1  # one that is killed may have had none just then
        assert server.said.count("is started again") == times
        assert server.said.count("SIGKILL") == times
        assert await server.stop() == 0
        written = await rows(server)
        assert len(written) == len(set(written))
        assert len(written) >= seen[-1][1], "rows that were said to be written are gone"
        print("answered", len(load.answered), "of them without a row", len(set(load.answered) - set(written)))


@pytest.mark.parametrize("times", TIMES)
async def test_a_process_that_is_asked_to_end_hands_over_without_a_failed_call(tmp_path, times):
    async with several(tmp_path) as server:
        load = Load(server.port)
        async with load.running():
            for _ in range(times):
                await load.more(200)
                before = server.members
                before[0].terminate()
                await gone(before[:1])
                await all_run(server)
        assert (load.broken, load.refused) == (0, 0)
        assert await server.stop() == 0
        assert set(load.answered) <= set(await rows(server))


@pytest.mark.deep
async def test_the_others_end_whole_when_their_parent_is_killed(tmp_path):
    async with several(tmp_path) as server, AsyncExitStack() as opened:
        processes = psutil.Process(server.pid).children(recursive=True)
        assert len(processes) == 4  # two that serve, and their writers
        load = Load(server.port)
        streams = [await opened.enter_async_context(connected(server.port)) for _ in range(8)]
        for number, stream in enumerate(streams):
            await stream.send(request(headers=PACED, body=STREAM, event=f"stream-{number}"))
            await stream.head()
        async with load.running():
            await load.more(200)
            await server.kill()
            for stream in streams:
                assert b"data: [DONE]" in await stream.rest()
            await gone(processes)
        expected = {*load.answered, *(f"stream-{number}" for number in range(8))}
        assert expected <= set(await rows(server))


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.deep)])
async def test_a_stop_lets_running_calls_end_in_every_process_and_refuses_new_ones(tmp_path, number):
    async with several(tmp_path) as server, each(server) as clients, AsyncExitStack() as opened:
        more = [await opened.enter_async_context(connected(server.port)) for _ in range(14)]
        streams = [*clients.values(), *more]
        for stream in streams:
            await stream.send(request(headers=LONG, body=STREAM))
            await stream.head()
        server.send(number)
        async with asyncio.timeout(PATIENCE):
            while (told := await server.get("/readyz"))[0] == 200:  # on new connections
                await asyncio.sleep(0.01)
        assert (told[0], b"stopping" in told[1]) == (503, True)
        for stream in streams:
            assert b"data: [DONE]" in await stream.rest()
        assert await server.ended() == 0
        assert server.said == ""
        assert [row["outcome"] for row in await server.rows()] == ["answered"] * 16


@pytest.mark.deep
async def test_a_second_sigint_ends_all_at_once(tmp_path):
    async with several(tmp_path) as server, each(server) as clients:
        processes = psutil.Process(server.pid).children(recursive=True)
        for client in clients.values():
            await client.send(request(headers=STALLED, body=STREAM))
            await client.head()
        server.send(signal.SIGINT)
        async with asyncio.timeout(PATIENCE):
            while (await server.get("/readyz"))[0] == 200:
                await asyncio.sleep(0.01)
        assert await server.stop(signal.SIGINT) == 130
        await gone(processes)
        assert [row["outcome"] for row in await server.rows()] == ["cancelled"] * 2


async def test_a_start_without_redis_is_refused(tmp_path):
    with redis() as cache:
        url = cache.url
    with pytest.raises(Refused) as caught:
        async with several(tmp_path, redis=url):
            pass
    assert caught.value.status == 1
    assert caught.value.said.count("redis_url: Redis cannot be used") == 1
    assert "Traceback" not in caught.value.said


@pytest.mark.deep
async def test_redis_may_go_and_come_back_while_changes_are_made(tmp_path):
    with redis() as cache, postgres_on(os.environ[SERVER], migrated=False) as database:
        async with several(tmp_path, redis=cache.url, database=database) as server, each(server) as clients:
            one, other = clients.values()
            cache.stop()
            # in each process once for news of the configuration, once for limits and once for the cache
            await eventually(lambda: server.said.count("Redis cannot be used") == 6)
            for turn in range(4):
                status, _ = await server.ask("PUT", GATEWAY, dict(OPEN) | {"authentication": turn % 2 == 0})
                assert status == 200
                async with asyncio.timeout(PATIENCE):
                    for client in (one, other):
                        while (await client.ask(request())).status != (401, 200)[turn % 2]:
                            await asyncio.sleep(0.005)
            assert server.said.count("\n") == 6, "nothing is said again and again"
            cache.start()
            await eventually(lambda: server.said.count("Redis is back") == 6)
            assert await server.stop() == 0
