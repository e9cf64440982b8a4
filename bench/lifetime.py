"""Start and memory."""

import time
from pathlib import Path

from bench import ledger, load, payload, targets
from bench.figures import Budget, median, verdict
from bench.probe import OK, once
from bench.procs import BenchFault, Memory, Server, memory
from bench.session import Session
from bench.table import Table

START = Budget("≤", 1.5, "s")
IDLE = Budget("≤", 120, "MB")
FLAT = Budget("≤", 1.05, "×")
FIRST_MARK = 50_000
START_LIMIT = 30  # seconds
MB = 1_000_000


def start(session: Session) -> Table:
    """From the command to the first answered call."""
    table = Table("Start to the first answered call", ("", "median s", "slowest s", "budget", ""))
    first: list[float] = []
    again: list[float] = []
    with session.alone() as part:
        _start(part.folder, part.upstream.port, "warm")  # compiles the modules, fills the page cache
        for turn in range(part.rounds):
            with part.quiet.round():
                first.append(_start(part.folder, part.upstream.port, f"fresh-{turn}"))
                again.append(_start(part.folder, part.upstream.port, f"fresh-{turn}"))
    for name, found in (("first start, empty data folder", first), ("second start", again)):
        table.add(name, f"{median(found):.2f}", f"{max(found):.2f}", START.text(), verdict((START, median(found))))
    table.notes.append("A fresh process each; modules compiled, files in the page cache.")
    return table


def _start(folder: Path, upstream: int, name: str) -> float:
    """Seconds. Asks every two milliseconds until a call is answered with 200."""
    begun = time.monotonic()
    server = targets.penstock(folder, name, targets.config(upstream))
    try:
        request = payload.request(server.port, targets.LOGGED, payload.prompt(1))
        while time.monotonic() - begun < START_LIMIT:
            try:
                if once(server.port, request)[0] == OK:
                    return time.monotonic() - begun
            except (OSError, BenchFault):
                if server.process.poll() is not None:
                    break
            time.sleep(0.002)  # a starting server tells nobody; this is the resolution of the figure
        raise BenchFault(f"no call was answered within {START_LIMIT} s: {server.tail()}")
    finally:
        server.stop()


def resident(session: Session) -> Table:
    """Memory idle, after load, and whether it grows with the number of calls."""
    table = Table(
        "Memory, one worker and its log writer", ("", "resident MB", "each process", "shared once", "budget", "")
    )
    with session.alone() as part:
        ours = part.penstock
        once(ours.port, payload.request(ours.port, targets.LOGGED, payload.prompt(1)))
        ledger.drain(part.store(ours), 0, 1)
        _row(table, "idle, after one call", memory(ours.pid), IDLE)
        lua = load.script(part.folder / "memory.lua", (targets.LOGGED,), payload.prompts(64))
        calls, early = _until(part, ours, lua, 0, FIRST_MARK)
        _row(table, f"after {calls:,} calls", early, None)
        calls, late = _until(part, ours, lua, calls, part.soak)
        _row(table, f"after {calls:,} calls", late, None)
    grown = (sum(late.rss) - sum(early.rss)) / MB
    ratio = sum(late.rss) / sum(early.rss)
    name = f"growth between the two, × {ratio:.3f}"
    table.add(name, f"{grown:+.1f}", "", "", FLAT.text(), verdict((FLAT, ratio)))
    table.notes.append(
        "Resident: the sum over all processes, pages they share counted in each; the budget is held to this."
    )
    table.notes.append("Log on; measured after the last row was written.")
    return table


def _until(session: Session, server: Server, lua: Path, calls: int, mark: int) -> tuple[int, Memory]:
    """Loads until ``mark`` calls have been answered in all; calls so far, and memory once the rows are written."""
    while calls < mark:
        block = ledger.newest_block(session.store(server))
        with session.quiet.round():
            found = load.run(server.port, lua, min(5, max(1, (mark - calls) // 20_000)))
            drained = ledger.drain(session.store(server), block, found.answered)
        if drained.missing:
            raise BenchFault(f"{drained.missing:,} of {found.answered:,} calls have no log row: {server.tail()}")
        calls += found.answered
    return calls, memory(server.pid)


def _row(table: Table, name: str, found: Memory, budget: Budget | None) -> None:
    total = sum(found.rss) / MB
    each = " + ".join(f"{size / MB:.0f}" for size in found.rss)
    text = budget.text() if budget else ""
    table.add(name, f"{total:.1f}", each, f"{sum(found.pss) / MB:.1f}", text, verdict((budget, total)))
