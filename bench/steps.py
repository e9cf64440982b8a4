"""Calls of several steps: what the universal endpoint adds to a native call, and what a failing first step costs."""

from bench import payload, targets
from bench.figures import median
from bench.session import Session
from bench.table import Table
from bench.throughput import Round, Target, run
from penstock.core import codec
from tests.kit.store import ACCOUNT

UNIVERSAL = f"/v1/{ACCOUNT}/default"
FAILS = "fails"  # an endpoint of the upstream that answers with an error
PROMPTS = 64
HEADING = ("log on, 1 KB prompts", "requests/s", "CPU µs", "µs beside native", "rows/calls")


def body(prompt: bytes, *first: str) -> bytes:
    """The prompt as the last of several steps; ``first``: endpoints of those before it."""
    steps = [
        {"provider": "openai", "endpoint": endpoint, "headers": payload.HEADERS, "query": codec.decode(prompt)}
        for endpoint in (*first, "v1/chat/completions")
    ]
    return codec.encode(steps)


def measure(session: Session) -> Table:
    """Rounds beside native calls."""
    table = Table("Steps", HEADING)
    prompts = payload.prompts(PROMPTS)
    with session.alone() as part:
        ours = part.penstock
        store = part.store(ours)
        plan = [
            Target("native", ours, (targets.LOGGED,), store),
            Target("universal, one step", ours, (UNIVERSAL,), store, bodies=[body(prompt) for prompt in prompts]),
            Target(
                "universal, the first of two steps fails",
                ours,
                (UNIVERSAL,),
                store,
                bodies=[body(prompt, FAILS) for prompt in prompts],
                rows=2,
            ),
        ]
        rounds = run(part, plan)
    for target, found in zip(plan, rounds, strict=True):
        _fill(table, target, found, rounds[0])
    table.notes.append("The failing step is answered with a status of 500; each executed step has its row.")
    return table


def _fill(table: Table, target: Target, found: list[Round], native: list[Round]) -> None:
    more = median([one.cpu - other.cpu for one, other in zip(found, native, strict=True)])
    drains = [one.drained for one in found if one.drained]
    table.add(
        target.name,
        f"{median([one.rate for one in found]):,.0f}",
        f"{median([one.cpu for one in found]):.1f}",
        f"{more:+.1f}" if found is not native else "",
        f"{sum(one.rows for one in drains):,}/{sum(one.answered for one in found):,}",
    )
