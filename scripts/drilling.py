"""What the drills of ``drill.py`` are made of: load, servers that can be taken away, and what became of the calls."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.core import codec
from tests.kit import services
from tests.kit.client import connected
from tests.kit.house import request
from tests.kit.process import Serving, serving
from tests.kit.store import ACCOUNT, OPEN, SECRET

CLIENTS = 16
PAUSE = 0.02  # seconds between two calls of a client: about 600 calls a second in all
AWAY = 8.0  # seconds that a store is away
PATIENCE = 60.0
KEY = "5a" * 32
ENVIRON = {"PENSTOCK_ACCOUNT_ID": ACCOUNT, "PENSTOCK_API_TOKEN": SECRET, "PENSTOCK_STOP_TIMEOUT": "10"}
PROMPT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x" * 900}]}


@dataclass
class Load:
    """Calls of several clients, one after another each, until told to end."""

    port: int
    over: asyncio.Event = field(default_factory=asyncio.Event)
    answered: list[str] = field(default_factory=list[str])  # event ids
    refused: list[int] = field(default_factory=list[int])  # statuses other than 200
    cut: int = 0  # connections lost amid a call, or never opened
    gap: float = 0.0  # the longest time without an answered call, seconds
    _last: float = 0.0

    async def client(self, name: int) -> None:
        """One client; a lost connection is opened anew."""
        number = 0
        while not self.over.is_set():
            try:
                async with connected(self.port) as client:
                    while not self.over.is_set():
                        number += 1
                        event = f"{name}-{number}"
                        answer = await client.ask(request(body=codec.encode(PROMPT), event=event))
                        self._note(event, answer.status, whole=answer.whole)
                        await asyncio.sleep(PAUSE)
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                self.cut += 1
                await asyncio.sleep(PAUSE)

    def _note(self, event: str, status: int, *, whole: bool) -> None:
        if status != 200 or not whole:  # noqa: PLR2004
            self.refused.append(status)
            return
        now = time.monotonic()
        self.gap = max(self.gap, now - (self._last or now))
        self._last = now
        self.answered.append(event)


@asynccontextmanager
async def load(port: int) -> AsyncGenerator[Load]:
    """Load while the block runs."""
    run = Load(port)
    async with asyncio.TaskGroup() as group:
        for name in range(CLIENTS):
            group.create_task(run.client(name))
        try:
            await asyncio.sleep(2)  # of quiet running, before anything happens
            yield run
        finally:
            run.over.set()


@dataclass
class Report:
    """What a drill found. ``control``: what the control plane said while the store was away."""

    name: str
    calls: int = 0
    failed: int = 0
    gap: float = 0.0
    lost: int = 0
    control: str = "–"
    back: str = "–"
    faults: list[str] = field(default_factory=list[str])

    def of(self, run: Load, rows: set[str], most_failed: int) -> None:
        """Takes the figures of a load; every answered call must have its row."""
        self.calls, self.failed, self.gap = len(run.answered), len(run.refused) + run.cut, run.gap
        self.lost = len(set(run.answered) - rows)
        self.expect(self.failed <= most_failed, f"{self.failed} calls failed: {sorted(set(run.refused))}")

    def expect(self, held: bool, otherwise: str) -> None:  # noqa: FBT001
        if not held:
            self.faults.append(otherwise)


@asynccontextmanager
async def fleet(folder: Path, **more: str) -> AsyncGenerator[tuple[Serving, services.Server, services.Server]]:
    """Two workers on a PostgreSQL that keeps its promises, and a Redis."""
    with services.postgres("shared_buffers=64MB") as postgres, services.redis() as redis:
        async with on(folder, postgres, redis, **more) as server:
            yield server, postgres, redis


@asynccontextmanager
async def on(folder: Path, postgres: services.Server, redis: services.Server, **more: str) -> AsyncGenerator[Serving]:
    environ = ENVIRON | {
        "PENSTOCK_DATABASE_URL": postgres.url,
        "PENSTOCK_REDIS_URL": redis.url,
        "PENSTOCK_MASTER_KEY": KEY,
        "PENSTOCK_WORKERS": "2",
    }
    async with serving(folder / "data", environ=environ | more) as server:
        yield server


@contextmanager
def small_disk(place: Path, size: str) -> Generator[Path]:
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], check=False)
    if done.returncode:
        sys.exit("The drill of the full disk mounts a small file system in memory: run it as root.")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=False)


async def change(server: Serving) -> tuple[int, Any]:
    """Changes a setting that has no bearing on the load; what changes nothing would not be written."""
    settings = dict(OPEN) | {"cache_ttl": time.monotonic_ns() % 10**9}
    return await server.ask("PUT", "/accounts/{account}/ai-gateway/gateways/default", settings)


async def refused(server: Serving, report: Report) -> str:
    """What a change is answered with, until it is a refusal."""
    async with asyncio.timeout(PATIENCE):
        while True:
            status, told = await change(server)
            if status != 200:  # noqa: PLR2004
                report.expect(status == 503, f"the control plane answered {status}: {told}")  # noqa: PLR2004
                return f"{status}, “{told['errors'][0]['message'][:60]}”" if told["errors"] else str(status)
            await asyncio.sleep(0.1)


async def writable(server: Serving) -> None:
    """Until a change succeeds again."""
    async with asyncio.timeout(PATIENCE):
        while (await change(server))[0] != 200:  # noqa: PLR2004, ASYNC110
            await asyncio.sleep(0.1)


async def settled(server: Serving, run: Load, *, lossy: bool = False) -> set[str]:
    """The rows' event ids once all are there; where some may be ``lossy``, once no more come."""
    rows: set[str] = set()
    async with asyncio.timeout(PATIENCE):
        while True:
            metrics = await server.metrics()
            if not metrics["penstock_log_rows_pending"]:
                more = await events(server)
                if set(run.answered) <= more or (lossy and more == rows):
                    return more
                rows = more
            await asyncio.sleep(0.5)


async def events(server: Serving) -> set[str]:
    return {str(row["event_id"]) for row in await server.rows()}


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  what it waits for happens in another process
            await asyncio.sleep(0.02)
