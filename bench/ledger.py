"""Whether every call left its row: counts in the store itself, beside the running server."""

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.procs import BenchFault
from penstock.storage import database

SETTLED = 0.4  # seconds without a new row: longer than the writer collects a batch
STUCK = 5.0
ID = 16  # bytes


def _ask(data: Path, sql: str, *values: int) -> int:
    file = data / database.FILE
    try:
        with closing(database.connect_reader(file)) as store:
            return int(store.execute(sql, values).fetchone()[0])
    except sqlite3.Error as error:
        raise BenchFault(f"the store could not be read: {error}") from None


def written(data: Path) -> int:
    """All log rows in the store of this data folder. Reads every row: not for a loop."""
    return _ask(data, "SELECT count(*) FROM logs")


def newest_block(data: Path) -> int:
    """The last block of rows written, 0 when there is none."""
    return _ask(data, "SELECT coalesce(max(id), 0) FROM log_bodies")


def rows_after(data: Path, block: int) -> int:
    """Rows in the blocks after this one; cheap, for waiting."""
    return _ask(data, "SELECT coalesce(sum(length(ids)), 0) FROM log_bodies WHERE id > ?", block) // ID


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


def drain(data: Path, block: int, expected: int) -> Drained:
    """Waits until the rows after ``block`` are all there and no more come, or none has come for too long."""
    begun = changed = time.monotonic()
    rows = rows_after(data, block)
    while True:
        time.sleep(0.02)  # rows arrive in another process's database, which tells nobody
        found, now = rows_after(data, block), time.monotonic()
        if found != rows:
            rows, changed = found, now
        idle = now - changed
        if idle > STUCK or (idle > SETTLED and rows >= expected):
            return Drained(rows, expected, changed - begun)
