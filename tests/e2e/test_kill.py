"""``kill -9`` of a real server, and of its log writer, while calls run."""

import asyncio
import base64
import hashlib
import os
import random
from contextlib import closing
from urllib.parse import quote

import pytest

from penstock.core import codec, ids
from penstock.storage import sqlite, sqlite_file
from penstock.storage.log.reader import LogReader
from tests.kit.client import connected
from tests.kit.house import request
from tests.kit.process import serving
from tests.kit.server import ACCOUNT
from tests.kit.several import kill_all

CLIENTS = 16
LONG = pytest.mark.deep
LOGS = f"/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways/default/logs"


def prompt(size):
    """A request whose body tells its own hash; the simulated provider repeats it in its answer."""
    noise = base64.b64encode(os.urandom(size)).decode()
    content = f"{hashlib.sha256(noise.encode()).hexdigest()} {noise}"
    return codec.encode({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": content}]})


def is_whole(text):
    """Whether a text with its own hash in front is all there."""
    proof, _, noise = text.partition(" ")
    return proof == hashlib.sha256(noise.encode()).hexdigest()


async def load(port, done, more):
    """Calls one after another while there are ``more``; notes the event ids of those that were answered whole."""
    try:
        async with connected(port) as client:
            while (number := next(more, None)) is not None:
                event = f"call-{number}"
                body = prompt(30 + number % 50 * 40)
                answer = await client.ask(request(body=body, event=event))
                assert answer.whole
                assert answer.status == 200
                done.append(event)
    except (asyncio.IncompleteReadError, ConnectionError):
        return  # killed


def check(server):
    """Opens the store and looks at every row of it; returns the event ids."""
    found = []
    with closing(sqlite.connect(server.data_dir / sqlite_file.FILE)) as connection:
        assert connection.execute("PRAGMA integrity_check") == [("ok",)]
        reader = LogReader(connection)
        for row in reader.newest(10**9):
            request_body, answer = reader.bodies(row.number, ids.parse(row.id))
            assert request_body is not None
            if row.outcome == "answered":
                assert answer is not None
                said = codec.decode(answer)["choices"][0]["message"]["content"]
                assert is_whole(said.removeprefix("You said: "))
            assert is_whole(codec.decode(request_body)["messages"][0]["content"])
            assert codec.decode(row.detail)["timings"]["total"] >= 0
            found.append(row.event_id)
        places = connection.execute("SELECT sum(length(ids)) / 16 FROM log_bodies")[0][0]
    assert len(found) == len(set(found)) == (places or 0)
    return set(found)


@pytest.mark.parametrize("rounds", [2, pytest.param(10, marks=LONG)])
async def test_kills_under_load_leave_a_store_that_opens_with_whole_rows(tmp_path, rounds):
    numbers, kept, written = iter(range(10**6)), set(), []
    for number in range(rounds):
        done = []
        given = {"PENSTOCK_ACCOUNT_ID": ACCOUNT}
        async with serving(tmp_path / "data", environ=given) as server, asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(load(server.port, done, numbers))
            known = 0.0
            async with asyncio.timeout(20):
                while len(done) < 100 + 60 * number or not known:
                    await asyncio.sleep(0.01)
                    known = (await server.metrics())["penstock_log_rows_written_total"]
            writer = server.writer
            await server.kill()
        async with asyncio.timeout(20):  # the writer ends by itself, with what it had
            while writer.is_running():
                await asyncio.sleep(0.02)
        found = check(server)
        assert kept <= found, "rows of an earlier round are gone"
        assert len(found - kept) >= known, "rows that were said to be written are gone"
        kept = found
        written.append((len(done), int(known), len(found)))
    print("answered, known to be written, and in the store:", written)
    async with serving(tmp_path / "data") as server:  # and it serves
        assert (await server.get("/readyz"))[0] == 200
        assert {row["event_id"] for row in await server.rows()} == kept
        assert await server.stop() == 0
        assert server.said == ""


@pytest.mark.parametrize(("calls", "kills"), [(300, 1), pytest.param(1500, 3, marks=LONG)])
async def test_a_killed_writer_costs_no_call_and_no_row(tmp_path, calls, kills):
    done, numbers = [], iter(range(calls))
    async with serving(tmp_path / "data", environ={"PENSTOCK_ACCOUNT_ID": ACCOUNT}) as server:
        async with asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(load(server.port, done, numbers))
            for kill in range(kills):
                async with asyncio.timeout(20):
                    while len(done) < (kill + 1) * calls // 4 or not server.children("penstock.worker.log_writer"):
                        await asyncio.sleep(0.01)
                server.writer.kill()
        assert len(done) == calls, "a call suffered from what happened to the log"
        assert await server.stop() == 0
        assert "the log writer ended; it is started again" in server.said
    assert check(server) == {f"call-{number}" for number in range(calls)}


async def edits(server, noted, sent):
    """Calls one after another, each edited as soon as it is answered; notes what was acknowledged, by log id."""
    try:
        async with connected(server.port) as client:
            while True:
                call = await client.ask(request(body=prompt(60)))
                log_id, mark = call.headers["cf-aig-log-id"], len(sent)
                edit = {"feedback": (-1, 1)[mark % 2], "score": mark % 101, "metadata": {"mark": str(mark)}}
                sent.append(log_id)
                body = codec.encode(edit)
                head = f"PATCH {LOGS}/{log_id} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {server.token}\r\n"
                head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
                answer = await client.ask(head.encode() + body)
                if answer.whole:
                    assert answer.status == 200, answer.body
                    noted[log_id] = edit
    except (asyncio.IncompleteReadError, ConnectionError):
        return  # killed


async def edited(server, sent):
    """What the log has of edits, by log id, found by the index of metadata; of rows that have been ``sent`` one."""
    found = {}
    for start in range(0, len(sent), 50):
        marks = [str(mark) for mark in range(start, start + 50)]
        filters = codec.encode([{"key": "metadata.mark", "operator": "eq", "value": marks}])
        path = LOGS.removeprefix("/client/v4") + f"?per_page=50&filters={quote(filters)}"
        status, told = await server.ask("GET", path)
        assert status == 200
        for row in told["result"]:
            edit = {name: row[name] for name in ("feedback", "score")}
            found[row["id"]] = edit | {"metadata": codec.decode(row["metadata"].encode())}
    return found


@pytest.mark.parametrize("rounds", [2, pytest.param(5, marks=[LONG, pytest.mark.timeout(300)])])
async def test_no_edit_that_was_acknowledged_is_lost_however_new_its_row(tmp_path, rounds):
    noted, sent = {}, []
    for _ in range(rounds):
        enough = len(noted) + random.randrange(40, 80)
        given = {"PENSTOCK_ACCOUNT_ID": ACCOUNT}
        async with serving(tmp_path / "data", environ=given) as server, asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(edits(server, noted, sent))
            async with asyncio.timeout(20):
                while len(noted) < enough:
                    await asyncio.sleep(0.001)
            await kill_all(server)
    assert len(sent) > len(noted), "nothing was on its way when it was killed"
    async with serving(tmp_path / "data") as server:
        found = await edited(server, sent)
        assert {log_id: found.get(log_id) for log_id in noted} == noted
        assert await server.stop() == 0
