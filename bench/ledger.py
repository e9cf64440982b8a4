"""Whether every call left its row: counts in the store itself, beside the running server."""

import time
from contextlib import closing
from dataclasses import dataclass

from bench.procs import BenchFault
from penstock.storage import opening
from penstock.storage.errors import StoreUnavailable

SETTLED = 0.4  # seconds without a new row: longer than the writer collects a batch
STUCK = 5.0
ID = 16  # bytes


def _ask(url: str, sql: str, *values: int) -> int:
    try:
        with closing(opening.connect_reader(url)) as store:
            return int(store.execute(sql, values)[0][0])
    except StoreUnavailable as error:
        raise BenchFault(f"the store could not be read: {error}") from None


def written(url: str) -> int:
    """All log rows in this store. Reads every row: not for a loop."""
    return _ask(url, "SELECT count(*) FROM logs")


def newest_block(url: str) -> int:
    """The last block of rows written, 0 when there is none."""
    return _ask(url, "SELECT coalesce(max(id), 0) FROM log_bodies")


def rows_after(url: str, block: int) -> int:
    """Rows in the blocks after this one; cheap, for waiting."""
    return _ask(url, "SELECT coalesce(sum(length(ids)), 0) FROM log_bodies WHERE id > ?", block) // ID


@dataclass(frozen=True)
class Drained:
    """How many rows came, of how many expected, and how long after the load the last one was seen."""

    rows: int
    expected: int
    seconds: float

    @property
    def missing(self) -> int:
        """Answered calls without a row."""
        return max(self.expected - self.rows, 0)


def drain(url: str, block: int, expected: int) -> Drained:
    """Waits until the rows after ``block`` are all there and no more come, or none has come for too long."""
    begun = changed = time.monotonic()
    rows = rows_after(url, block)
    while True:
        time.sleep(0.02)  # rows arrive in another process's database, which tells nobody
        found, now = rows_after(url, block), time.monotonic()
        if found != rows:
            rows, changed = found, now
        idle = now - changed
        if idle > STUCK or (idle > SETTLED and rows >= expected):
            return Drained(rows, expected, changed - begun)
