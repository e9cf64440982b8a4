"""Everything that decides about a call, switched on: what it costs a call that passes, one that hits, one that is
refused.
"""

from typing import Any

from bench import targets
from bench.figures import Budget, spread
from bench.load import MARK
from bench.session import Session
from bench.table import Table
from bench.throughput import HEADING, LOGGED_CPU, Target, fill, run
from tests.kit.store import ACCOUNT

ALL_ON_RATE = Budget("≥", 0.25, "× nginx")
HIT_RATE = Budget("≥", 0.40, "× nginx")

MANY: dict[str, Any] = {"rate_limiting_interval": 60, "rate_limiting_limit": 10**9}
GATEWAYS: dict[str, dict[str, Any]] = {
    "default": {},
    "fixed": {"authentication": True, "cache_ttl": 600, **MANY, "retry_max_attempts": 3},
    "sliding": {"authentication": True, "cache_ttl": 600, **MANY, "rate_limiting_technique": "sliding"},
    "cached": {"cache_ttl": 600},
    "silent": {"cache_ttl": 600, "collect_logs": False},
    "used-up": {"rate_limiting_interval": 10**9, "rate_limiting_limit": 1, "collect_logs": False},
    "used-up-sliding": {
        "rate_limiting_interval": 10**9,
        "rate_limiting_limit": 1,
        "rate_limiting_technique": "sliding",
        "collect_logs": False,
    },
}


def path(gateway: str, *, unique: bool = False) -> str:
    """Where calls go; ``unique``: no two are the same."""
    return f"/v1/{ACCOUNT}/{gateway}/openai/chat/completions" + (f"?{MARK}" if unique else "")


def measure(session: Session) -> Table:
    """Rounds beside nginx."""
    table = Table("Traffic policy", HEADING)
    with session.alone() as part:
        text = targets.config(part.upstream.port)
        ours = part.serving("policy", text, GATEWAYS)
        full = part.serving("full", f'cache_size = "1MB"\n{text}', GATEWAYS)
        store, key = part.store(ours), targets.WITH_TOKEN
        on = (ALL_ON_RATE, LOGGED_CPU)

        def missing(name: str, gateway: str, server: Any = ours) -> Target:
            where = (path(gateway, unique=True),)
            return Target(name, server, where, part.store(server), headers=key, unique=True)

        plan = [
            (Target("nginx proxy_pass", part.nginx, (targets.DIRECT,)), None),
            (missing("everything on, fixed limit, cache miss", "fixed"), on),
            (missing("everything on, sliding limit, cache miss", "sliding"), on),
            (missing("the same, fixed, cache at its limit of 1 MB", "fixed", full), on),
            (Target("cache hit, log on", ours, (path("cached"),), store), (HIT_RATE, LOGGED_CPU)),
            (Target("cache hit, log off", ours, (path("silent"),)), None),
            (Target("refused: over a fixed limit", ours, (path("used-up"),), status=429), None),
            (Target("refused: over a sliding limit", ours, (path("used-up-sliding"),), status=429), None),
        ]
        for gateway in ("used-up", "used-up-sliding"):
            Target("its one place", ours, (path(gateway),)).check()
        rounds = run(part, [target for target, _ in plan])
        for (target, budgets), found in zip(plan, rounds, strict=True):
            fill(table, target, found, rounds[0], budgets)
    wide = ", ".join(
        f"{target.name} {spread([one.rate for one in found]):.0%}"
        for (target, _), found in zip(plan, rounds, strict=True)
    )
    table.notes += [
        "Everything on: authentication, limit, retries, cache, usage, cost, log with bodies; all calls differ.",
        f"Between the fastest and the slowest round: {wide}.",
    ]
    return table
