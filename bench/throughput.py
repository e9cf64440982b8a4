"""Requests a second and CPU a request, round by round beside nginx."""

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import ledger, load, payload, targets
from bench.figures import Budget, median, paired_ratio, spread, verdict
from bench.probe import expect
from bench.procs import BenchFault, Server, cpu_us
from bench.session import Session
from bench.table import Table

LOGGED_RATE = Budget("≥", 0.28, "× nginx")
LOGGED_CPU = Budget("≤", 100, "µs")
ALL_ROWS = Budget("≥", 1)
SAME_COST = Budget("≤", 1.05, "× one gateway")
GATEWAYS = 10_000
WARM_UP = 2
HTTP_ERROR = 400

HEADING = (
    "1 KB, 16 connections",
    "requests/s",
    "× nginx",
    "CPU µs",
    "CPU × nginx",
    "rows/calls",
    "drain s",
    "budget",
    "",
)


@dataclass(frozen=True)
class Round:
    """One target in one round. ``cpu`` microseconds a request of all its processes until its last row was written."""

    rate: float
    cpu: float
    answered: int
    drained: ledger.Drained | None


@dataclass(frozen=True)
class Target:
    """Where the load goes: ``store`` is the URL of that whose rows are waited for, None where no row is due."""

    name: str
    server: Server
    paths: tuple[str, ...]
    store: str | None = None
    status: int = 200  # that every answer must have
    headers: dict[str, str] | None = None
    unique: bool = False  # no two calls are the same
    bodies: list[bytes] | None = None  # None: prompts of 1 KB
    rows: int = 1  # that each call leaves

    def script(self, folder: Path) -> Path:
        """The wrk script of this target, written once."""
        file = folder / f"{re.sub(r'[^0-9A-Za-z]+', '-', self.name)}.lua"
        if not file.exists():
            bodies = payload.prompts(64) if self.bodies is None else self.bodies
            load.script(file, self.paths, bodies, self.headers, unique=self.unique)
        return file

    def check(self) -> None:
        """One call is answered as it should be, before thousands are counted."""
        body = payload.prompt(1) if self.bodies is None else self.bodies[0]
        call = payload.request(self.server.port, self.paths[0], body, self.headers)
        expect(self.server.port, call, self.status, self.name)

    def measure(self, folder: Path, seconds: float) -> Round:
        """Loads it and waits until nothing is left to do for it."""
        block = ledger.newest_block(self.store) if self.store else 0
        cpu = cpu_us(self.server.pid)
        found = load.run(self.server.port, self.script(folder), seconds)
        if found.lost or found.refused != (found.answered if self.status >= HTTP_ERROR else 0):
            raise BenchFault(f"{self.name}: {found.refused} of {found.answered} refused, {found.lost} connections lost")
        drained = ledger.drain(self.store, block, found.answered * self.rows) if self.store else None
        return Round(found.rate, (cpu_us(self.server.pid) - cpu) / found.answered, found.answered, drained)


def measure(session: Session) -> Table:
    """The main table."""
    table = Table("Throughput", HEADING)
    with session.alone() as part:
        ours = part.penstock
        store = part.store(ours)
        key, wrong = targets.WITH_TOKEN, targets.WITHOUT
        plan: list[tuple[Target, tuple[Budget, Budget] | None]] = [
            (Target("nginx proxy_pass", part.nginx, (targets.DIRECT,)), None),
            (Target("bare asyncio forwarding", part.bare, (targets.DIRECT,)), None),
            (Target("Penstock, log off", ours, (targets.UNLOGGED,)), None),
            (Target("Penstock, log on", ours, (targets.LOGGED,), store), (LOGGED_RATE, LOGGED_CPU)),
            (Target("Penstock, log and authentication on", ours, (targets.CLOSED,), store, headers=key), None),
            (Target("Penstock, refused: no such gateway", ours, (targets.UNKNOWN,), status=400), None),
            (Target("Penstock, refused: wrong token", ours, (targets.SILENT,), status=401, headers=wrong), None),
        ]
        rounds = run(part, [target for target, _ in plan])
        for (target, budgets), found in zip(plan, rounds, strict=True):
            fill(table, target, found, rounds[0], budgets)
    wide = ", ".join(
        f"{target.name} {spread([one.rate for one in found]):.0%}"
        for (target, _), found in zip(plan, rounds, strict=True)
    )
    table.notes.append(f"Between the fastest and the slowest round: {wide}.")
    table.notes.append("CPU µs: a request, all processes of the target, until its last log row is written.")
    return table


def run(session: Session, plan: list[Target]) -> list[list[Round]]:
    """Checks, warms up, then all rounds."""
    for target in plan:
        target.check()
    for target in plan:
        target.measure(session.folder, WARM_UP)
    return session.interleaved([partial(target.measure, session.folder, session.seconds) for target in plan])


def fill(
    table: Table, target: Target, found: list[Round], nginx: list[Round], budgets: tuple[Budget, Budget] | None
) -> None:
    """One row."""
    rate = paired_ratio([one.rate for one in found], [one.rate for one in nginx])
    cpu = median([one.cpu for one in found])
    cpu_ratio = paired_ratio([one.cpu for one in found], [one.cpu for one in nginx])
    drains = [one.drained for one in found if one.drained]
    rows, calls = sum(one.rows for one in drains), sum(one.expected for one in drains)
    missing = sum(one.missing for one in drains)
    kept = (ALL_ROWS if drains else None, (calls - missing) / calls if drains else 1)
    judged = [(budgets[0], rate), (budgets[1], cpu), kept] if budgets else [kept]
    table.add(
        target.name,
        f"{median([one.rate for one in found]):,.0f}",
        f"{rate:.3f}",
        f"{cpu:.1f}",
        f"{cpu_ratio:.2f}",
        f"{rows:,}/{calls:,}" if drains else "",
        f"{median([one.seconds for one in drains]):.2f}" if drains else "",
        ", ".join(budget.text() for budget in budgets) if budgets else "",
        verdict(*judged),
    )
    if missing:
        table.notes.append(f"{target.name}: {missing:,} answered calls have no log row.")


def growth(session: Session) -> Table:
    """The cost of a call with one gateway configured and with ten thousand."""
    table = Table("Growth with configuration", ("log on", "requests/s", "CPU µs", "× one gateway", "budget", ""))
    with session.alone() as part:
        names = [f"g{number:05}" for number in range(GATEWAYS)]
        text = targets.config(part.upstream.port)
        many = part.serving("many", text, {name: {} for name in names})
        one = part.penstock
        paths = tuple(targets.LOGGED.replace("/default/", f"/{name}/") for name in names[:: GATEWAYS // 63])
        plan = [
            Target("one gateway", one, (targets.LOGGED,), part.store(one)),
            Target("10,000 gateways, calls to 64 of them", many, paths, part.store(many)),
        ]
        rounds = run(part, plan)
        for target, found, budget in zip(plan, rounds, (None, SAME_COST), strict=True):
            ratio = paired_ratio([one.cpu for one in found], [one.cpu for one in rounds[0]])
            rate, cpu = median([one.rate for one in found]), median([one.cpu for one in found])
            text = budget.text() if budget else ""
            table.add(target.name, f"{rate:,.0f}", f"{cpu:.1f}", f"{ratio:.3f}", text, verdict((budget, ratio)))
    return table
