"""PostgreSQL that is stopped and started again under a server of two processes: calls go on, nothing is restarted."""

import asyncio

import pytest

from penstock.core import codec
from tests.kit.client import connected
from tests.kit.house import request
from tests.kit.process import PATIENCE, eventually
from tests.kit.services import postgres
from tests.kit.several import Load, each, several
from tests.kit.store import OPEN

GATEWAY = "/accounts/{account}/ai-gateway/gateways/default"
RUNNING = 'penstock_workers{state="running"}'
LOST = ("penstock_log_rows_dropped_total", "penstock_log_bodies_dropped_total")


@pytest.fixture
def database():
    with postgres() as server:
        yield server


async def until_configurable(server):
    async with asyncio.timeout(PATIENCE):
        while (await server.ask("GET", GATEWAY))[0] != 200:
            await asyncio.sleep(0.05)


async def all_run(server):
    async with asyncio.timeout(PATIENCE):
        while (await server.metrics())[RUNNING] < 2:
            await asyncio.sleep(0.02)


async def test_calls_go_on_while_the_store_is_away_and_every_row_is_written_when_it_is_back(tmp_path, database):
    async with several(tmp_path, database=database.url) as server:
        load = Load(server.port, callers=4)
        async with load.running():
            await load.more()
            members = {member.pid for member in server.members}
            database.stop()
            for method, body in (("GET", None), ("PUT", dict(OPEN))):
                status, told = await server.ask(method, GATEWAY, body)
                (error,) = told["errors"]
                assert (status, told["success"], bool(error["code"])) == (503, False, True)
                assert error["message"].endswith(".") or "database" in error["message"]
            await load.more(300)
            status, body = await server.get("/readyz")
            assert status == 200, "calls go on"
            await eventually_lacking(server)
            figures = await server.metrics()
            assert figures["penstock_log_rows_pending"] > 300
            assert figures["penstock_configuration_age_seconds"] > 0
            database.start()
            await until_configurable(server)
            await load.more()
        assert (load.broken, load.refused) == (0, 0)
        async with asyncio.timeout(PATIENCE):
            while (await server.metrics())["penstock_log_rows_pending"]:
                await asyncio.sleep(0.05)
        figures = await server.metrics()
        assert [figures[name] for name in LOST] == [0, 0]
        written = [str(row["event_id"]) for row in await server.rows()]
        assert sorted(written) == sorted(load.answered)
        assert {member.pid for member in server.members} == members, "nobody was restarted"
        await changes_act_everywhere(server)
        assert await server.stop() == 0


async def eventually_lacking(server):
    """The process that is asked says that it serves without the store."""
    async with asyncio.timeout(PATIENCE):
        while "lacking" not in codec.decode((await server.get("/readyz"))[1]):
            await asyncio.sleep(0.02)


async def changes_act_everywhere(server):
    async with each(server) as clients:
        for turn in range(4):
            status, told = await server.ask("PUT", GATEWAY, dict(OPEN) | {"authentication": turn % 2 == 0})
            assert status == 200, told
            async with asyncio.timeout(PATIENCE):
                for client in clients.values():
                    while (await client.ask(request())).status != (401, 200)[turn % 2]:
                        await asyncio.sleep(0.005)


@pytest.mark.deep
async def test_a_process_that_dies_while_the_store_is_away_serves_again_when_it_is_back(tmp_path, database):
    async with several(tmp_path, database=database.url) as server:
        load = Load(server.port, callers=4)
        async with load.running():
            await load.more()
            database.stop()
            dead, _ = server.members
            dead.kill()
            await eventually(lambda: "cannot serve yet" in server.said)
            assert (await server.metrics())['penstock_workers{state="starting"}'] == 1
            broken = load.broken
            await load.more(300)
            async with connected(server.port) as client:
                assert (await client.ask(request())).status == 200
            assert load.broken == broken, "whoever cannot serve takes no connections"
            database.start()
            await all_run(server)
            await load.more()
        assert load.refused == 0
        await until_configurable(server)
        await changes_act_everywhere(server)
        assert await server.stop() == 0


@pytest.mark.deep
async def test_a_server_that_stops_while_the_store_is_away_says_what_it_could_not_write(tmp_path, database):
    async with several(tmp_path, database=database.url, PENSTOCK_STOP_TIMEOUT="1") as server:
        load = Load(server.port, callers=2)
        async with load.running():
            await load.more(20)
            database.stop()
            await load.more(50)
        assert await server.stop() == 0
        assert "rows may be lost" in server.said
