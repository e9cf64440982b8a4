"""The command: runs the measurements, prints the tables, writes the document."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench import (
    dashboard,
    keys,
    latency,
    lifetime,
    logs,
    peers,
    policy,
    report,
    routes,
    spend,
    steps,
    streaming,
    throughput,
    translation,
    workers,
)
from bench.machine import Quiet, describe
from bench.procs import BenchFault
from bench.session import Session
from bench.table import Table, plain

ROWS: dict[str, Callable[[Session], Table]] = {
    "throughput": throughput.measure,
    "policy": policy.measure,
    "spend": spend.measure,
    "steps": steps.measure,
    "keys": keys.measure,
    "routes": routes.measure,
    "translation": translation.measure,
    "translation-streams": translation.streams,
    "growth": throughput.growth,
    "latency": latency.measure,
    "prompt": latency.large,
    "streams": streaming.measure,
    "start": lifetime.start,
    "memory": lifetime.resident,
    "workers": workers.measure,
    "workers-prompt": workers.prompt,
    "workers-streams": workers.streams,
    "dashboard": dashboard.measure,
    "logs": logs.measure,
    "pages": dashboard.pages,
    "peers": peers.measure,
}
"""Every table of the benchmark, in running order."""

APART = {"logs", "pages"}  # measured only where named


def options(arguments: list[str]) -> argparse.Namespace:
    """Reads the command line; a partial run never writes the document."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rows", help=f"only these tables, by comma: {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (fewer than 5: not written)")
    parser.add_argument("--seconds", type=float, default=3, help="of load a round and target")
    parser.add_argument("--soak", type=int, default=1_000_000, help="calls after which memory is read again")
    parser.add_argument("--log-rows", type=int, default=10_000_000, help="of the log that is asked questions")
    parser.add_argument("--quick", action="store_true", help="three rounds of one second; not written")
    parser.add_argument("--no-write", action="store_true", help="print only")
    chosen = parser.parse_args(arguments)
    if chosen.quick:
        chosen.rounds, chosen.seconds, chosen.soak = min(chosen.rounds, 3), 1, min(chosen.soak, 100_000)
    names = (
        chosen.rows.split(",")
        if chosen.rows
        else [name for name in ROWS if name not in APART and (name != "peers" or os.environ.get("PEERS"))]
    )
    if unknown := set(names) - set(ROWS):
        parser.error(f"--rows: there is no {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    if chosen.rounds < 1 or chosen.seconds < 1 or chosen.soak <= lifetime.FIRST_MARK:
        parser.error(f"--rounds and --seconds must be at least 1, --soak above {lifetime.FIRST_MARK}")
    chosen.names = names
    chosen.whole = not (chosen.no_write or chosen.rows or chosen.quick or chosen.rounds < 5)  # noqa: PLR2004
    return chosen


def say(text: str) -> None:
    """Progress, apart from the tables."""
    print(text, file=sys.stderr, flush=True)


def run(chosen: argparse.Namespace, folder: Path, stack: ExitStack) -> tuple[list[Table], Quiet]:
    """All tables chosen. One that cannot be measured becomes a table that says so."""
    quiet = Quiet()
    session = Session(folder, stack, quiet, say, chosen.rounds, chosen.seconds, chosen.soak, chosen.log_rows)
    tables: list[Table] = []
    for name in chosen.names:
        begun = time.monotonic()
        say(f"{name} …")
        try:
            table = ROWS[name](session)
        except (BenchFault, OSError) as fault:
            table = Table(name.capitalize(), ("", ""))
            table.failed(name, f"{fault}.")
        quiet.calibrate()
        say(f"  {time.monotonic() - begun:.0f} s")
        print(plain(table), flush=True)
        tables.append(table)
    return tables, quiet


def main() -> int:
    """Returns 1 when something could not be measured; a missed budget is a result, not a failure."""
    chosen = options(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder, ExitStack() as stack:
        tables, quiet = run(chosen, Path(folder), stack)
    print(quiet.sentence())
    misses = report.missed(tables)
    print("\n".join(["", *misses]) if misses else "Every budget was met.")
    if chosen.whole:
        say(f"written: {report.write(tables, describe(), quiet.sentence())}")
    return 1 if any("NOT MEASURED" in line for line in misses) else 0


if __name__ == "__main__":
    sys.exit(main())
