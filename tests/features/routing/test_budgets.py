"""What an answer cost is counted in the background, and before a gateway stops."""

import asyncio

from penstock.backends.counters.memory import MemoryCounters
from penstock.features.routing.budgets import Budgets
from penstock.model.graph import Limit

DOLLAR = Limit("e", "cost", "metadata.user", str, 1.0, 3600, "fixed", "end")


class Slow(MemoryCounters):
    """Counts when the test lets it."""

    def __init__(self):
        super().__init__()
        self.answers = asyncio.Event()

    async def take(self, owner, limit, amount=1):
        await self.answers.wait()
        return await super().take(owner, limit, amount)


async def test_what_was_spent_is_counted_before_the_gateway_stops():
    counters = Slow()
    budgets = Budgets(counters)
    budgets.settle("ada", DOLLAR, 700_000_000)
    stopping = asyncio.create_task(budgets.settled())
    budgets.settle("ada", DOLLAR, 800_000_000)
    await asyncio.sleep(0)
    assert not stopping.done()
    counters.answers.set()
    await stopping
    taken = await budgets.take("ada", DOLLAR)
    assert (taken.given, taken.used) == (False, 1_500_000_000)
