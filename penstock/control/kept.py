"""Pages that anybody may ask for and that are dear to make."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable


def forever(_: bytes) -> float:
    """For what does not change while the process runs."""
    return math.inf


class Kept:
    """A page that is made for one caller at a time, however many ask, and kept for ``seconds`` of it."""

    def __init__(self, make: Callable[[], Awaitable[bytes]], seconds: Callable[[bytes], float]) -> None:
        self._make = make
        self._seconds = seconds
        self._page = b""
        self._until = 0.0
        self._lock = asyncio.Lock()

    async def get(self) -> bytes:
        """The page. Raises what making it raises."""
        async with self._lock:
            if time.monotonic() >= self._until:
                self._page = await self._make()
                self._until = time.monotonic() + self._seconds(self._page)
            return self._page
