"""Takes out the rows of deleted gateways, and then their tombstones; and what gateways keep no longer.

The log writer of an SQLite file does so while no rows come, on the one connection that writes the log, so that rows
wait for one batch at most; for PostgreSQL ``worker.upkeep`` does it. Calls to addresses that exist nowhere are kept to
a number of rows in the same way.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain

from penstock.core import instants
from penstock.model.record import LogRecord
from penstock.storage import spending
from penstock.storage.errors import StoreUnavailable
from penstock.storage.log import drafts, reap, rollup_reap, senders
from penstock.storage.log.name_reap import Sweep
from penstock.storage.log.table import LogTable
from penstock.storage.sql import Sql
from penstock.worker import lost
from penstock.worker.retention import Retention

LOOK = 1.0  # seconds between two looks for deleted gateways
REST = 3  # times as long as it worked: reaping takes a quarter of a core at most
PAUSE = 10.0  # seconds after the store could not be used
SWEEP = 10.0  # seconds between two sweeps of words, at least
SPELL = 20  # times as long as the last sweep took
EXPIRE = 3600.0  # seconds between two searches for old roll-ups
TOMB = 24 * 3600 * 1000  # milliseconds that a tombstone stays: rows of calls that began before it still come

_ENDED = object()


class Reaper:
    """``turn`` does a bounded piece of work. ``clock`` counts seconds, ``now`` tells milliseconds since the epoch.

    ``apart``: it is not told what was written, and looks for itself, also for drafts whose senders have died with
    their writers; ``longest``: seconds that a call may take. ``days`` that roll-ups are kept, as
    ``rollup_reap.days_of`` has them.
    """

    def __init__(
        self,
        connection: Sql,
        say: Callable[..., None],
        *,
        apart: bool = False,
        longest: float = 3600.0,
        days: Mapping[int, int] = rollup_reap.FOR_EVER,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], int] = instants.now,
    ) -> None:
        self._connection = connection
        self._say = say
        self._apart = apart
        self._longest = int(longest * 1000)
        self._table = LogTable(connection)
        self._days = days
        self._clock = clock
        self._now = now
        self._version = -1  # of the configuration, up to which tombstones are known; -1: none is
        self._tombs: dict[int, int] = {}  # deleted gateways, and when
        self._full: set[int] = set()  # of them, and of the long forgotten, those that may have rows
        self._strays = 1  # rows that may have to be trimmed
        self._next = self._look = 0.0  # on the clock: the next piece of work, and the next look for tombstones
        self._stalled = False
        self._retention = Retention(connection, clock, now)
        self._sweep: Sweep | None = None  # of words, that is under way
        self._expiry: Iterator[None] | None = None  # of old roll-ups, that is under way
        self._expire_at = 0.0  # on the clock: when the next may begin
        self._unused = True  # words may have come out of use since the last one began
        self._began = self._sweep_at = 0.0  # on the clock: when the last one began, and when the next may

    def wrote(self, records: Iterable[LogRecord]) -> None:
        """Is to be told what was written: rows may have come for what is deleted, or for what never was."""
        records = list(records)
        numbers = [record.gateway for record in records if not record.draft]
        self._full.update(self._tombs.keys() & numbers)
        self._strays += numbers.count(0)
        self._retention.wrote(record.gateway for record in records if record.logged and not record.draft)
        if self._strays > reap.ROWS or self._retention.presses:  # else a flood could grow it without end
            self.turn()

    def turn(self) -> float:
        """Works if it is time to; returns the seconds until it is time again."""
        began = self._clock()
        if began < self._next:
            return self._next - began
        try:
            more = self._work()
        except StoreUnavailable as error:
            if not self._stalled:
                self._say("log.reaping_stalled", error=error.message, remedy="free the disk or the lock")
            self._stalled, self._next = True, began + PAUSE
        else:
            ended = self._clock()
            self._stalled, self._next = False, ended + REST * (ended - began) if more else self._look
        return max(0.0, self._next - self._clock())

    def _work(self) -> bool:
        """At most one batch; returns whether there is more to do."""
        if self._clock() >= self._look:
            self._find()
        if self._strays:
            self._trim()
        elif self._full:
            number = next(iter(self._full))
            self._unused = True
            if not reap.reap(self._connection, number) and not rollup_reap.reap(self._connection, number):
                self._full.discard(number)
        elif self._expiry or self._clock() >= self._expire_at:
            self._expire()
        elif self._retention.waits:
            self._unused |= self._retention.step()
        elif self._unused and self._clock() >= self._sweep_at:
            self._sweep_words()
        else:
            self._bury()
        return bool(self._strays or self._full or self._expiry or self._retention.waits or self._sweep)

    def _expire(self) -> None:
        expiry, self._expiry = self._expiry, None  # after a failure it begins anew
        if expiry is None:
            self._expire_at = self._clock() + EXPIRE
            now = self._now()
            senders.forget(self._connection, now)
            drafts.forget(self._connection, now)
            expiry = chain(
                spending.expire(self._connection, now), rollup_reap.expire(self._connection, self._days, now)
            )
        if next(expiry, _ENDED) is not _ENDED:
            self._expiry = expiry

    def _sweep_words(self) -> None:
        if self._sweep is None:
            self._sweep, self._began = Sweep(self._connection), self._clock()
        elif not self._sweep.step():
            self._sweep, self._unused = None, False
            self._sweep_at = self._clock() + max(SWEEP, SPELL * (self._clock() - self._began))

    def _trim(self) -> None:
        gone = reap.trim(self._connection, limit=max(self._strays, reap.ROWS))
        self._strays = max(1, self._strays - gone) if gone else 0

    def _find(self) -> None:
        if self._version < 0:
            self._full.update(reap.orphans(self._connection))
        self._version, found = reap.tombstones(self._connection, self._version)
        self._tombs.update(found)
        self._full.update(number for number, _ in found)
        if self._apart:
            self._full.update(reap.filled(self._connection, self._tombs))
            self._strays = max(1, self._strays)
            lost.settle(self._table, drafts.older_than(self._longest, self._now()), self._say)
        self._retention.look()
        self._look = self._clock() + LOOK

    def _bury(self) -> None:
        """Forgets the old ones. None has rows here."""
        due = [number for number, died in self._tombs.items() if died + TOMB <= self._now()]
        if due:
            reap.forget(self._connection, due)
            for number in due:
                del self._tombs[number]
