"""The unified API: what it adds to a native call, in the provider's own dialect and in another one."""

from functools import partial

from bench import payload, targets
from bench.figures import Budget, median, paired_difference, verdict
from bench.session import Session
from bench.streaming import Target as Paced
from bench.table import Table
from bench.throughput import Target, run
from tests.kit.store import ACCOUNT

SAME = Budget("≤", 15, "µs more")
OTHER = Budget("≤", 150, "µs more")
FRAME = Budget("≤", 25, "µs more")
PROMPTS = 64
STREAMS = 200
COMPAT = f"/v1/{ACCOUNT}/default/compat/chat/completions"
MESSAGES = f"/v1/{ACCOUNT}/default/anthropic/v1/messages"
CLAUDE = f"anthropic/{payload.CLAUDE}"
CONFIG = """{openai}
[providers.anthropic]
base_url = "http://127.0.0.1:{upstream}{base}"
"""
HEADING = ("log on, 1 KB", "requests/s", "CPU µs", "µs more", "than", "budget", "")


def measure(session: Session) -> Table:
    """Whole answers: rounds of calls through the unified API beside native ones."""
    table = Table("Unified API", HEADING)
    with session.alone() as part:
        upstream = part.upstream.port
        ours = part.serving("unified", CONFIG.format(openai=targets.config(upstream), upstream=upstream, base=""))
        store = part.store(ours)
        same = payload.prompts(PROMPTS, model=f"openai/{payload.MODEL}")
        other = payload.prompts(PROMPTS, model=CLAUDE)
        messages = [payload.message_prompt(seed) for seed in range(PROMPTS)]
        plan: list[tuple[Target, int, Budget | None]] = [  # each with the row that it is set beside
            (Target("native, OpenAI", ours, (targets.LOGGED,), store), 0, None),
            (Target("unified, OpenAI to OpenAI", ours, (COMPAT,), store, bodies=same), 0, SAME),
            (Target("native, Anthropic", ours, (MESSAGES,), store, bodies=messages), 2, None),
            (Target("unified, OpenAI to Anthropic", ours, (COMPAT,), store, bodies=other), 2, OTHER),
        ]
        rounds = run(part, [target for target, _, _ in plan])
    cpu = [[one.cpu for one in found] for found in rounds]
    for at, (target, beside, budget) in enumerate(plan):
        rate = f"{median([one.rate for one in rounds[at]]):,.0f}"
        _fill(
            table, [target.name, rate], cpu[at], None if at == beside else (plan[beside][0].name, cpu[beside]), budget
        )
    table.notes.append(
        "In the same dialect the body goes on byte for byte; in another one it is read and written anew."
    )
    return table


def streams(session: Session) -> Table:
    """Paced streams of Anthropic's, to its own clients and to those of OpenAI."""
    table = Table("Unified API, paced streams", ("log on", "streams", "CPU µs/frame", *HEADING[3:]))
    with session.alone() as part:
        mock = targets.started(part.stack, targets.mock(part.folder)).port
        config = CONFIG.format(openai=targets.config(mock, "/openai"), upstream=mock, base="/anthropic")
        ours = part.serving("unified", config)
        plan = [
            Paced("native, Anthropic", ours, MESSAGES, part.store(ours), payload.CLAUDE),
            Paced("unified, OpenAI to Anthropic", ours, COMPAT, part.store(ours), CLAUDE),
        ]
        for target in plan:
            target.measure(20, 1)
        found = part.interleaved([partial(target.measure, STREAMS) for target in plan])
    cpu = [[one.cpu for one in rounds] for rounds in found]
    _fill(table, [plan[0].name, str(STREAMS)], cpu[0], None, None)
    _fill(table, [plan[1].name, str(STREAMS)], cpu[1], (plan[0].name, cpu[0]), FRAME)
    return table


def _fill(
    table: Table, cells: list[str], cpu: list[float], beside: tuple[str, list[float]] | None, budget: Budget | None
) -> None:
    more = paired_difference(cpu, beside[1]) if beside else 0
    table.add(
        *cells,
        f"{median(cpu):.1f}",
        f"{more:+.1f}" if beside else "",
        beside[0] if beside else "",
        budget.text() if budget else "",
        verdict((budget, more)),
    )
