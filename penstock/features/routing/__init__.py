"""Where a call may go: one itinerary for each kind of address."""

from typing import Protocol

from penstock.core.errors import MethodNotAllowed
from penstock.features.routing.native import NativeRouting
from penstock.features.routing.universal import UniversalRouting
from penstock.model.exchange import Exchange, Itinerary


class Routing(Protocol):
    """The stage on the line."""

    def itinerary(self, ex: Exchange) -> Itinerary:
        """How the call goes on, from its head alone. Raises MethodNotAllowed, InvalidProvider, InvalidPath."""
        ...


class ByAddress(Routing):
    """Native addresses name a provider; the universal endpoint's steps are in the body."""

    def __init__(self, native: NativeRouting, universal: UniversalRouting) -> None:
        self._native = native
        self._universal = universal

    def itinerary(self, ex: Exchange) -> Itinerary:
        request = ex.request
        if not request.universal:
            return self._native.itinerary(ex)
        if request.method != b"POST":
            raise MethodNotAllowed("The universal endpoint takes POST; a provider's own is below /{provider}/.")
        return self._universal.itinerary(ex)
