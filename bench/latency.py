"""What a call takes longer through a gateway: at concurrency 1, at 1 KB and at 100 KB."""

from functools import partial

from bench import payload, targets
from bench.figures import Budget, median, paired_difference, percentile, verdict
from bench.probe import closed_loops, expect
from bench.procs import Server
from bench.session import Session
from bench.table import Table

ADDED_P50 = Budget("≤", 0.25, "ms p50")
ADDED_P99 = Budget("≤", 1, "ms p99")
ADDED_LARGE = Budget("≤", 1, "ms p50")
CALLS = 2000
BLOCK = 25
LARGE = 100 * 1024


def measure(session: Session) -> Table:
    """Added latency of a 1 KB prompt."""
    return _table(session, "Added latency, one call at a time, 1 KB prompt", 1024, CALLS, (ADDED_P50, ADDED_P99))


def large(session: Session) -> Table:
    """Added latency of a 100 KB prompt."""
    return _table(session, "Added latency, one call at a time, 100 KB prompt", LARGE, CALLS // 4, (ADDED_LARGE, None))


def _table(session: Session, title: str, size: int, calls: int, budgets: tuple[Budget, Budget | None]) -> Table:
    table = Table(title, ("", "p50 ms", "p99 ms", "added p50 ms", "added p99 ms", "budget", ""))
    with session.alone() as part:
        plan: list[tuple[str, Server, str]] = [
            ("direct to the upstream", part.upstream, targets.DIRECT),
            ("nginx proxy_pass", part.nginx, targets.DIRECT),
            ("bare asyncio forwarding", part.bare, targets.DIRECT),
            ("Penstock, log off", part.penstock, targets.UNLOGGED),
            ("Penstock, log on", part.penstock, targets.LOGGED),
        ]
        bodies = payload.prompts(64, size)
        for name, server, path in plan:
            expect(server.port, payload.request(server.port, path, bodies[0]), 200, name)
        loops = [(server.port, payload.requests(server.port, path, bodies)) for _, server, path in plan]
        closed_loops(loops, calls, BLOCK)
        rounds = part.interleaved([partial(closed_loops, loops, calls, BLOCK)])[0]
    found = [[one[at] for one in rounds] for at in range(len(plan))]
    p50 = [[percentile(times, 0.5) for times in rounds] for rounds in found]
    p99 = [[percentile(times, 0.99) for times in rounds] for rounds in found]
    for at, (name, _, _) in enumerate(plan):
        added = paired_difference(p50[at], p50[0]), paired_difference(p99[at], p99[0])
        limits = [budget for budget in budgets if budget] if name.startswith("Penstock") else []
        table.add(
            name,
            f"{median(p50[at]):.3f}",
            f"{median(p99[at]):.3f}",
            f"{added[0]:.3f}" if at else "",
            f"{added[1]:.3f}" if at else "",
            ", ".join(budget.text() for budget in limits),
            verdict(*zip(limits, added, strict=False)),
        )
    table.notes.append(
        f"{calls} calls a round on a kept connection each, {BLOCK} at a time in turn;"
        " percentiles a round, then the median of the rounds."
    )
    return table
