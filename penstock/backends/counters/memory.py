"""Places counted in this process."""

import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from penstock.core import instants
from penstock.ports.counters import Counters, RateLimit, Taken

TICKS = 4096  # into which an interval is divided at most: what a sliding count may remember
FEW = 1024  # counts that are kept without asking whether they still matter


class Count(Protocol):
    """Places taken of one limit."""

    until: float  # on the monotonic clock: from then on it is as a new one

    def take(self, limit: int, now: float, amount: int) -> tuple[bool, int, float]:
        """Whether places are given, places taken then, and seconds until one is free."""
        ...


class Fixed(Count):
    """A window of the clock: of an interval of 600 seconds, from 12:00 to 12:10.

    When a window begins, its end is found by the clock, and from then on kept by the monotonic one, so that no step of
    the clock ends it early. Where the clock was set back and is still in that window at its end, the window goes on.
    """

    __slots__ = ("_interval", "_used", "_wall", "_window", "until")

    def __init__(self, interval: int, wall: Callable[[], int]) -> None:
        self._interval = interval
        self._wall = wall
        self._used = 0
        self._window = -1
        self.until = 0.0

    def take(self, limit: int, now: float, amount: int) -> tuple[bool, int, float]:
        if now >= self.until:
            span = self._interval * 1000
            window, gone = divmod(self._wall(), span)
            if window != self._window:
                self._window, self._used = window, 0
            self.until = now + (span - gone) / 1000
        if self._used >= limit:
            return False, self._used, self.until - now
        self._used += amount
        return True, self._used, 0.0


class Sliding(Count):
    """The last interval at any time: no interval, wherever it begins, holds more than the limit.

    Time is counted in ticks of a 4096th of the interval, a millisecond at least. A place is free again when its tick
    is over for a whole interval: at most one tick late, never early.
    """

    __slots__ = ("_runs", "_span", "_tick", "_used", "until")

    def __init__(self, interval: int) -> None:
        self._tick = max(0.001, interval / TICKS)  # seconds
        self._span = round(interval / self._tick)  # ticks in an interval
        self._runs: deque[list[int]] = deque()  # tick, and places taken within it
        self._used = 0
        self.until = 0.0

    def take(self, limit: int, now: float, amount: int) -> tuple[bool, int, float]:
        runs, at = self._runs, int(now / self._tick)
        while runs and runs[0][0] + self._span < at:
            self._used -= runs.popleft()[1]
        if self._used >= limit:
            return False, self._used, self._free(limit) - now
        if not amount:
            return True, self._used, 0.0
        if runs and runs[-1][0] == at:
            runs[-1][1] += amount
        else:
            runs.append([at, amount])
        self._used += amount
        self.until = (at + self._span + 1) * self._tick
        return True, self._used, 0.0

    def _free(self, limit: int) -> float:
        """When there is a place again: the limit may be lower than what was taken under another one."""
        over = self._used - limit
        for tick, count in self._runs:
            over -= count
            if over < 0:
                return (tick + self._span + 1) * self._tick
        return self.until


class MemoryCounters(Counters):
    """``clock``: monotonic seconds; ``wall``: milliseconds since the epoch; ``by``: as who it counts."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], int] = instants.now,
        by: str = "memory",
    ) -> None:
        self._clock = clock
        self._wall = wall
        self._by = by
        self._counts: dict[tuple[int | str, str, int], Count] = {}
        self._most = FEW

    async def take(self, owner: int | str, limit: RateLimit, amount: int = 1) -> Taken:
        now, key = self._clock(), (owner, limit.technique, limit.interval)
        count = self._counts.get(key)
        if count is None:
            count = self._make(limit, now)
            if amount:  # whoever only asks leaves nothing behind
                self._counts[key] = count
        given, used, wait = count.take(limit.limit, now, amount)
        return Taken(given, used, wait, self._by)

    def __len__(self) -> int:
        return len(self._counts)

    def _make(self, limit: RateLimit, now: float) -> Count:
        if len(self._counts) >= self._most:
            self._counts = {key: count for key, count in self._counts.items() if count.until > now}
            self._most = max(FEW, 2 * len(self._counts))
        return Fixed(limit.interval, self._wall) if limit.technique == "fixed" else Sliding(limit.interval)
