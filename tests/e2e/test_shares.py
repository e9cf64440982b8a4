"""Thirty clients of one account hold whatever they can; another account's calls go on, and memory stays bounded."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import psutil

from tests.kit.client import Client, connected
from tests.kit.house import request
from tests.kit.process import PATIENCE, Serving, serving
from tests.kit.server import ACCOUNT
from tests.kit.store import furnish

HOARDERS = 30
ROOM = 16_000_000  # bytes for bodies, and as many for answers
QUEUE, CACHE = 2_000_000, 4_000_000
SETTINGS = {
    "PENSTOCK_BUFFER_MEMORY": str(ROOM),
    "PENSTOCK_ANSWER_MEMORY": str(ROOM),
    "PENSTOCK_LOG_QUEUE_SIZE": str(QUEUE),
    "PENSTOCK_CACHE_SIZE": str(CACHE),
    "PENSTOCK_MAX_CALLS": "300",
    # What was freed goes back to the system, so that it shows what is really held.
    "MALLOC_MMAP_THRESHOLD_": "65536",
    "MALLOC_TRIM_THRESHOLD_": "65536",
}
CODED = {"cf-aig-cache-key": "coded"}
SMALL = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"' + b"x" * 1900 + b'"}]}'
STREAM = b'{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"hello"}]}'


def ours(there: Serving, **about: object) -> bytes:
    return request(**about).replace(ACCOUNT.encode(), there.account.encode(), 1)  # type: ignore[arg-type]


async def trickled(client: Client, there: Serving) -> None:
    """A body of which the last bytes are still to come."""
    head = {"cf-aig-cache-key": "k", "content-length": "3000000"}
    await client.send(ours(there, headers=head, body=None))
    client.writer.write(b"x" * 2_900_000)


async def unread(client: Client, there: Serving) -> None:
    """An answer that nobody reads."""
    await client.send(ours(there, headers={"x-mock-size": "5000000", "x-mock-frames": "50"}))
    client.deafen()


async def open_stream(client: Client, there: Serving) -> None:
    """A stream that does not end."""
    stalls = {"x-mock-size": "2000000", "x-mock-frames": "20", "x-mock-stall": "19"}
    await client.send(ours(there, headers=stalls, body=STREAM))


async def unread_hit(client: Client, there: Serving) -> None:
    """A cached answer that is kept compressed, and which nobody reads."""
    await client.send(ours(there, headers=CODED))
    client.deafen()


async def test_thirty_clients_of_one_account_neither_stop_another_nor_fill_the_memory(tmp_path: Path):
    async with serving(tmp_path / "data", environ=SETTINGS) as there, AsyncExitStack() as stack:
        await furnish(tmp_path, {"theirs": {}}, [], url=f"sqlite:///{there.data_dir}/penstock.db")
        process = psutil.Process(there.pid)
        async with connected(there.port) as client:
            async with asyncio.timeout(PATIENCE):
                while (await client.ask(request(gateway="theirs", body=SMALL))).status != 200:
                    await asyncio.sleep(0.05)  # until the server has noticed the gateway
            coded = CODED | {"accept-encoding": "gzip", "x-mock-encoding": "gzip", "x-mock-size": "3000000"}
            assert (await client.ask(ours(there, headers=coded))).headers["content-encoding"] == "gzip"
            for _ in range(20):
                assert (await client.ask(request(gateway="theirs", body=SMALL))).status == 200
            idle = most = process.memory_info().rss
            for hold in (unread_hit, trickled, unread, open_stream):
                for _ in range(HOARDERS):
                    await hold(await stack.enter_async_context(connected(there.port, 1 << 16)), there)
                    assert (await client.ask(request(gateway="theirs", body=SMALL))).status == 200
                    most = max(most, process.memory_info().rss)
            for _ in range(50):
                assert (await client.ask(request(gateway="theirs", body=SMALL))).status == 200
                most = max(most, process.memory_info().rss)
                await asyncio.sleep(0)
            told = await there.metrics()
        hits = [value for name, value in told.items() if "cache_lookups" in name and 'result="hit"' in name]
        assert sum(hits) > HOARDERS / 2
        assert ROOM / 6 < told["penstock_buffered_bytes"] < ROOM / 2
        assert ROOM / 6 < told["penstock_held_answer_bytes"] < ROOM / 2
        assert most - idle < 1.2 * (2 * ROOM + 2 * QUEUE + CACHE)
