"""Kills, stops and fills up what Penstock depends on, under load, and reports what became of the calls and their rows.

``make drill`` runs every drill on real processes, then the tests that take too long for ``make test``, and writes the
tables in docs/reliability.md; ``--no-write`` prints them.
The drill of the full disk mounts a small file system in memory, which needs root.
"""

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import deep
import psutil
from drilling import (
    AWAY,
    CLIENTS,
    ENVIRON,
    Report,
    change,
    events,
    fleet,
    load,
    on,
    refused,
    settled,
    small_disk,
    until,
    writable,
)

from tests.kit import services
from tests.kit.process import serving

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reliability.md"


async def server_killed(folder: Path) -> Report:
    report = Report("SQLite: the server is killed, and started again")
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(serving(folder / "data", environ=ENVIRON))
        async with load(first.port) as run:
            await first.kill()
            await asyncio.sleep(0.2)
        began = time.monotonic()
    async with serving(folder / "data", environ=ENVIRON) as again:
        report.back = f"{time.monotonic() - began:.1f} s to the next start's greeting"
        rows = await events(again)
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
                await until(lambda: server.children("penstock.worker.log_writer"))
        report.of(run, await settled(server, run), most_failed=0)
        report.expect(report.lost == 0, "rows were lost")
    return report


async def disk_full(folder: Path) -> Report:
    report = Report(f"SQLite: the disk is full for {AWAY:g} s")
    with small_disk(folder / "disk", "64m") as disk:
        async with serving(disk / "data", environ=ENVIRON) as server:
            async with load(server.port) as run:
                ballast = disk / "ballast"
                with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
                    while True:
                        file.write(bytes(4096))
                report.control = await refused(server, report)
                await asyncio.sleep(AWAY)
                waiting = (await server.metrics())["penstock_log_rows_pending"]
                report.expect(waiting > 0, "no row waited: the disk was not full")
                ballast.unlink()
                freed = time.monotonic()
                await writable(server)
                report.back = f"{time.monotonic() - freed:.1f} s"
            report.of(run, await settled(server, run), most_failed=0)
            report.expect(report.lost == 0, "rows were lost")
    return report


async def postgres_stopped(folder: Path) -> Report:
    return await _postgres_away(folder, f"PostgreSQL: stopped for {AWAY:g} s", lambda server: server.stop())


async def postgres_killed(folder: Path) -> Report:
    return await _postgres_away(folder, f"PostgreSQL: killed, started after {AWAY:g} s", lambda server: server.kill())


async def _postgres_away(folder: Path, name: str, away: Callable[[services.Server], None]) -> Report:
    report = Report(name)
    async with fleet(folder) as (server, postgres, _):
        async with load(server.port) as run:
            away(postgres)
            report.control = await refused(server, report)
            await asyncio.sleep(AWAY)
            postgres.start()
            began = time.monotonic()
            await writable(server)
            report.back = f"{time.monotonic() - began:.1f} s"
        report.of(run, await settled(server, run), most_failed=0)
        report.expect(report.lost == 0, "rows were lost")
    return report


async def queue_overflows(folder: Path) -> Report:
    report = Report("PostgreSQL: stopped, and more rows come than may wait (1,000)")
    async with fleet(folder, PENSTOCK_LOG_QUEUE_ROWS="500") as (server, postgres, _):
        async with load(server.port) as run:
            postgres.stop()
            await asyncio.sleep(AWAY)
            postgres.start()
            await writable(server)
        rows = await settled(server, run, lossy=True)
        told = (await server.metrics())["penstock_log_rows_dropped_total"]
        report.of(run, rows, most_failed=0)
        report.back = f"{told:.0f} rows counted as dropped"
        report.expect(report.lost > 0, "nothing was dropped: the queue did not overflow")
        report.expect(report.lost == told, f"{report.lost} rows are missing and {told:.0f} are counted as dropped")
    return report


