"""The request body arrives: held whole while it is small, and read as far as the line must know it.

Ends the call where the body does not come, comes too slowly or is too large. Writes ``request.asked``.
"""

import asyncio

from penstock.model.body import HELD
from penstock.model.exchange import Exchange
from penstock.model.step import Step
from penstock.providers.cacheability import may_be_cached
from penstock.providers.dialects import DIALECTS

_SLICE = 1 << 20  # bytes of a body that are looked at in one go
_MEMBERS = 500_000  # of a large body; one of more is passed on without being looked into


class Intake:
    """Waits for the body and looks into it. ``asks``: streams are asked for usage, which is written into their body."""

    def __init__(self, *, asks: bool) -> None:
        self._asks = asks

    async def read(self, ex: Exchange) -> None:
        """Returns when the body is whole, or too large to hold. Raises BodyTooLarge, RequestTimeout, Overloaded."""
        assert ex.itinerary is not None
        if ex.itinerary.sees_body or self._must_be_seen(ex.step):
            ex.request.body.hold(HELD)
        await ex.request.body.ready()

    async def look(self, step: Step) -> None:
        """Reads what the body asks of the step's target."""
        assert step.target is not None
        request, dialect = step.request, DIALECTS.get(step.target.endpoint.dialect)
        if dialect is not None and (body := request.body.whole()) and (len(body) <= _SLICE or await _is_light(body)):
            request.asked = dialect.asked(body)

    def _must_be_seen(self, step: Step) -> bool:
        """Whether the body of a call with that one step must be held: to be asked for usage, or to be cached."""
        options, request, target = step.options, step.request, step.target
        assert target is not None
        if self._asks and request.body.length is not None and target.endpoint.ask_usage:
            dialect = DIALECTS.get(target.endpoint.dialect)
            if dialect is not None and dialect.usage_frame is not None:
                return True
        if not options.cache_ttl:
            return False
        return bool(options.cache_key) or may_be_cached(request.method, target.endpoint, request.query)


async def _is_light(body: bytes) -> bool:
    """Whether a large body has few enough members to be parsed in one go. Lets others run meanwhile."""
    members = 0
    for at in range(0, len(body), _SLICE):
        members += sum(body.count(mark, at, at + _SLICE) for mark in (b",", b"[", b"{"))
        if members > _MEMBERS:
            return False
        await asyncio.sleep(0)
    return True
