"""Kills, stops and fills up what Penstock depends on, under load, and reports what became of the calls and their rows.

``make drill`` runs every drill on real processes and writes the table in docs/reliability.md; ``--no-write`` prints it.
The drill of the full disk mounts a small file system in memory, which needs root.
"""

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from penstock.core import codec
from penstock.testing import services
from penstock.testing.client import connected
from penstock.testing.house import request
from penstock.testing.process import Serving, serving
from penstock.testing.store import ACCOUNT, SECRET

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reliability.md"
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


# What there is to drill


async def server_killed(folder: Path) -> Report:
    report = Report("SQLite: the server is killed, and started again")
    flags = ("--port", str(_free_port()))
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(serving(folder / "data", environ=ENVIRON))
        async with load(first.port) as run:
            await first.kill()
            await asyncio.sleep(0.2)
        began = time.monotonic()
    async with serving(folder / "data", *flags, environ=ENVIRON) as again:
        report.back = f"{time.monotonic() - began:.1f} s to the next start's greeting"
        rows = await _events(again)
        report.of(run, rows, most_failed=10**9)
        report.expect(report.lost < 100, "more rows lost than a queue of some hundredths of a second")  # noqa: PLR2004
        report.expect(await again.stop() == 0, "the stop failed")
    return report


async def writer_killed(folder: Path) -> Report:
    report = Report("SQLite: the log writer is killed, three times")
    async with serving(folder / "data", environ=ENVIRON) as server:
        async with load(server.port) as run:
            for _ in range(3):
                server.writer.kill()
                await asyncio.sleep(1)
                await _until(lambda: server.children("penstock.worker.log_writer"))
        report.of(run, await _settled(server, run), most_failed=0)
        report.expect(report.lost == 0, "rows were lost")
    return report


async def disk_full(folder: Path) -> Report:
    report = Report(f"SQLite: the disk is full for {AWAY:g} s")
    with _small_disk(folder / "disk", "64m") as disk:
        async with serving(disk / "data", environ=ENVIRON) as server:
            async with load(server.port) as run:
                ballast = disk / "ballast"
                with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
                    while True:
                        file.write(bytes(4096))
                report.control = await _control_while_away(server, report)
                await asyncio.sleep(AWAY)
                waiting = (await server.metrics())["penstock_log_rows_pending"]
                report.expect(waiting > 0, "no row waited: the disk was not full")
                ballast.unlink()
                freed = time.monotonic()
                await _writable(server)
                report.back = f"{time.monotonic() - freed:.1f} s"
            report.of(run, await _settled(server, run), most_failed=0)
            report.expect(report.lost == 0, "rows were lost")
    return report


async def postgres_stopped(folder: Path) -> Report:
    return await _postgres_away(folder, f"PostgreSQL: stopped for {AWAY:g} s", lambda server: server.stop())


async def postgres_killed(folder: Path) -> Report:
    return await _postgres_away(folder, f"PostgreSQL: killed, started after {AWAY:g} s", lambda server: server.kill())


async def _postgres_away(folder: Path, name: str, away: Callable[[services.Server], None]) -> Report:
    report = Report(name)
    async with _fleet(folder) as (server, postgres, _):
        async with load(server.port) as run:
            away(postgres)
            report.control = await _control_while_away(server, report)
            await asyncio.sleep(AWAY)
            postgres.start()
            began = time.monotonic()
            await _writable(server)
            report.back = f"{time.monotonic() - began:.1f} s"
        report.of(run, await _settled(server, run), most_failed=0)
        report.expect(report.lost == 0, "rows were lost")
    return report


async def queue_overflows(folder: Path) -> Report:
    report = Report("PostgreSQL: stopped, and more rows come than may wait (1,000)")
    async with _fleet(folder, PENSTOCK_LOG_QUEUE_ROWS="500") as (server, postgres, _):
        async with load(server.port) as run:
            postgres.stop()
            await asyncio.sleep(AWAY)
            postgres.start()
            await _writable(server)
        rows = await _settled(server, run, lossy=True)
        told = (await server.metrics())["penstock_log_rows_dropped_total"]
        report.of(run, rows, most_failed=0)
        report.back = f"{told:.0f} rows counted as dropped"
        report.expect(report.lost > 0, "nothing was dropped: the queue did not overflow")
        report.expect(report.lost == told, f"{report.lost} rows are missing and {told:.0f} are counted as dropped")
    return report