async def redis_away(folder: Path) -> Report:
    report = Report(f"Redis: stopped for {AWAY:g} s")
    async with fleet(folder) as (server, _, redis):
        async with load(server.port) as run:
            redis.stop()
            began = time.monotonic()
            status, _ = await change(server)
            report.control = f"{status}, a change acts"
            report.expect(status == 200, f"a change was answered {status}")  # noqa: PLR2004
            await asyncio.sleep(AWAY - (time.monotonic() - began))
            redis.start()
            await asyncio.sleep(2)
            report.back = "–"
        report.of(run, await settled(server, run), most_failed=0)
        report.expect(report.lost == 0, "rows were lost")
    return report


async def worker_killed(folder: Path) -> Report:
    report = Report("Two workers: one is killed")
    async with fleet(folder) as (server, _, _redis):
        async with load(server.port) as run:
            victim = server.members[0]
            victim.kill()
            began = time.monotonic()
            await until(lambda: len(server.members) == 2 and victim.pid not in {w.pid for w in server.members})  # noqa: PLR2004
            report.back = f"{time.monotonic() - began:.1f} s to another one"
            await asyncio.sleep(2)
        rows = await settled(server, run, lossy=True)
        report.of(run, rows, most_failed=CLIENTS)
        report.expect(report.lost < 100, "more rows lost than a queue of some hundredths of a second")  # noqa: PLR2004
    return report


async def fleet_writer_killed(folder: Path) -> Report:
    report = Report("Two workers: a log writer is killed")
    async with fleet(folder) as (server, _, _redis):
        async with load(server.port) as run:
            for worker in server.members:
                for child in worker.children():
                    child.kill()
            await asyncio.sleep(3)
        report.of(run, await settled(server, run), most_failed=0)
        report.expect(report.lost == 0, "rows were lost")
    return report


async def parent_killed(folder: Path) -> Report:
    report = Report("Two workers: their parent is killed, and started again")
    async with fleet(folder) as (server, postgres, redis):
        family = psutil.Process(server.pid).children(recursive=True)
        async with load(server.port) as run:
            await server.kill()
            began = time.monotonic()
            await asyncio.sleep(0.5)
        gone, alive = await asyncio.to_thread(psutil.wait_procs, family, 30)
        report.back = f"{time.monotonic() - began:.1f} s until the last of {len(gone)} processes was gone"
        report.expect(not alive, f"{len(alive)} processes outlived their parent")
        async with on(folder, postgres, redis) as again:
            report.of(run, await events(again), most_failed=10**9)
            report.expect(report.lost == 0, "rows were lost")
    return report


DRILLS = (
    *(server_killed, writer_killed, disk_full, worker_killed, fleet_writer_killed, parent_killed),
    *(postgres_stopped, postgres_killed, queue_overflows, redis_away),
)


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


def _written(name: str, table: str) -> None:
    """Puts a table between its marks in the page."""
    before, _, rest = PAGE.read_text("utf-8").partition(f"<!-- {name} -->\n")
    PAGE.write_text(f"{before}<!-- {name} -->\n{table}<!-- end -->{rest.partition('<!-- end -->')[2]}", "utf-8")


def main() -> int:
    names = [*(drill.__name__ for drill in DRILLS), "deep"]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(names)}; by default all", metavar="NAME")
    parser.add_argument("--no-write", action="store_true", help="print only")
    chosen = parser.parse_args()
    drills = [drill for drill in DRILLS if not chosen.names or drill.__name__ in chosen.names]
    reports = [asyncio.run(_run(drill)) for drill in drills]
    held = not any(report.faults for report in reports)
    tables = {"drill": _table(reports)} if drills else {}
    if held and (not chosen.names or "deep" in chosen.names):
        tables["deep"], held = deep.run()
    for name, table in tables.items():
        print(table)
        if held and not chosen.no_write and (name == "deep" or not chosen.names):
            _written(name, table)
    return int(not held)


if __name__ == "__main__":
    sys.exit(main())
