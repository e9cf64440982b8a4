"""``kill -9`` under load: log, counters and ledger agree, whatever was killed and when."""

import asyncio
import os
import random
from contextlib import closing

import psutil
import pytest

from penstock.storage import opening
from tests.kit.client import connected
from tests.kit.command import command
from tests.kit.databases import SERVER, postgres_on
from tests.kit.house import request
from tests.kit.process import eventually, serving
from tests.kit.store import ACCOUNT, MASTER_KEY

CLIENTS = 16
STREAM = b'{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello"}]}'
PACED = {"x-mock-frames": "12", "x-mock-pace": "30"}
GIVEN = {"PENSTOCK_ACCOUNT_ID": ACCOUNT, "PENSTOCK_OPENAI_API_KEY": "sk-operator"}
CONFIG = '[[markups]]\nprovider = "openai"\npercent = 12.5\n'
LIMIT = f"/accounts/{ACCOUNT}/ai-gateway/billing/spending-limit"


async def load(server, done):
    """Calls that take some time, one after another, until the server is gone."""
    headers = {"cf-aig-authorization": f"Bearer {server.token}"} | PACED
    try:
        async with connected(server.port) as client:
            while True:
                answer = await client.ask(request(headers=headers, body=STREAM))
                assert answer.status == 200, answer.body
                done.append(1)
    except (asyncio.IncompleteReadError, ConnectionError):
        return  # killed


def sums(url):
    """Drafts that wait; what rows cost, and what is spent; what rows were charged, and what is posted."""
    sql = (
        "SELECT (SELECT count(*) FROM log_drafts WHERE record IS NOT NULL),"
        " (SELECT sum(cost) FROM logs), (SELECT sum(amount) FROM spent WHERE owner LIKE 'account:%'),"
        " (SELECT sum(charge) FROM logs), (SELECT sum(amount) FROM ledger_balances WHERE book = 'usage' AND start = -1)"
    )
    with closing(opening.connect_reader(url)) as connection:
        return [int(value or 0) for value in connection.execute(sql)[0]]


async def killed(server, *, writer):
    """All at once, or all but the log writer, which then writes what it has."""
    processes = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    if not writer:
        writers = server.children("penstock.worker.log_writer")
        processes = [one for one in processes if one.pid not in {each.pid for each in writers}]
        await _kill(server, processes)
        await asyncio.to_thread(psutil.wait_procs, writers, 30)
        return
    random.shuffle(processes)
    await _kill(server, processes)


async def _kill(server, processes):
    for process in processes:
        process.kill()
    await server.ended()
    await asyncio.to_thread(psutil.wait_procs, processes[1:], 20)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("rounds", [1, pytest.param(6, marks=pytest.mark.deep)])
async def test_costs_counters_and_charges_agree_after_any_kill(tmp_path, kind, rounds):
    if kind == "sqlite":
        await _rounds(tmp_path, opening.url_in(tmp_path / "data"), GIVEN, rounds, writer=True)
        return
    with postgres_on(os.environ[SERVER]) as url:
        given = GIVEN | {"PENSTOCK_DATABASE_URL": url, "PENSTOCK_MASTER_KEY": MASTER_KEY.hex()}
        await _rounds(tmp_path, url, given, rounds, writer=False)


async def _rounds(folder, url, given, rounds, *, writer):
    for _ in range(rounds):
        done = []
        async with serving(folder / "data", config=CONFIG, environ=given, gateways=["default"]) as server:
            body = {"amount": 10**9, "duration": "monthly", "strategy": "fixed"}
            assert (await server.ask("POST", LIMIT, body))[0] == 200
            async with asyncio.TaskGroup() as group:
                for _ in range(CLIENTS):
                    group.create_task(load(server, done))
                await eventually(lambda done=done: len(done) >= CLIENTS * (2 + random.random()))
                await killed(server, writer=writer)
    async with serving(folder / "data", config=CONFIG, environ=given, gateways=[]) as server:
        await eventually(lambda: not sums(url)[0])
        _, cost, spent, charge, posted = sums(url)
        assert cost > 0
        assert (spent, charge) == (cost, posted)
        assert charge >= cost * 9 // 8
        assert await server.stop() == 0
    audited = await asyncio.to_thread(command, "billing", "audit", "--database-url", url, environ=given)
    assert audited.status == 0, audited.out
