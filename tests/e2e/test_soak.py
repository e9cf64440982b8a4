"""Everything at once on a real server: many calls in flight, clients that leave, providers that fail.

Afterwards each call has one outcome and one row, and connections, descriptors and memory are where they were.
"""

import asyncio
import collections
import itertools
import random
import resource
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from penstock.core import codec
from penstock.mock import server as mock
from penstock.storage import sqlite, sqlite_file
from penstock.storage.log.reader import LogReader
from tests.kit.client import Client, connected
from tests.kit.house import request
from tests.kit.process import serving
from tests.kit.server import ACCOUNT

WARM_UP = 0.15  # of the time, of the same load, before it is noted where things are
SEED = 20_260_107
# Bytes by which the memory of a process may have grown: the allocator's share, and in the writer SQLite's page cache,
# which fills up to 16 MiB.
GROWTH = {"server": 10 << 20, "writer": 26 << 20}

LIMITS = {
    "PENSTOCK_ACCOUNT_ID": ACCOUNT,
    "PENSTOCK_HOLD_BODY": "100KB",
    "PENSTOCK_FIRST_BYTE_TIMEOUT": "2",
    "PENSTOCK_IDLE_TIMEOUT": "2",
    "PENSTOCK_POOL_IDLE_TIMEOUT": "3",
    # The C library keeps what was freed in ways that depend on the hour; told not to, it shows what is really held.
    "MALLOC_MMAP_THRESHOLD_": "65536",
    "MALLOC_TRIM_THRESHOLD_": "65536",
}


def _chat(*, stream):
    body = {"model": "gpt-4o-mini", "stream": stream, "messages": [{"role": "user", "content": "hello " * 50}]}
    return "openai/chat/completions", codec.encode(body)


STREAMS = [
    _chat(stream=True),
    ("openai/responses", codec.encode({"model": "gpt-4o", "stream": True, "input": "hello " * 50})),
    (
        "anthropic/v1/messages",
        b'{"model":"claude-haiku-4-5","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hello"}]}',
    ),
]
WHOLES = [
    _chat(stream=False),
    ("openai/embeddings", b'{"model":"text-embedding-3-small","input":["one","two"]}'),
    (
        "anthropic/v1/messages",
        b'{"model":"claude-haiku-4-5","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}',
    ),
]
UPLOAD = ("openai/files", b"0123456789abcdef" * 20_000)  # larger than what is held: it streams through
PACE = {"x-mock-frames": "12", "x-mock-pace": "250"}
SLOW = {"x-mock-delay": "1500"}
FAULTS = [
    *({"x-mock-encoding": name} for name in ("gzip", "deflate", "br", "zstd")),
    *({"x-mock-cut-frames": number} for number in ("0", "1", "7")),
    *({"x-mock-cut-bytes": number} for number in ("0", "1", "200")),
    *({"x-mock-stall": place} for place in ("head", "body", "4")),
    *({"x-mock-status": number} for number in ("500", "503", "429", "401")),
    *({"x-mock-framing": name} for name in ("length", "chunked", "close")),
    *({"x-mock-usage": name} for name in ("none", "last-text")),
    {"x-mock-malformed": "1"},
    {"x-mock-error-body": "1"},
    {"x-mock-reset": "1"},
    {"x-mock-reset": "reused"},
    {"x-mock-close": "1"},
    {"x-mock-early-hints": "1"},
    {"x-mock-cut-frames": "3", "x-mock-encoding": "gzip"},
    {"x-mock-frames": "200", "x-mock-pace": "10"},
    {"x-mock-size": "100000", "x-mock-pace": "10"},
    {"x-mock-size": "400000"},
]


