"""How processes tell each other that the configuration has changed."""

from collections.abc import Callable
from typing import Protocol

from penstock.core.errors import PenstockError


class BusUnavailable(PenstockError):
    """What carries the bus does not answer."""

    status, code = 503, 2010


class Bus(Protocol):
    """Carries one word, "something changed", to every process of the installation.

    It may lose the word, and may say it too often: whoever listens also looks by itself now and then.
    """

    def announce(self) -> None:
        """Says it; returns at once. Never raises."""
        ...

    async def listen(self, heard: Callable[[], None]) -> None:
        """Calls ``heard`` whenever it is said, until cancelled. Connects again, and then calls it, by itself."""
        ...
