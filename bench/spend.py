"""Money that is reserved before a call and settled after it: what that costs, by itself and within a call."""

import asyncio
import time
from typing import Any

from bench import targets
from bench.figures import Budget, median, paired_difference, verdict
from bench.policy import path
from bench.session import Session
from bench.table import Table
from bench.throughput import Target, run
from penstock.backends.reservations.memory import MemoryReservations
from penstock.core.telemetry import Counter
from penstock.model import money
from penstock.model.money import Claim, Window

ALONE = Budget("≤", 5, "µs")
TIMES = 20_000
RULE = {"limit": 10**9, "limitType": "cost", "window": 86_400}
GATEWAYS: dict[str, dict[str, Any]] = {
    "default": {},
    "limited": {"spend_limits": {"rules": [{"id": "all", **RULE}]}},
    "limits": {"spend_limits": {"rules": [{"id": str(at), **RULE, "technique": "sliding"} for at in range(5)]}},
}
HEADING = ("log on, 1 KB", "requests/s", "CPU µs", "µs more", "budget", "")


def measure(session: Session) -> Table:
    """In this process, and in rounds beside calls of a gateway without a limit."""
    table = Table("Spend limits", HEADING)
    windows = {"fixed": Window("fixed", "month"), "sliding": Window("sliding", "day")}
    for name, window in windows.items():
        took = min([asyncio.run(_alone(window)) for _ in range(3 * session.rounds)])  # what else runs only adds
        what = f"one reserved and settled in memory, {name}"
        table.add(what, "", f"{took:.1f}", "", ALONE.text(), verdict((ALONE, took)))
    with session.alone() as part:
        ours = part.serving("spend", targets.config(part.upstream.port), GATEWAYS)
        names = {"no limit": "default", "a fixed limit": "limited", "five sliding limits": "limits"}
        plan = [Target(name, ours, (path(gateway),), part.store(ours)) for name, gateway in names.items()]
        rounds = run(part, plan)
    for target, found in zip(plan, rounds, strict=True):
        cpu = [one.cpu for one in found]
        more = paired_difference(cpu, [one.cpu for one in rounds[0]])
        rate = median([one.rate for one in found])
        table.add(
            target.name, f"{rate:,.0f}", f"{median(cpu):.1f}", f"{more:+.1f}" if found is not rounds[0] else "", "", ""
        )
    return table


async def _alone(window: Window) -> float:
    """Microseconds of processor time for one claim."""
    reservations, budget = MemoryReservations(Counter()), money.Budget("rule:1:all:", 10**18, window)
    names = [number.to_bytes(16, "big") for number in range(TIMES)]
    begun = time.process_time()
    for name in names:
        claims = (Claim(budget, 1000),)
        await reservations.reserve(name, claims)
        reservations.settle(name, claims, (900,))
    return (time.process_time() - begun) / TIMES * 1_000_000
