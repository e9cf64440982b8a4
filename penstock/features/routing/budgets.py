"""What limits of dynamic routes count: calls when they pass, and costs when the answer is priced."""

from typing import Protocol

from penstock.core.tasks import Tasks
from penstock.model.graph import Limit
from penstock.ports.counters import Counters, RateLimit, Taken

NANO = 10**9  # of a dollar
_UNLIMITED = 1 << 53


class Counts(Protocol):
    """What a route asks at its limits."""

    async def take(self, owner: str, limit: Limit) -> Taken:
        """A place for one call; of a limit of costs, only whether there is one."""
        ...

    def settle(self, owner: str, limit: Limit, cost: int) -> None:
        """Counts the nano-dollars of an answer, whatever the limit: they are spent."""
        ...


class Budgets(Counts):
    """Shared by all routes of a process."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._tasks = Tasks()

    async def take(self, owner: str, limit: Limit) -> Taken:
        costs = limit.kind == "cost"
        return await self._counters.take(owner, counted(limit), 0 if costs else 1)

    def settle(self, owner: str, limit: Limit, cost: int) -> None:
        boundless = counted(limit)._replace(limit=_UNLIMITED)
        self._tasks.start("settle a budget", self._counters.take(owner, boundless, cost))

    async def settled(self) -> None:
        """Returns when all is counted: a gateway that stops waits for that."""
        await self._tasks.finish()


def counted(limit: Limit) -> RateLimit:
    """The same in places."""
    most = round(limit.limit * NANO) if limit.kind == "cost" else int(limit.limit)
    return RateLimit(limit.interval, most, limit.technique)
