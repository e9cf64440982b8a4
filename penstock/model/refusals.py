"""Rows of calls that nobody served: so many a day for each gateway; more are only counted.

Anybody can make such calls, as fast as they are refused, so they must not fill the disk. Nor are the words that
strangers chose learnt (``storage.log.names``): their rows have none.
"""

from penstock.core import ids
from penstock.core.errors import AllStepsFailed
from penstock.core.telemetry import Counter
from penstock.model.exchange import Exchange
from penstock.model.outcome import Outcome
from penstock.model.step import Step

_DAY = 24 * 3600 * 1000  # milliseconds
_UNSERVED = frozenset({Outcome.REFUSED, Outcome.CLIENT_GONE})


def is_unserved(ex: Exchange) -> bool:
    """Whether a call that ended reached no gateway, or was refused or left before any provider was asked."""
    if not ex.gateway.number:
        return True
    unserved = ex.outcome in _UNSERVED or isinstance(ex.error, AllStepsFailed)
    return unserved and not any(step.answered or step.attempts for step in ex.steps)


def is_strange(ex: Exchange) -> bool:
    """Whether such a call comes from somebody whom no token of the installation lets in."""
    return is_unserved(ex) and not ex.caller.token


class RefusedRows:
    """Says which rows are kept. ``most``: a gateway and UTC day; ``unkept`` counts the others by gateway."""

    def __init__(self, most: int, unkept: Counter) -> None:
        self._most = most
        self._unkept = unkept
        self._day = 0
        self._kept: dict[int, int] = {}  # today, by the number of the gateway; 0: addresses that do not exist

    def keeps(self, step: Step) -> bool:
        """Whether the row of a step is kept, now that its call has ended. A step without a target was refused."""
        ex = step.ex
        if step.target is not None and not is_unserved(ex):
            return True
        day = ids.millis(ex.id) // _DAY
        if day > self._day:
            self._day, self._kept = day, {}
        number = ex.gateway.number
        kept = self._kept.get(number, 0)
        if kept >= self._most:
            self._unkept.add((ex.request.gateway if ex.gateway.number else "",))
            return False
        self._kept[number] = kept + 1
        return True
