"""A limit that takes a place before the call and settles it after."""

from penstock.core.errors import RateLimited
from penstock.model.exchange import Exchange


class Tickets:
    """Limits that reserve before the call and settle after it; ``full`` refuses."""

    def __init__(self, *, full: bool = False) -> None:
        self.full = full
        self.reserved = self.settled = 0

    async def admit(self, ex: Exchange) -> None:
        if self.full:
            raise RateLimited
        self.reserved += 1
        ex.defer(self._settle)

    def _settle(self, _: Exchange) -> None:
        self.settled += 1
