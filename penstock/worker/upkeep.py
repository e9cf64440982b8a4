"""What a PostgreSQL database needs done now and then: one process of an installation takes out what was deleted.

Whichever process of the roles ``worker`` and ``all`` gets the advisory lock does it, on a thread of its own, until it
stops or loses its connection; then another one does.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from penstock.storage.errors import StoreUnavailable
from penstock.storage.log.rollup_reap import FOR_EVER
from penstock.storage.postgres import PostgresConnection
from penstock.storage.sql import Limit
from penstock.worker.reaper import PAUSE, Reaper

LOCK = 7_052_002  # number of the advisory lock
TRY = 5.0  # seconds between two attempts to get it


class Upkeep:
    """``url``: of PostgreSQL. ``say`` takes an event and what there is to know about it. The rest as in ``Reaper``."""

    def __init__(
        self, url: str, say: Callable[..., None], days: Mapping[int, int] = FOR_EVER, longest: float = 3600.0
    ) -> None:
        self._url = url
        self._days = days
        self._longest = longest
        self._say = say
        self._connection: PostgresConnection | None = None
        self._reaper: Reaper | None = None
        self._limit = Limit()
        self._session = 0  # of the connection, in which the lock was taken

    async def run(self) -> None:
        """Until it is cancelled; a batch that is under way then is undone."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "upkeep") as thread:
            try:
                while True:  # noqa: ASYNC110  each turn says when the next is due
                    await asyncio.sleep(await loop.run_in_executor(thread, self._turn))
            finally:
                self._limit.end()
                await loop.run_in_executor(thread, self._close)

    def _turn(self) -> float:
        """Works if this process is the one that does; returns the seconds until the next turn."""
        try:
            reaper = self._mine()
        except StoreUnavailable as error:
            if self._reaper is not None:
                self._say("upkeep.stalled", error=error.message, remedy="none, once the database is back")
            self._reaper = None
            return PAUSE
        return TRY if reaper is None else reaper.turn()

    def _mine(self) -> Reaper | None:
        """The reaper, while this process has the lock. A session that ends loses it."""
        if self._connection is None:
            self._connection = PostgresConnection(self._url)
            self._connection.limit(self._limit)
        if self._reaper is None or self._session != self._connection.opened:
            self._reaper = None
            ((held,),) = self._connection.execute("SELECT pg_try_advisory_lock(?)", (LOCK,))
            self._session = self._connection.opened
            if held:
                self._reaper = Reaper(self._connection, self._say, apart=True, days=self._days, longest=self._longest)
        return self._reaper

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
