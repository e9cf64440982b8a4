"""Where a call may go: each kind of surface has its itinerary."""

from collections.abc import Mapping
from typing import Protocol

from penstock.model.exchange import Exchange, Itinerary


class Routing(Protocol):
    """Plans calls."""

    def itinerary(self, ex: Exchange) -> Itinerary:
        """The steps that the call may take, from its head alone. Raises InvalidProvider, InvalidPath."""
        ...


class BySurface(Routing):
    """The stage on the line. ``kinds``: by ``Surface.steps``."""

    def __init__(self, kinds: Mapping[str, Routing]) -> None:
        self._kinds = kinds

    def itinerary(self, ex: Exchange) -> Itinerary:
        return self._kinds[ex.request.surface.steps].itinerary(ex)
