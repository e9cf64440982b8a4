import asyncio
import time
from contextlib import asynccontextmanager, closing

import pytest

from penstock.storage import opening
from penstock.storage.log import drafts
from penstock.storage.log.table import LogTable
from penstock.worker import upkeep
from penstock.worker.upkeep import Upkeep
from tests.kit.databases import await_server, postgres_on
from tests.kit.logsink import a_gateway, a_record, delete_gateway, with_gateway
from tests.kit.services import postgres


@pytest.fixture
def sql(shared):
    with closing(opening.connect(shared)) as connection:
        yield connection


async def eventually(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def kept(*urls, **given):
    said = []
    tasks = [asyncio.ensure_future(Upkeep(url, lambda event, **_: said.append(event), **given).run()) for url in urls]
    try:
        yield tasks, said
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def rows(sql, number):
    return sql.execute("SELECT count(*) FROM logs WHERE gateway = ?", (number,))[0][0]


def holders(sql):
    held = (
        "SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database AND d.datname = current_database()"
        " WHERE locktype = 'advisory' AND objid = ? AND granted"  # other tests' databases have such a lock too
    )
    return {pid for (pid,) in sql.execute(held, (upkeep.LOCK,))}


async def test_what_was_deleted_is_taken_out_by_one_process_of_several(shared, sql):
    beta = a_gateway(sql, "beta")
    LogTable(sql).write([a_record(gateway=number) for number in (1, beta) for _ in range(2500)])
    delete_gateway(sql, beta, at=time.time_ns() // 10**6)
    async with kept(shared, shared) as (_, said):
        await eventually(lambda: not rows(sql, beta))
        assert len(holders(sql)) == 1
        LogTable(sql).write([a_record(gateway=beta) for _ in range(10)])  # of calls that began before
        await eventually(lambda: not rows(sql, beta))
    assert rows(sql, 1) == 2500
    assert said == []
    await eventually(lambda: not holders(sql))


async def test_another_process_takes_over(shared, sql):
    async with kept(shared) as (first, _):
        await eventually(lambda: len(holders(sql)) == 1)
        (before,) = holders(sql)
        async with kept(shared):
            first[0].cancel()
            await asyncio.gather(*first, return_exceptions=True)
            await eventually(lambda: holders(sql) not in (set(), {before}))


async def test_it_goes_on_when_the_database_is_back():
    with postgres() as server, postgres_on(server.url) as url:
        with_gateway(url)
        async with kept(url) as (_, said):
            sql = opening.connect(url)
            await eventually(lambda: len(holders(sql)) == 1)
            server.stop()
            await eventually(lambda: bool(said))
            server.start()
            await_server(server.url)
            LogTable(sql).write([a_record() for _ in range(30)])
            delete_gateway(sql, 1, at=time.time_ns() // 10**6)
            await eventually(lambda: not rows(sql, 1))
            sql.close()
        assert said == ["log.reaping_stalled"]


async def test_to_stop_it_does_not_wait_for_a_database_that_does_not_answer(shared, sql):
    LogTable(sql).write([a_record() for _ in range(30)])
    delete_gateway(sql, 1, at=time.time_ns() // 10**6)
    with sql.transaction():
        sql.lock_gateways([1])
        async with kept(shared):
            await eventually(lambda: sql.execute("SELECT 1 FROM pg_locks WHERE NOT granted") != [])
    assert rows(sql, 1) == 30


async def test_drafts_of_a_server_that_died_with_its_writer_become_rows(shared, sql):
    LogTable(sql, sender=b"dead").write([a_record(outcome="lost", spends=(("token:t", 0, 0, 5),), draft=True)])
    LogTable(sql, sender=b"live").write([a_record(outcome="lost", spends=(("token:t", 0, 0, 7),), draft=True)])
    sql.execute("UPDATE log_drafts SET at = at - ?", (drafts.QUIET + 6000,))
    sql.execute("UPDATE log_senders SET at = 0 WHERE id = ?", (b"dead",))
    async with kept(shared, longest=5.0) as (_, said):
        await eventually(lambda: rows(sql, 1))
        assert "log.settled" in said
        assert sql.execute("SELECT amount FROM spent") == [(5,)]
