"""Places within a time, counted: in this process or for all of them. A place is a call, or a nano-dollar."""

from typing import NamedTuple, Protocol

from penstock.model.limits import RateLimit


class Taken(NamedTuple):
    """What became of a wish for a place. ``used``: places taken now, this one included where it was given.

    ``wait``: seconds until there is a place, where none was given.
    """

    given: bool
    used: int
    wait: float
    by: str  # who counted; see model.decision


class Counters(Protocol):
    """Exact under concurrency: a place is given or refused in one step. What is refused takes none."""

    async def take(self, owner: int | str, limit: RateLimit, amount: int = 1) -> Taken:
        """``amount`` places for ``owner``: the number of a gateway, or the name of another. Never raises.

        They are given where there is one that is free, so that the last may overshoot; 0 only asks.
        """
        ...


class Uncounted(Counters):
    """In a process that cannot see what is counted: every place is given."""

    async def take(self, owner: int | str, limit: RateLimit, amount: int = 1) -> Taken:
        return Taken(True, 0, 0.0, "nobody")  # noqa: FBT003  given
