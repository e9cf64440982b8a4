"""``kill -9`` under load: what was acknowledged is there, every row is whole, and each call is counted once."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from penstock.core import codec, ids
from penstock.storage import opening, schema, sqlite_file
from penstock.storage.log.measures import SPANS
from penstock.storage.log.reader import LogReader
from penstock.storage.sql import Sql
from tests.kit.databases import database_of
from tests.kit.logsink import a_gateway

GATEWAYS = ["g0", "g1", "g2"]

# Offers records without end and says how many are known to be written, and who writes.
LOAD = """
import asyncio, hashlib, os, sys
from penstock.backends.logpipe import LogPipe
from penstock.core.tasks import Tasks
from penstock.storage import schema
from tests.kit.logsink import a_record

async def main(url, round):
    store, tasks, offered = schema.open_store(url), Tasks(), 0
    pipe = LogPipe(tasks, url)
    await pipe.start()

    async def load():
        nonlocal offered
        while True:
            for _ in range(20):
                request, response = os.urandom(200) * (offered % 7), b"answer " * (offered % 300)
                proof = hashlib.sha256(request + response).hexdigest()
                pipe.offer(a_record(gateway=offered % 3 + 1, metadata=f'{{"proof":"{proof}"}}', step=offered,
                                    model=f"round-{round}", request=request, response=response,
                                    tokens_in=offered, logged=offered % 5 > 0))
                offered += 1
            await asyncio.sleep(0.002)

    tasks.start("load", load())
    while True:
        before = offered
        await pipe.settled()
        print(before, pipe.writer_pid, flush=True)
        await asyncio.sleep(0.005)

asyncio.run(main(*sys.argv[1:]))
"""


def run_until_killed(url: str, number: int) -> int:
    """Loads the store, kills the writer (in odd rounds) and then the server; returns what was acknowledged."""
    command = [sys.executable, "-c", LOAD, url, str(number)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        acknowledged, goal, kill_writer = 0, 300 + 170 * number, number % 2 == 1
        try:
            for line in process.stdout:
                acknowledged, writer = map(int, line.split())
                if kill_writer and acknowledged > goal // 2:
                    os.kill(writer, signal.SIGKILL)
                    kill_writer = False
                if acknowledged >= goal:
                    break
        finally:
            process.kill()
        for line in process.stdout:  # what it had still said
            if line.endswith("\n"):
                acknowledged = int(line.split()[0])
    return acknowledged


def check_rows(connection: Sql) -> dict[str, set[int]]:
    """Every row is whole; returns the steps found in each round."""
    reader, found = LogReader(connection), dict[str, set[int]]()
    for row in reader.newest(10**9):
        request, response = reader.bodies(row.number, ids.parse(row.id))
        assert request is not None
        assert response is not None
        assert row.metadata is not None
        assert codec.decode(row.metadata)["proof"] == hashlib.sha256(request + response).hexdigest()
        assert row.step not in found.setdefault(row.model, set())
        found[row.model].add(row.step)
    return found


@pytest.mark.parametrize(
    ("kind", "rounds"), [("sqlite", 2), ("postgresql", 2), pytest.param("sqlite", 10, marks=pytest.mark.deep)]
)
def test_what_was_acknowledged_survives_kill_9(kind: str, rounds: int, tmp_path: Path):
    with database_of(kind, tmp_path) as url, closing(opening.connect(url)) as connection:
        assert [a_gateway(connection, name) for name in GATEWAYS] == [1, 2, 3]
        acknowledged = [run_until_killed(url, number) for number in range(rounds)]
        assert all(acknowledged)
        await_last_writer(url, connection)
        schema.open_store(url).close()
        found = check_rows(connection)
        sql = "SELECT (SELECT count(*) FROM logs), (SELECT sum(length(ids)) / 16 FROM log_bodies), "
        sql += "(SELECT sum(rows) FROM log_zones)"
        ((rows, places, counted),) = connection.execute(sql)
        rolled = rolled_up(connection)
    assert rows == places == counted == sum(map(len, found.values()))
    for number, count in enumerate(acknowledged):
        steps = found[f"round-{number}"]
        assert steps >= {step for step in range(count) if step % 5}, f"round {number}: acknowledged rows are missing"
        calls, tokens = rolled[f"round-{number}"]
        assert calls >= count
        assert tokens == sum(range(calls)), f"round {number}: not each call was counted once"
        assert steps == {step for step in range(calls) if step % 5}, f"round {number}: roll-ups and rows differ"


def rolled_up(connection: Sql) -> dict[str, tuple[int, int]]:
    """Calls and tokens of each round; roll-ups of minutes, hours and days agree."""
    sql = (
        "SELECT n.name, sum(calls), sum(tokens_in) FROM log_rollups r JOIN log_names n ON n.id = r.model"
        " WHERE span = ? GROUP BY n.name"
    )
    minutes, hours, days = (sorted(connection.execute(sql, (span,))) for span in SPANS)
    assert minutes == hours == days
    return {name: (int(calls), int(tokens)) for name, calls, tokens in days}


def await_last_writer(url: str, connection: Sql) -> None:
    """Returns when it has finished."""
    if not opening.is_shared(url):
        sqlite_file.lock(sqlite_file.file_of(url), "writer", wait=20).release()
        assert connection.execute("PRAGMA integrity_check") == [("ok",)]
        return
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid != pg_backend_pid()"
    pause = threading.Event()
    while connection.execute(others) != [(0,)]:
        pause.wait(0.05)