@dataclass
class Load:
    """The clients, and what each of their calls saw: a status and whether the answer was whole, or None: it left."""

    port: int
    clients: int
    ends: float = 0.0
    seen: dict[str, tuple[int, bool] | None] = field(default_factory=dict)
    numbers: itertools.count = field(default_factory=itertools.count)

    async def run(self, seconds: float, phase: int) -> None:
        self.ends = time.monotonic() + seconds
        async with asyncio.TaskGroup() as group:
            for number in range(self.clients):
                group.create_task(self.client(random.Random(f"{SEED}/{phase}/{number}")))

    async def client(self, dice: random.Random) -> None:
        await asyncio.sleep(dice.uniform(0, 1.5))  # not all in step
        while time.monotonic() < self.ends:
            async with connected(self.port) as client:
                for _ in range(dice.choice((1, 1, 2, 4))):
                    if not await self.call(client, dice) or time.monotonic() > self.ends:
                        break
            await asyncio.sleep(dice.uniform(0, 0.2))

    async def call(self, client: Client, dice: random.Random) -> bool:
        """One call. False: the connection is over."""
        event = f"soak-{next(self.numbers)}"
        self.seen[event] = None
        head, body = _request(dice, event)
        leaves = dice.choice((*["never"] * 6, "at once", "later", "in the body", "in the upload"))
        try:
            if leaves == "in the upload":
                await client.send(head + body[: len(body) // 2])
                return _leave(client, dice)
            await client.send(head + body)
            if leaves in ("at once", "later"):
                await asyncio.sleep(dice.uniform(0, 1.0) if leaves == "later" else 0)
                return _leave(client, dice)
            if leaves == "in the body":
                await client.head()
                await asyncio.wait_for(client.reader.read(dice.choice((1, 300, 3000))), 5)
                await asyncio.sleep(dice.uniform(0, 0.5))
                return _leave(client, dice)
            answer = await client.answer()
        except (asyncio.IncompleteReadError, ConnectionError):  # cut before there was an answer
            return _leave(client, dice) if leaves != "never" else self._cut(event)
        self.seen[event] = (answer.status, answer.whole)
        return answer.whole and answer.headers.get("connection") != "close"

    def _cut(self, event: str) -> bool:
        self.seen[event] = (0, False)
        return False


def _request(dice: random.Random, event: str) -> tuple[bytes, bytes]:
    kind = dice.random()
    if kind < 0.7:
        (path, body), headers = dice.choice(STREAMS), dict(PACE)
    elif kind < 0.98:
        (path, body), headers = dice.choice(WHOLES), dict(SLOW)
    else:
        (path, body), headers = UPLOAD, {"x-mock-echo": dice.choice(("1", "body"))}
    if path != UPLOAD[0] and dice.random() < 0.5:
        headers |= dice.choice(FAULTS)
    whole = request(path, headers=headers, body=body, event=event)
    return whole.removesuffix(body), body


def _leave(client: Client, dice: random.Random) -> bool:
    (client.reset if dice.random() < 0.5 else client.close)()
    return False


@dataclass(frozen=True)
class Place:
    """Where a process is when nothing goes on."""

    descriptors: int
    threads: int
    memory: int


async def place(process: psutil.Process) -> Place:
    """The least of several looks: the connection of the last question may still be on its way out."""
    looks: list[Place] = []
    for _ in range(10):
        open_now = len(list(Path(f"/proc/{process.pid}/fd").iterdir()))
        looks.append(Place(open_now, process.num_threads(), process.memory_info().rss))
        await asyncio.sleep(0.05)
    return min(looks, key=lambda look: look.descriptors)


async def quiet(server, provider):
    """Returns the figures once nothing goes on: no call, no connection but that of the question, nothing unwritten."""
    still = {
        "penstock_calls_in_flight": 0,
        "penstock_client_connections": 1,
        'penstock_upstream_connections{state="busy"}': 0,
        'penstock_upstream_connections{state="idle"}': 0,
        "penstock_log_rows_pending": 0,
        "penstock_buffered_bytes": 0,
    }
    async with asyncio.timeout(30):
        while {name: (figures := await server.metrics())[name] for name in still} != still:
            await asyncio.sleep(0.1)
    await provider.until(lambda stats: not stats.requests_running and not stats.connections_open)
    return figures


async def watch(server, peaks):
    """Notes the most that were in flight, until it is cancelled."""
    while True:
        figures = await server.metrics()
        for name in ("penstock_calls_in_flight", "process_open_fds", "process_resident_memory_bytes"):
            peaks[name] = max(peaks.get(name, 0), figures[name])
        await asyncio.sleep(0.5)


def outcomes(figures):
    """How often each outcome was counted."""
    found = collections.Counter()
    for name, value in figures.items():
        if name.startswith("penstock_calls_total{"):
            found[name.partition('outcome="')[2].partition('"')[0]] += int(value)
    return found


def rows(server):
    with closing(sqlite.connect_reader(server.data_dir / sqlite_file.FILE)) as connection:
        return LogReader(connection).newest(10**9)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("seconds", "clients"), [(6, 60), pytest.param(60, 200, marks=pytest.mark.deep)])
async def test_nothing_is_left_behind_and_nothing_is_lost(tmp_path, seconds, clients):
    print(f"seed {SEED}")
    provider = await mock.start()
    config = "".join(f'[providers.{slug}]\nbase_url = "{provider.url}/{slug}"\n' for slug in ("openai", "anthropic"))
    peaks = {}
    async with serving(tmp_path / "data", simulate=False, config=config, environ=LIMITS) as server:
        load, processes = Load(server.port, clients), {"server": psutil.Process(server.pid), "writer": server.writer}
        await load.run(seconds * WARM_UP, 1)
        await quiet(server, provider)
        before = {name: await place(process) for name, process in processes.items()}
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(watch(server, peaks))
            await load.run(seconds, 2)
            watching.cancel()
        figures = await quiet(server, provider)
        after = {name: await place(process) for name, process in processes.items()}
        used = {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}
        assert await server.stop() == 0
    await provider.stop()

    written = rows(server)
    counted, stats = outcomes(figures), provider.stats()
    print(f"calls {len(load.seen)}, outcomes {dict(counted)}, peaks {peaks}")
    print(f"before {before}, after {after}")
    print(f"CPU seconds {used}, ours {sum(resource.getrusage(resource.RUSAGE_SELF)[:2]):.0f}; provider {stats}")

    assert peaks["penstock_calls_in_flight"] > clients / 2, "the load was no load"
    assert sum(counted.values()) == len(written) == len(load.seen)
    assert {row.event_id for row in written} == set(load.seen)
    assert counted == collections.Counter(row.outcome for row in written)
    assert set(counted) == {"answered", "broken", "client_gone", "failed"}
    assert [said for row in written if (said := disagreement(row, load.seen[row.event_id]))] == []
    assert figures["penstock_log_rows_dropped_total"] == figures["penstock_log_bodies_dropped_total"] == 0

    for name in processes:
        assert after[name].descriptors == before[name].descriptors, name
        assert after[name].threads == before[name].threads, name
        assert after[name].memory < before[name].memory + GROWTH[name], name
    assert stats["connections_open"] == stats["requests_running"] == 0
    assert server.said == ""


def disagreement(row, seen):
    """What is wrong where the log does not say what the client saw."""
    if seen is None:  # it left, perhaps when all was over
        agrees = row.outcome in {"client_gone", "answered", "failed", "broken"}
    elif seen[1]:
        agrees = row.outcome in {"answered", "failed"} and row.status_code == seen[0]
    else:
        agrees = row.outcome == "broken"
    return "" if agrees else f"{row.event_id}: {row.outcome} {row.status_code}, and the client saw {seen}"
