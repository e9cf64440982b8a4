"""A disk that takes no more: the processes may not write to files, and then they may again."""

import asyncio
import resource

import psutil

from penstock.storage import sqlite_file
from tests.kit.client import connected
from tests.kit.house import request
from tests.kit.process import serving
from tests.kit.store import ACCOUNT, OPEN

CALLS = 100


def let_write(server, size):
    """Limits the size of a file that the server and its log writer may write; what is there stays as it is."""
    for pid in (server.pid, server.writer.pid):
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


async def change(server, ttl):
    """A change of a gateway that has no bearing on the calls."""
    changed = dict(OPEN) | {"cache_ttl": ttl}
    return await server.ask("PUT", "/accounts/{account}/ai-gateway/gateways/default", changed)


async def ask(port, start, count):
    async with connected(port) as client:
        for number in range(start, start + count):
            answer = await client.ask(request(event=f"call-{number}"))
            assert (answer.status, answer.whole) == (200, True)


async def test_calls_go_on_and_no_row_is_lost_while_the_disk_is_full(tmp_path):
    async with serving(tmp_path / "data", environ={"PENSTOCK_ACCOUNT_ID": ACCOUNT}) as server:
        await ask(server.port, 0, CALLS)
        full = (tmp_path / "data" / f"{sqlite_file.FILE}-wal").stat().st_size
        let_write(server, full)
        await ask(server.port, CALLS, CALLS)
        status, told = await change(server, 1)
        assert (status, told["success"]) == (503, False)
        assert "database cannot be used" in told["errors"][0]["message"]
        async with asyncio.timeout(20):
            while "log.stalled" not in server.said:
                await asyncio.sleep(0.02)
        assert (await server.metrics())["penstock_log_rows_pending"] > 0
        async with asyncio.timeout(20):
            while b"none was written" not in (await server.get("/readyz"))[1]:
                await asyncio.sleep(0.1)
        assert (await server.get("/readyz"))[0] == 200
        let_write(server, resource.RLIM_INFINITY)
        assert (await change(server, 2))[0] == 200
        async with asyncio.timeout(20):
            while (await server.metrics())["penstock_log_rows_pending"]:
                await asyncio.sleep(0.05)
        assert {row["event_id"] for row in await server.rows()} == {f"call-{number}" for number in range(2 * CALLS)}
        assert psutil.Process(server.pid).is_running()
        assert await server.stop() == 0
    assert "log.resumed" in server.said
