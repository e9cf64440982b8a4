"""A thread with a connection of its own, for an event loop: one question at a time, each with a limit of time."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from penstock.storage.sql import Limit, Sql

_T = TypeVar("_T")
_W = TypeVar("_W")


class Seat(Generic[_W]):
    """``connect`` is called when the connection is first needed; ``make`` makes of it what questions are put to."""

    def __init__(self, name: str, connect: Callable[[], Sql], make: Callable[[Sql], _W]) -> None:
        self._thread = ThreadPoolExecutor(1, name)
        self._connect = connect
        self._make = make
        self._connection: Sql | None = None
        self._worker: _W | None = None
        self._limit = Limit()

    async def ask(self, question: Callable[[_W], _T], seconds: float) -> _T:
        """Raises StoreUnavailable, and TooSlow after so many seconds."""
        limit = self._limit = Limit(time.monotonic() + seconds)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._answer, question, limit)
        except asyncio.CancelledError:
            limit.end()  # whoever asked is gone
            raise

    def cut_short(self) -> None:
        self._limit.end()

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._hang_up)
        self._thread.shutdown()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _answer(self, question: Callable[[_W], _T], limit: Limit) -> _T:
        if self._worker is None or self._connection is None:
            self._connection = self._connect()
            self._worker = self._make(self._connection)
        self._connection.limit(limit)
        return question(self._worker)
