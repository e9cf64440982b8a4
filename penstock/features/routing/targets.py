"""Which target of a model element is asked, and which next where that one fails (docs/routes.md)."""

from collections.abc import Callable
from random import random
from time import monotonic
from typing import NamedTuple, Protocol

from penstock.features.routing.health import Watch, Watches
from penstock.model.graph import Model, ModelTarget
from penstock.model.step import Step

EXPLORED = 0.05  # share of the calls that go to any target, so that one which has become faster is seen


class _Place(NamedTuple):
    target: ModelTarget
    watch: Watch | None  # None: nobody asks what is known of it


class Pick:
    """A target that is asked. ``why``: what decided; empty: there was nothing to decide."""

    __slots__ = ("_clock", "_ticket", "_watch", "target", "why")

    def __init__(
        self, target: ModelTarget, watch: Watch | None = None, why: str = "", clock: Callable[[], float] = monotonic
    ) -> None:
        self.target = target
        self.why = why
        self._watch = watch
        self._clock = clock
        self._ticket = 0 if watch is None else watch.enter(clock())

    def is_watched(self) -> bool:
        return self._watch is not None

    def ended(self, step: Step) -> None:
        """The outcome of the step is known, or will not be. What is said later does not count."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.leave(self._ticket, self._clock(), step)


class Turn(Protocol):
    """The targets of one model, for one call."""

    def next(self) -> Pick | None:
        """None: none is left."""
        ...

    def told(self) -> list[str]:
        """What is left out, and why."""
        ...


def turn(
    model: Model, gateway: int, watches: Watches, *, last_resort: bool, draw: Callable[[], float] = random
) -> Turn:
    """``gateway``: its number; ``last_resort``: no other model follows, so that even a target that should be left out
    is asked once all others have failed; ``draw``: from 0 to below 1.
    """
    if len(model.targets) == 1 and model.health is None:
        return _Single(model.targets[0])
    return _Several(model, gateway, watches, draw, last_resort=last_resort)


class _Single(Turn):
    """A target of which nobody asks how it does."""

    __slots__ = ("_target",)

    def __init__(self, target: ModelTarget) -> None:
        self._target: ModelTarget | None = target

    def next(self) -> Pick | None:
        target, self._target = self._target, None
        return None if target is None else Pick(target)

    def told(self) -> list[str]:
        return []


class _Several(Turn):
    __slots__ = ("_clock", "_draw", "_last_resort", "_left", "_model", "_skipped", "_watches")

    def __init__(
        self, model: Model, gateway: int, watches: Watches, draw: Callable[[], float], *, last_resort: bool
    ) -> None:
        self._model = model
        self._watches = watches
        self._clock = watches.clock
        self._draw = draw
        self._last_resort = last_resort
        watched = model.health is not None or model.strategy == "fastest"
        self._left = [
            _Place(target, watches.of(gateway, target, model.health) if watched else None) for target in model.targets
        ]
        self._skipped: dict[ModelTarget, str] = {}  # why they are left out

    def next(self) -> Pick | None:
        if not self._left:
            return None
        now = self._clock()
        fit: list[_Place] = []
        skipped: dict[ModelTarget, str] = {}
        for place in self._left:
            circuit = None if place.watch is None else place.watch.circuit
            if circuit is None or circuit.lets(now):
                fit.append(place)
            else:
                skipped[place.target] = circuit.why(now)
        if not fit and not self._last_resort:
            self._skip(skipped)
            return None
        place, why = self._chosen(fit or self._left, now)
        self._left.remove(place)
        if unfit := skipped.pop(place.target, ""):
            why = f"asked all the same, as no other model is left: {unfit}"
        self._skip(skipped)
        return Pick(*place, "; ".join([why, *self.told()]), self._clock)

    def told(self) -> list[str]:
        alone = len(self._model.targets) == 1
        return [f"{'' if alone else f'{target.name} '}skipped: {why}" for target, why in self._skipped.items()]

    def _skip(self, skipped: dict[ModelTarget, str]) -> None:
        for target in skipped:
            if target not in self._skipped:
                self._watches.skipped.add((target.provider,))
        self._skipped = skipped

    def _chosen(self, fit: list[_Place], now: float) -> tuple[_Place, str]:
        for place in fit:
            if place.watch is not None and place.watch.is_due(now):
                assert place.watch.circuit is not None
                return place, f"tried again after {place.watch.circuit.reason}"
        if len(fit) == 1:
            return fit[0], "" if len(self._model.targets) == 1 else "no other target is left"
        if self._model.strategy == "weighted":
            place = self._drawn(fit)
            return place, f"weighted {place.target.weight:g} of {sum(each.target.weight for each in fit):g}"
        return self._fastest(fit)

    def _fastest(self, fit: list[_Place]) -> tuple[_Place, str]:
        best, least = None, float("inf")
        for place in fit:
            assert place.watch is not None
            seconds = place.watch.seconds
            if seconds is None and not place.watch.running and not place.watch.refused:
                return place, "not asked yet"
            if seconds is not None and seconds < least:
                best, least = place, seconds
        if best is None:
            return self._drawn(fit), "drawn: none has answered yet"
        if self._draw() < EXPLORED:
            return self._drawn(fit), "drawn, to see how fast it is"
        return best, f"fastest of late: {least * 1000:.0f} ms"

    def _drawn(self, fit: list[_Place]) -> _Place:
        point = self._draw() * sum(place.target.weight for place in fit)
        for place in fit:
            point -= place.target.weight
            if point < 0:
                return place
        return fit[-1]  # by rounding alone
