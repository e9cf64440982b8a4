"""What is known of a model that routes ask: whether it fails, and how fast it is of late (docs/routes.md).

In the memory of a process: each learns by itself.
"""

import math
from collections.abc import Callable
from copy import deepcopy
from time import monotonic

from penstock.core.errors import ProviderFailure
from penstock.core.telemetry import Counter
from penstock.model.graph import Health, ModelTarget
from penstock.model.step import Step

SLOTS = 10  # that a window is counted in
LATEST = 0.2  # what the last call says of the speed; the rest is what was known before
FAILED = 10.0  # seconds that a call which failed counts as, if it was faster
FEW = 256  # targets that are remembered without asking whether they were asked of late
IDLE = 3600.0  # seconds without a call after which a target may be forgotten
_BUSY = frozenset({408, 429})  # and all of 500 and above: the provider's trouble, not the caller's fault
_SERVER = 500


class Circuit:
    """Closed: calls pass. After too many failures it is open, and none should pass until ``pause`` is over; then one
    does, alone, and its outcome closes the circuit or opens it anew. ``now``: seconds of any steady clock.
    """

    __slots__ = ("_calls", "_era", "_failed", "_health", "_probing", "_row", "_slot", "_until", "reason")

    def __init__(self, health: Health) -> None:
        self._health = health
        self._era: int = 1  # what is said of calls that began in another one comes too late
        self._until: float | None = None  # None: closed
        self._probing = False
        self.reason = ""  # why it is open
        self._reset()

    def _reset(self) -> None:
        self._row = self._slot = 0
        self._calls = [0] * SLOTS
        self._failed = [0] * SLOTS

    def lets(self, now: float) -> bool:
        """Whether a call should pass."""
        return self._until is None or self.is_due(now)

    def is_due(self, now: float) -> bool:
        """Whether the next call is the one that tries again."""
        return self._until is not None and not self._probing and now >= self._until

    def why(self, now: float) -> str:
        """Why no call should pass."""
        if self._probing or self._until is None:
            return f"{self.reason}, just being tried again"
        return f"{self.reason}, tried again in {max(1, math.ceil(self._until - now))} s"

    def enter(self, now: float) -> int:
        """A call begins. Returns what ``leave`` takes. Where it should not have passed, its outcome does not count."""
        if self._until is None:
            return self._era
        if not self.is_due(now):
            return 0
        self._probing = True
        self._era += 1
        return self._era

    def leave(self, ticket: int, now: float, *, good: bool | None) -> None:
        """The call has come to its outcome. None: that says nothing of the target."""
        if ticket != self._era:
            return
        if not self._probing:
            if good is not None:
                self._count(now, good=good)
            return
        self._probing = False
        self._era += 1
        if good:
            self._until = None
            self._reset()
        elif good is False:
            self._until = now + self._health.pause

    def _count(self, now: float, *, good: bool) -> None:
        health = self._health
        self._row = 0 if good else self._row + 1
        if health.error_rate:
            at = self._advance(int(now / health.window * SLOTS))
            self._calls[at] += 1
            self._failed[at] += not good
        if good:
            return
        if health.failures and self._row >= health.failures:
            self._open(now, f"{self._row} failures in a row" if self._row > 1 else "its last call failed")
        elif health.error_rate:
            calls, failed = sum(self._calls), sum(self._failed)
            if calls >= health.minimum and failed >= calls * health.error_rate:
                self._open(now, f"{failed} of {calls} calls failed in {health.window:g} s")

    def _open(self, now: float, reason: str) -> None:
        self._until = now + self._health.pause
        self._era += 1
        self.reason = reason

    def _advance(self, slot: int) -> int:
        """Forgets what lies before the window. Returns where to count."""
        for passed in range(max(self._slot, slot - SLOTS) + 1, slot + 1):
            self._calls[passed % SLOTS] = self._failed[passed % SLOTS] = 0
        self._slot = slot
        return slot % SLOTS


class Watch:
    """One target. ``seconds``: to the first byte, of late; None: not known. ``running``: calls that may tell.
    ``refused``: the last call could not be sent there.
    """

    __slots__ = ("circuit", "refused", "running", "seconds", "used")

    def __init__(self, health: Health | None) -> None:
        self.circuit = None if health is None else Circuit(health)
        self.seconds: float | None = None
        self.refused = False
        self.running = 0
        self.used = 0.0

    def is_due(self, now: float) -> bool:
        return self.circuit is not None and self.circuit.is_due(now)

    def enter(self, now: float) -> int:
        """As of a circuit."""
        self.running += 1
        if self.circuit is None:
            return 0
        if self.circuit.is_due(now):
            self.seconds = None  # what it was before says nothing any more
        return self.circuit.enter(now)

    def leave(self, ticket: int, now: float, step: Step) -> None:
        """Of the step that the call was."""
        self.running -= 1
        good = verdict(step)
        if self.circuit is not None:
            self.circuit.leave(ticket, now, good=good)
        self.refused = step.error is not None and not step.attempts
        if good is not None:
            seconds = step.attempts[-1].duration / 1000
            seconds = seconds if good else max(seconds, FAILED)
            known = self.seconds
            self.seconds = seconds if known is None else known + LATEST * (seconds - known)


class Watches:
    """Those of all gateways of a process. Elements that name the same model with the same health share one.

    There are no more than the deployed routes have targets, but for those that were asked within the last hour.
    ``skipped`` counts by provider how often a target was left out.
    """

    def __init__(self, skipped: Counter, clock: Callable[[], float] = monotonic) -> None:
        self.skipped = skipped
        self.clock = clock
        self._known: dict[tuple[int, str, str, Health | None], Watch] = {}
        self._most = FEW

    def of(self, gateway: int, target: ModelTarget, health: Health | None) -> Watch:
        """``gateway``: its number."""
        key = gateway, target.provider, target.model, health
        watch = self._known.get(key)
        if watch is None:
            self._make_room()
            watch = self._known[key] = Watch(health)
        watch.used = self.clock()
        return watch

    def aside(self, gateway: int) -> "Watches":
        """What is known of a gateway's targets, for calls that are only imagined: their outcomes are not known here."""
        aside = Watches(Counter(), self.clock)
        aside._known = {key: deepcopy(watch) for key, watch in self._known.items() if key[0] == gateway}
        return aside

    def __len__(self) -> int:
        return len(self._known)

    def _make_room(self) -> None:
        if len(self._known) >= self._most:
            since = self.clock() - IDLE
            self._known = {key: watch for key, watch in self._known.items() if watch.running or watch.used > since}
            self._most = max(FEW, 2 * len(self._known))


def verdict(step: Step) -> bool | None:
    """Whether the provider did what it should; None: it was not asked, or nobody waited for it."""
    if not step.attempts:
        return None
    if isinstance(step.error, ProviderFailure):
        return False
    last = step.attempts[-1]
    if last.status is None:
        return None if last.error is None else False
    return last.status < _SERVER and last.status not in _BUSY
