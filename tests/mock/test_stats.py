import asyncio
import contextlib
import re

import httpx

from penstock.mock.stats import MOST_PATHS, Stats


async def test_the_counters_tell_what_became_of_every_request(server, client):
    await client.get("/openai/models?a=b")
    await client.get("/nothing", headers={"connection": "close"})
    with contextlib.suppress(httpx.TransportError):
        await client.get("/openai/models", headers={"x-mock-reset": "1"})
    async with client.stream("GET", "/openai/models", headers={"x-mock-stall": "body"}):
        assert server.stats()["requests_running"] == 1
    await server.until(lambda stats: stats.requests_running == 0 and stats.connections_open == 0)
    assert server.stats() == {
        "connections_open": 0,
        "connections_ever": server.stats()["connections_ever"],
        "requests": {"/openai/models": 3, "/nothing": 1},
        "requests_begun": 4,
        "requests_running": 0,
        "answers_completed": 2,
        "answers_cut": 1,
        "aborted_by_peer": 1,
    }
    assert server.stats()["connections_ever"] >= 2


async def test_who_only_reads_the_counters_is_not_in_them(server, client):
    assert (await client.get("/_mock/stats")).json() == server.stats()
    assert server.stats()["connections_ever"] == server.stats()["requests_begun"] == 0
    await client.get("/openai/models")
    assert server.stats()["connections_open"] == 1


async def test_a_reset_keeps_what_is_open(server, client):
    await client.get("/openai/models")
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as other:
        answer = (await other.post("/_mock/reset")).json()
    assert (answer["connections_open"], answer["connections_ever"], answer["requests"]) == (1, 0, {})
    await client.aclose()
    await server.until(lambda stats: stats.connections_open == 0)


async def test_anything_else_there_is_not_found(client):
    assert (await client.get("/_mock/reset")).status_code == 404
    assert (await client.get("/_mock/nothing")).status_code == 404


async def test_a_connection_that_never_asks_is_counted_while_it_is_open(server):
    _, writer = await asyncio.open_connection(server.host, server.port)
    writer.close()
    await writer.wait_closed()
    await server.until(lambda stats: stats.connections_ever == 1 and stats.connections_open == 0)


def test_the_paths_are_bounded():
    stats = Stats()
    for number in range(2 * MOST_PATHS):
        stats.begin(b"/%d" % number)
    assert len(stats.snapshot()["requests"]) == MOST_PATHS + 1
    assert stats.snapshot()["requests"]["(others)"] == MOST_PATHS


def test_the_page_has_every_counter_and_no_other(root):
    page = (root / "docs" / "mock.md").read_text("utf-8").partition("## Counters")[2]
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == list(Stats().snapshot())
