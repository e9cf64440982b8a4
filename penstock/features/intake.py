"""The request body arrives: held whole while it is small, and read as far as the line must know it.

Ends the call where the body does not come, comes too slowly or is too large. Writes ``request.asked``.
"""

import asyncio
from typing import Protocol

from penstock.core.errors import BodyTooLarge
from penstock.model.body import HELD
from penstock.model.exchange import Exchange
from penstock.model.request import NOTHING_ASKED
from penstock.model.step import Step
from penstock.providers.dialects import DIALECTS

_SLICE = 1 << 20  # bytes of a body that are looked at in one go
_MEMBERS = 500_000  # of a large body; one of more is passed on without being looked into


class Reader(Protocol):
    """A stage that must see the whole body of some requests."""

    def sees(self, step: Step) -> bool:
        """Whether the step's is such a request, as its head tells."""
        ...


class Intake:
    """Waits for the body and looks into it. ``readers``: the gateway's stages that may have to see all of it."""

    def __init__(self, *readers: Reader) -> None:
        self._readers = readers

    async def read(self, ex: Exchange) -> None:
        """Returns when the body is whole, or too large to hold. Raises BodyTooLarge, RequestTimeout, Overloaded."""
        assert ex.itinerary is not None
        body = ex.request.body
        if ex.itinerary.sees_body and (body.length or 0) > HELD:  # before the client is asked for it
            raise BodyTooLarge(f"The request body is larger than {HELD} bytes, and this address must hold all of it.")
        if ex.itinerary.sees_body or self._seen(ex.step):
            body.hold(HELD)
        await body.ready()

    def _seen(self, step: Step) -> bool:
        for reader in self._readers:  # noqa: SIM110  a generator would cost more than the questions
            if reader.sees(step):
                return True
        return False

    async def look(self, step: Step) -> None:
        """Reads what the body asks of the step's target."""
        assert step.target is not None
        request, dialect = step.request, DIALECTS.get(step.target.endpoint.dialect)
        if request.asked is not NOTHING_ASKED:  # the itinerary had to know
            return
        if request.asked is not NOTHING_ASKED:  # the itinerary had to know
            return
        if dialect is not None and (body := request.body.whole()) and (len(body) <= _SLICE or await _is_light(body)):
            request.asked = dialect.asked(body)


async def _is_light(body: bytes) -> bool:
    """Whether a large body has few enough members to be parsed in one go. Lets others run meanwhile."""
    members = 0
    for at in range(0, len(body), _SLICE):
        members += sum(body.count(mark, at, at + _SLICE) for mark in (b",", b"[", b"{"))
        if members > _MEMBERS:
            return False
        await asyncio.sleep(0)
    return True
