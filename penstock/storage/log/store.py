"""The log for an event loop: questions to ``LogReader`` in threads, each with a limit of time; and its changes."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from penstock.storage import opening
from penstock.storage.errors import TooSlow
from penstock.storage.log.analytics import Point, Question
from penstock.storage.log.edit import edit
from penstock.storage.log.erase import erase
from penstock.storage.log.filters import ANY, Filter
from penstock.storage.log.listing import ALL, Asked
from penstock.storage.log.reader import Bodies, LogReader, LogRow, Page, Summary
from penstock.storage.log.seat import Seat
from penstock.storage.log.walk import Found
from penstock.storage.sql import Sql

SECONDS = 5.0  # that a question may take
SEATS = 4  # questions that are answered at once; more wait

_T = TypeVar("_T")


class LogStore:
    """The log for the control plane: questions wait for one another, never the loop for them.

    Every method raises StoreUnavailable, and TooSlow for a question that takes longer than ``seconds``.
    """

    def __init__(self, url: str, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._seats = [Seat("log-reader", lambda: opening.connect_reader(url), LogReader) for _ in range(SEATS)]
        self._free: asyncio.LifoQueue[Seat[LogReader]] = asyncio.LifoQueue()
        for seat in self._seats:
            self._free.put_nowait(seat)
        self._editor = Seat[Sql]("log-editor", lambda: opening.connect(url), lambda connection: connection)
        self._editing = asyncio.Lock()

    async def page(self, number: int, asked: Asked = ALL, seconds: float = float("inf")) -> Page:
        """``seconds``: after which what can stop does."""
        return await self._ask(lambda reader: reader.page(number, asked, time.monotonic() + seconds))

    async def summary(self, number: int, where: Filter = ANY) -> Summary:
        return await self._ask(lambda reader: reader.summary(number, where))

    async def get(self, number: int, log_id: bytes) -> LogRow | None:
        return await self._ask(lambda reader: reader.get(number, log_id))

    async def bodies(self, number: int, log_id: bytes) -> Bodies:
        return await self._ask(lambda reader: reader.bodies(number, log_id))

    async def rolled_up(self, question: Question, limit: int, order: str) -> tuple[list[Point], dict[int | None, Any]]:
        """As ``LogReader.rolled_up``."""
        return await self._ask(lambda reader: reader.rolled_up(question, limit, order))

    async def rolled(self, question: Question) -> tuple[list[Point], dict[str, dict[int | None, Any]]]:
        """As ``LogReader.rolled``."""
        return await self._ask(lambda reader: reader.rolled(question))

    async def sizes(self, account: str, gateways: frozenset[str] | None) -> list[tuple[str, str, int]]:
        """Of each gateway: its id, its settings as JSON, and its rows. ``gateways``: only those; None: all."""
        return await self._ask(lambda reader: reader.sizes(account, gateways))

    async def ids(self, number: int, asked: Asked, seconds: float) -> Found:
        """``seconds`` as of a page."""
        return await self._ask(lambda reader: reader.ids(number, asked, time.monotonic() + seconds))

    async def edit(self, number: int, log_id: bytes, values: Mapping[str, Any]) -> bool:
        """Sets columns of a row; when it returns, that is committed. False: there is no such row."""
        return await self._change(lambda connection: edit(connection, number, log_id, values))

    async def erase(self, number: int, log_ids: Sequence[bytes]) -> tuple[int, list[bytes]]:
        """Takes out the first of those rows; how many there were, and which ids are left to be asked for."""
        return await self._change(lambda connection: erase(connection, number, log_ids))

    async def close(self) -> None:
        """Cuts short what runs. Nothing may be asked any more."""
        for seat in (*self._seats, self._editor):
            seat.cut_short()
        for _ in self._seats:
            await (await self._free.get()).close()
        async with self._editing:
            await self._editor.close()

    async def _ask(self, question: Callable[[LogReader], _T]) -> _T:
        seat = await self._free.get()
        try:
            return await seat.ask(question, self._seconds)
        finally:
            self._free.put_nowait(seat)

    async def _change(self, change: Callable[[Sql], _T]) -> _T:
        try:
            await asyncio.wait_for(self._editing.acquire(), self._seconds)
        except TimeoutError:
            raise TooSlow from None
        try:
            return await self._editor.ask(change, self._seconds)
        finally:
            self._editing.release()
