"""The log for an event loop: questions to ``LogReader`` in threads, each with a limit of time."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from penstock.storage import opening
from penstock.storage.log.filters import ANY, Filter
from penstock.storage.log.reader import Bodies, LogReader, LogRow, Summary
from penstock.storage.sql import Limit, Sql

SECONDS = 5.0  # that a question may take
SEATS = 4  # questions that are answered at once; more wait

_T = TypeVar("_T")


class LogStore:
    """The log for the control plane: questions wait for one another, never the loop for them.

    Every method raises StoreUnavailable, and TooSlow for a question that takes longer than ``seconds``.
    """

    def __init__(self, url: str, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._seats = [_Seat(url) for _ in range(SEATS)]
        self._free: asyncio.LifoQueue[_Seat] = asyncio.LifoQueue()
        for seat in self._seats:
            self._free.put_nowait(seat)

    async def page(
        self, number: int, where: Filter = ANY, *, limit: int = 50, offset: int = 0, ascending: bool = False
    ) -> list[LogRow]:
        return await self._ask(
            lambda reader: reader.list_rows(number, where, limit=limit, offset=offset, ascending=ascending)
        )

    async def summary(self, number: int, where: Filter = ANY) -> Summary:
        return await self._ask(lambda reader: reader.summary(number, where))

    async def get(self, number: int, log_id: bytes) -> LogRow | None:
        return await self._ask(lambda reader: reader.get(number, log_id))

    async def bodies(self, number: int, log_id: bytes) -> Bodies:
        return await self._ask(lambda reader: reader.bodies(number, log_id))

    async def close(self) -> None:
        """Cuts short what runs. Nothing may be asked any more."""
        for seat in self._seats:
            seat.cut_short()
        for _ in self._seats:
            await (await self._free.get()).close()

    async def _ask(self, question: Callable[[LogReader], _T]) -> _T:
        seat = await self._free.get()
        try:
            return await seat.ask(question, self._seconds)
        finally:
            self._free.put_nowait(seat)


class _Seat:
    """A thread with a connection of its own, opened when it is first needed; one question at a time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._thread = ThreadPoolExecutor(1, "log-reader")
        self._connection: Sql | None = None
        self._reader: LogReader | None = None
        self._limit = Limit()

    async def ask(self, question: Callable[[LogReader], _T], seconds: float) -> _T:
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
        if self._reader is not None:
            self._reader.close()

    def _answer(self, question: Callable[[LogReader], _T], limit: Limit) -> _T:
        if self._reader is None or self._connection is None:
            self._connection = opening.connect_reader(self._url)
            self._reader = LogReader(self._connection)
        self._connection.limit(limit)
        return question(self._reader)