async def redis_away(folder: Path) -> Report:
    report = Report(f"Redis: stopped for {AWAY:g} s")
    async with _fleet(folder) as (server, _, redis):
        async with load(server.port) as run:
            redis.stop()
            began = time.monotonic()
            status, _ = await _change(server)
            report.control = f"{status}, a change acts"
            report.expect(status == 200, f"a change was answered {status}")  # noqa: PLR2004
            await asyncio.sleep(AWAY - (time.monotonic() - began))
            redis.start()
            await asyncio.sleep(2)
            report.back = "–"
        report.of(run, await _settled(server, run), most_failed=0)
        report.expect(report.lost == 0, "rows were lost")
    return report


async def worker_killed(folder: Path) -> Report:
    report = Report("Two workers: one is killed")
    async with _fleet(folder) as (server, _, _redis):
        async with load(server.port) as run:
            victim = server.members[0]
            victim.kill()
            began = time.monotonic()
            await _until(lambda: len(server.members) == 2 and victim.pid not in {w.pid for w in server.members})  # noqa: PLR2004
            report.back = f"{time.monotonic() - began:.1f} s to another one"
            await asyncio.sleep(2)
        rows = await _settled(server, run, lossy=True)
        report.of(run, rows, most_failed=CLIENTS)
        report.expect(report.lost < 100, "more rows lost than a queue of some hundredths of a second")  # noqa: PLR2004
    return report


async def fleet_writer_killed(folder: Path) -> Report:
    report = Report("Two workers: a log writer is killed")
    async with _fleet(folder) as (server, _, _redis):
        async with load(server.port) as run:
            for worker in server.members:
                for child in worker.children():
                    child.kill()
            await asyncio.sleep(3)
        report.of(run, await _settled(server, run), most_failed=0)
        report.expect(report.lost == 0, "rows were lost")
    return report


async def parent_killed(folder: Path) -> Report:
    report = Report("Two workers: their parent is killed, and started again")
    async with _fleet(folder) as (server, postgres, redis):
        family = psutil.Process(server.pid).children(recursive=True)
        async with load(server.port) as run:
            await server.kill()
            began = time.monotonic()
            await asyncio.sleep(0.5)
        gone, alive = await asyncio.to_thread(psutil.wait_procs, family, 30)
        report.back = f"{time.monotonic() - began:.1f} s until the last of {len(gone)} processes was gone"
        report.expect(not alive, f"{len(alive)} processes outlived their parent")
        async with _again(folder, postgres, redis) as again:
            report.of(run, await _events(again), most_failed=10**9)
            report.expect(report.lost == 0, "rows were lost")
    return report


SETTINGS = {
    "authentication": False,
    "cache_invalidate_on_update": False,
    "cache_ttl": 0,
    "collect_logs": True,
    "rate_limiting_interval": 0,
    "rate_limiting_limit": 0,
}
DRILLS = (
    *(server_killed, writer_killed, disk_full, worker_killed, fleet_writer_killed, parent_killed),
    *(postgres_stopped, postgres_killed, queue_overflows, redis_away),
)


# What they are made of


@asynccontextmanager
async def _fleet(folder: Path, **more: str) -> AsyncGenerator[tuple[Serving, services.Server, services.Server]]:
    """Two workers on a PostgreSQL that keeps its promises, and a Redis."""
    with services.postgres("shared_buffers=64MB") as postgres, services.redis() as redis:
        async with _again(folder, postgres, redis, **more) as server:
            yield server, postgres, redis


