"""The universal endpoint: the body lists steps, which are taken in order until one answers."""

import time
from collections.abc import Callable
from copy import copy

from penstock.core import ids
from penstock.core.errors import BodyTooLarge, Overloaded, PenstockError
from penstock.features.routing import Routing
from penstock.features.routing.native import NativeRouting
from penstock.features.routing.unified import UnifiedRouting
from penstock.model.body import HELD, held
from penstock.model.exchange import Exchange, Itinerary
from penstock.model.request import Request
from penstock.model.step import Step
from penstock.providers.unified import COMPAT, compat
from penstock.wire.universal import UniversalStep, read_steps

_EVENT_ID = b"cf-aig-event-id"
_ENCODING, _TYPE = b"accept-encoding", b"content-type"
_CACHING = frozenset({b"cache-control", b"pragma"})  # of any client, and options too

Withheld = Callable[[Request], tuple[frozenset[bytes], bytes | None]]


class UniversalRouting(Routing):
    """``withheld`` tells which headers of a step do not travel, and what of its query does."""

    def __init__(self, native: NativeRouting, unified: UnifiedRouting, withheld: Withheld) -> None:
        self.native = native
        self.unified = unified
        self.withheld = withheld

    def itinerary(self, ex: Exchange) -> Itinerary:
        return Listed(self)


class Listed(Itinerary):
    """The steps of one call."""

    __slots__ = ("_decided", "_routing", "_told")

    sees_body = lists = shows_step = True

    def __init__(self, routing: UniversalRouting) -> None:
        self._routing = routing
        self._told: list[UniversalStep] = []

    async def first(self, ex: Exchange) -> Step:
        body = ex.request.body.whole()
        if body is None:
            if ex.request.body.size <= HELD:
                raise Overloaded("The gateway holds as many request bytes as it may; try again.")
            raise BodyTooLarge(f"The body of a universal call is larger than {HELD} bytes.")
        self._told = await read_steps(body)
        self._decided = copy(ex.step.decisions)  # about the call
        event = self._told[0].options.get(_EVENT_ID)
        if event and ex.request.header(_EVENT_ID) is None:
            ex.name_event(event)
        return self._begin(ex.step)

    def after(self, step: Step) -> Step | None:
        if step.last:
            return None
        following = Step(step.ex, step.request, time.monotonic())
        following.id = ids.new()
        following.name = ids.text(following.id)
        following.index = step.index + 1
        following.decisions = copy(self._decided)
        return self._begin(following)

    def _begin(self, step: Step) -> Step:
        """Fills in the step by its index. Notes in ``error`` why it cannot be taken."""
        ex, said = step.ex, self._told[step.index]
        step.last = step.index == len(self._told) - 1
        step.request = request = _request(ex, said)
        assert ex.gateway is not None
        asks = said.options or not _CACHING.isdisjoint(request.first)
        step.options = ex.gateway.options.read(request, step.warnings) if asks else ex.options
        try:
            request.body = held(said.body, ex.request.body)
            step.places, step.query = self._routing.withheld(request)
            if said.provider == COMPAT:
                kind, dialect = compat(request.path)
                self._routing.unified.settle(step, request, kind, dialect)
            else:
                step.target = self._routing.native.target(request)
        except PenstockError as error:
            step.error = error
        return step


def _request(ex: Exchange, said: UniversalStep) -> Request:
    """The step as the provider's own client would have sent it. Options of the call hold where the step has none."""
    request = Request(b"POST", ex.request.target, [*said.headers], ex.request.body)
    headers, first, calls = request.headers, request.first, ex.request.first
    if first.pop(_ENCODING, None) is not None:
        headers[:] = [header for header in headers if header[0] != _ENCODING]
    if (accepts := calls.get(_ENCODING)) is not None:  # the client decodes what comes back
        _add(request, _ENCODING, accepts)
    if said.raw and _TYPE not in first:
        _add(request, _TYPE, b"application/json")
    for name, value in calls.items():
        if name.startswith(b"cf-") or name in _CACHING:
            first.setdefault(name, value)
    first |= said.options
    request.account, request.gateway = ex.request.account, ex.request.gateway
    request.provider, request.path, request.query = said.provider, said.path, said.query
    return request


def _add(request: Request, name: bytes, value: bytes) -> None:
    request.headers.append((name, name, value))
    request.first[name] = value
