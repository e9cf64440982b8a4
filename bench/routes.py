"""Dynamic routes: what a walk through ten elements adds to a call of the unified API, and to those that walk none."""

import httpx

from bench import payload, targets
from bench.figures import Budget, median, paired_difference, verdict
from bench.procs import Server
from bench.session import Session
from bench.table import Table
from bench.throughput import Target, run
from penstock.core import codec
from tests.kit.routes import conditional, end, model, percentage, rate, start
from tests.kit.store import ACCOUNT

WALK = Budget("≤", 20, "µs more")
NONE = Budget("≤", 1, "µs more")
PROMPTS = 64
API = f"/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways/default/routes"
NATIVE, UNIFIED = "openai/chat/completions", "compat/chat/completions"
FACTS = {"cf-aig-metadata": codec.encode({"plan": "paid", "user": "u1"}).decode(), "x-team": "red"}
HEADING = ("log on, 1 KB", "requests/s", "CPU µs", "µs more", "than", "budget", "")


def graph(*conditions: dict[str, object]) -> list[dict[str, object]]:
    """Ten elements. A call that satisfies the three conditions passes seven of them and asks the model ``large``."""
    first, second, third = conditions
    return [
        start("first"),
        conditional("first", first, "second", "last"),
        conditional("second", second, "third", "last"),
        conditional("third", third, "split", "last"),
        percentage("split", {"0%": "small", "else": "quota"}),
        rate("quota", "large", "small", limit=1_000_000_000, window=86_400),
        model("large", "end", "small", model=payload.MODEL),
        model("small", "end", "last", model=payload.MODEL),
        model("last", model=payload.MODEL),
        end(),
    ]


ROUTES = {
    "facts": graph(
        {"metadata.plan": "paid"}, {"headers.x-team": {"$in": ["red", "blue"]}}, {"cf.country": {"$ne": "US"}}
    ),
    "body": graph({"metadata.plan": "paid"}, {"body.messages.0.role": "system"}, {"body.temperature": {"$lt": 1}}),
}


def measure(session: Session) -> Table:
    """Rounds beside the same calls without a route. All have the headers that the conditions ask for."""
    table = Table("Dynamic routes", HEADING)
    with session.alone() as part:
        ours = part.serving("routes", targets.config(part.upstream.port), {"default": {}, "plain": {}})
        for name, elements in ROUTES.items():
            _make(ours, name, elements)
        store = part.store(ours)

        def target(name: str, gateway: str, path: str, asked: str) -> Target:
            bodies = payload.prompts(PROMPTS, model=asked)
            return Target(name, ours, (f"/v1/{ACCOUNT}/{gateway}/{path}",), store, headers=FACTS, bodies=bodies)

        plan: list[tuple[Target, int, Budget | None]] = [  # each with the row that it is set beside
            (target("native, a gateway without routes", "plain", NATIVE, payload.MODEL), 0, None),
            (target("native, a gateway with routes", "default", NATIVE, payload.MODEL), 0, NONE),
            (target("unified", "default", UNIFIED, f"openai/{payload.MODEL}"), 2, None),
            (target("a route, by metadata and headers", "default", UNIFIED, "dynamic/facts"), 2, WALK),
            (target("a route, by metadata and body", "default", UNIFIED, "dynamic/body"), 2, None),
        ]
        rounds = run(part, [target for target, _, _ in plan])
    cpu = [[one.cpu for one in found] for found in rounds]
    for at, (target_, beside, budget) in enumerate(plan):
        more = paired_difference(cpu[at], cpu[beside])
        table.add(
            target_.name,
            f"{median([one.rate for one in rounds[at]]):,.0f}",
            f"{median(cpu[at]):.1f}",
            f"{more:+.1f}" if at != beside else "",
            plan[beside][0].name if at != beside else "",
            budget.text() if budget else "",
            verdict((budget, more)),
        )
    table.notes.append(
        "A route of ten elements, of which a call passes seven: three conditions, a share, a limit and a model."
    )
    return table


def _make(server: Server, name: str, elements: list[dict[str, object]]) -> None:
    headers = {"authorization": f"Bearer {targets.TOKEN}"}
    body = {"name": name, "elements": elements}
    httpx.post(f"http://127.0.0.1:{server.port}{API}", json=body, headers=headers, timeout=60).raise_for_status()