@asynccontextmanager
async def _again(
    folder: Path, postgres: services.Server, redis: services.Server, **more: str
) -> AsyncGenerator[Serving]:
    environ = ENVIRON | {
        "PENSTOCK_DATABASE_URL": postgres.url,
        "PENSTOCK_REDIS_URL": redis.url,
        "PENSTOCK_MASTER_KEY": KEY,
        "PENSTOCK_WORKERS": "2",
    }
    async with serving(folder / "data", environ=environ | more) as server:
        yield server


@contextmanager
def _small_disk(place: Path, size: str) -> Generator[Path]:
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], check=False)
    if done.returncode:
        sys.exit("The drill of the full disk mounts a small file system in memory: run it as root.")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=False)


async def _change(server: Serving) -> tuple[int, Any]:
    """Changes a setting that has no bearing on the load; what changes nothing would not be written."""
    settings = SETTINGS | {"cache_ttl": time.monotonic_ns() % 10**9}
    return await server.ask("PUT", "/accounts/{account}/ai-gateway/gateways/default", settings)


async def _control_while_away(server: Serving, report: Report) -> str:
    """What a change is answered with, until it is a refusal."""
    async with asyncio.timeout(PATIENCE):
        while True:
            status, told = await _change(server)
            if status != 200:  # noqa: PLR2004
                report.expect(status == 503, f"the control plane answered {status}: {told}")  # noqa: PLR2004
                return f"{status}, “{told['errors'][0]['message'][:60]}”" if told["errors"] else str(status)
            await asyncio.sleep(0.1)


async def _writable(server: Serving) -> None:
    """Until a change succeeds again."""
    async with asyncio.timeout(PATIENCE):
        while (await _change(server))[0] != 200:  # noqa: PLR2004, ASYNC110
            await asyncio.sleep(0.1)


async def _settled(server: Serving, run: Load, *, lossy: bool = False) -> set[str]:
    """The rows' event ids once all are there; where some may be ``lossy``, once no more come."""
    rows: set[str] = set()
    async with asyncio.timeout(PATIENCE):
        while True:
            metrics = await server.metrics()
            if not metrics["penstock_log_rows_pending"]:
                more = await _events(server)
                if set(run.answered) <= more or (lossy and more == rows):
                    return more
                rows = more
            await asyncio.sleep(0.5)


async def _events(server: Serving) -> set[str]:
    return {str(row["event_id"]) for row in await server.rows()}


async def _until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  what it waits for happens in another process
            await asyncio.sleep(0.02)


def _free_port() -> int:
    import socket  # noqa: PLC0415

    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def _table(reports: list[Report]) -> str:
    head = "| what happens | calls answered | failed | longest gap | rows lost | the control plane meanwhile | back |"
    lines = [head, "| --- | --: | --: | --: | --: | --- | --- |"]
    lines += [
        f"| {r.name} | {r.calls:,} | {r.failed} | {r.gap:.2f} s | {r.lost} | {r.control} | {r.back} |" for r in reports
    ]
    return "\n".join(lines) + "\n"


async def _run(drill: Callable[[Path], Awaitable[Report]]) -> Report:
    with tempfile.TemporaryDirectory(prefix="penstock-drill-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101, S103
        report = await drill(Path(folder))
    print(f"{'FAILED' if report.faults else 'held':7} {report.name} {'; '.join(report.faults)}", flush=True)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(drill.__name__ for drill in DRILLS)}; by default all")
    parser.add_argument("--no-write", action="store_true", help="print only")
    chosen = parser.parse_args()
    drills = [drill for drill in DRILLS if not chosen.names or drill.__name__ in chosen.names]
    reports = [asyncio.run(_run(drill)) for drill in drills]
    table = _table(reports)
    print(table)
    if not (chosen.no_write or chosen.names or any(report.faults for report in reports)):
        before, _, rest = PAGE.read_text("utf-8").partition("<!-- drill -->\n")
        PAGE.write_text(f"{before}<!-- drill -->\n{table}<!-- end -->{rest.partition('<!-- end -->')[2]}", "utf-8")
    return int(any(report.faults for report in reports))


if __name__ == "__main__":
    sys.exit(main())
