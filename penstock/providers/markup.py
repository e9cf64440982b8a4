"""What an account is charged for a call on the operator's key: the cost, and the operator's mark-up. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from penstock.core.patterns import matches

_WHOLE = 1_000_000  # parts; a mark-up is exact to 1/10,000 of a per cent
_KNOWN = 4096  # models remembered


class Markup(NamedTuple):
    """``percent`` is added to the cost of the calls to models of that pattern; below 0 it is taken off."""

    model: str
    percent: float


class Markups:
    """Those of one provider; of several that fit a model the first holds, of none 0 per cent."""

    __slots__ = ("_known", "_parts")

    def __init__(self, markups: Iterable[Markup] = ()) -> None:
        self._parts = [(markup.model, round(markup.percent * _WHOLE / 100)) for markup in markups]
        self._known: dict[str, int] = {}

    def charged(self, model: str, cost: int) -> int:
        """Nano-dollars, half of one rounded up."""
        if not self._parts:
            return cost
        parts = self._known.get(model)
        if parts is None:
            if len(self._known) >= _KNOWN:
                self._known.clear()  # callers choose the names
            parts = self._known[model] = self._added(model)
        return (cost * (_WHOLE + parts) * 2 + _WHOLE) // (2 * _WHOLE)

    def percent(self, model: str) -> float:
        """What is added to the cost of a model."""
        return self._added(model) * 100 / _WHOLE

    def _added(self, model: str) -> int:
        return next((more for pattern, more in self._parts if matches(pattern, model)), 0)


NO_MARKUPS = Markups()
