"""The universal endpoint: the body lists steps, which are taken in order until one answers."""

import time
from collections.abc import Callable
from copy import copy

from penstock.core import ids
from penstock.core.errors import BodyTooLarge, Overloaded, PenstockError
from penstock.features.routing import Routing
from penstock.features.routing.dynamic import Walking
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

    __slots__ = ("_at", "_decided", "_routing", "_told", "_walking")

    sees_body = lists = shows_step = True

    def __init__(self, routing: UniversalRouting) -> None:
        self._routing = routing
        self._told: list[UniversalStep] = []
        self._at = 0  # the step of the list that is due
        self._walking: Walking | None = None  # along the dynamic route that it names

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
        return await self._begin(ex.step)

    async def after(self, step: Step, why: str) -> Step | None:
        if self._walking is not None and (following := await self._walking.after(step, why)) is not None:
            return self._marked(following)
        if self._at == len(self._told) - 1:
            return None
        self._at += 1
        following = Step(step.ex, step.request, time.monotonic())
        following.id = ids.new()
        following.name = ids.text(following.id)
        following.decisions = copy(self._decided)
        return await self._begin(following)

    async def then(self, step: Step) -> Step | None:
        following = None if self._walking is None else await self._walking.then(step)
        return None if following is None else self._marked(following)

    def exhausted(self) -> None:
        """The last answer of a provider is the call's."""

    def _marked(self, step: Step) -> Step:
        """A step of a dynamic route: the answer says which of the list it belongs to."""
        step.index = self._at
        return step

    async def _begin(self, step: Step) -> Step:
        """Fills in the step that is due. Notes in ``error`` why it cannot be taken."""
        ex, said = step.ex, self._told[self._at]
        step.index = self._at
        step.last = self._at == len(self._told) - 1
        self._walking = None
        step.request = request = _request(ex, said)
        assert ex.gateway is not None
        asks = said.options or not _CACHING.isdisjoint(request.first)
        step.options = ex.gateway.options.read(request, step.warnings) if asks else ex.options
        try:
            request.body = held(said.body, ex.request.body)
            step.places, step.query = self._routing.withheld(request)
            if said.provider == COMPAT:
                kind, dialect = compat(request.path)
                self._walking = self._routing.unified.settle(step, request, kind, dialect)
                if self._walking is not None:
                    self._marked(await self._walking.first(step))
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
