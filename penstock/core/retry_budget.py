"""How many further attempts may be made, so that a provider in trouble is not called the more for it."""

import time
from collections.abc import Callable, Hashable

SECONDS = 10  # that are looked back
SHARE = 5  # one further attempt for so many calls
FLOOR = 10  # further attempts that are always allowed
FEW = 256  # origins that are remembered without asking whether they still matter


class _Recent:
    """What was done within the last seconds, one count a second."""

    __slots__ = ("attempted", "attempts", "called", "calls", "second")

    def __init__(self, second: int) -> None:
        self.second = second
        self.calls = [0] * SECONDS
        self.attempts = [0] * SECONDS
        self.called = self.attempted = 0  # the sums

    def advance(self, second: int) -> None:
        for passed in range(self.second + 1, min(second, self.second + SECONDS) + 1):
            at = passed % SECONDS
            self.called -= self.calls[at]
            self.attempted -= self.attempts[at]
            self.calls[at] = self.attempts[at] = 0
        self.second = second


class RetryBudget:
    """For each origin at most one further attempt for five calls of the last ten seconds, or ten if that is more.

    ``clock``: monotonic seconds. Counted by whole seconds, in this process.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._origins: dict[Hashable, _Recent] = {}
        self._most = FEW

    def call(self, origin: Hashable) -> None:
        """A call begins there."""
        recent = self._recent(origin)
        recent.calls[recent.second % SECONDS] += 1
        recent.called += 1

    def take(self, origin: Hashable) -> bool:
        """Whether a call there may be tried once more; that is then counted."""
        recent = self._recent(origin)
        if recent.attempted >= max(FLOOR, recent.called // SHARE):
            return False
        recent.attempts[recent.second % SECONDS] += 1
        recent.attempted += 1
        return True

    def __len__(self) -> int:
        return len(self._origins)

    def _recent(self, origin: Hashable) -> _Recent:
        second = int(self._clock())
        recent = self._origins.get(origin)
        if recent is None:
            recent = self._origins[origin] = self._make(second)
        elif recent.second < second:
            recent.advance(second)
        return recent

    def _make(self, second: int) -> _Recent:
        if len(self._origins) >= self._most:
            since = second - SECONDS
            self._origins = {origin: recent for origin, recent in self._origins.items() if recent.second > since}
            self._most = max(FEW, 2 * len(self._origins))
        return _Recent(second)
