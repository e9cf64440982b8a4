"""Answers in an SQLite file of their own, read and written by a thread.

The file is a cache and no more: one that cannot be read is set aside, and the server starts without it.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from penstock.backends.cache.index import Index
from penstock.backends.cache.indexed import IndexedCache
from penstock.core import codec
from penstock.core.logs import log
from penstock.core.tasks import Tasks
from penstock.ports.cache_store import CachedAnswer

VERSION = 1  # of the table, and of what is in it
WAITING = 16 << 20  # bytes of answers that may wait to be written; beyond, they are not kept
_TABLE = """
CREATE TABLE IF NOT EXISTS answers (
  key BLOB PRIMARY KEY, owner INTEGER NOT NULL, size INTEGER NOT NULL, made_at INTEGER NOT NULL, ttl INTEGER NOT NULL,
  answer BLOB NOT NULL
) WITHOUT ROWID
"""
_unpack = codec.unpacker(CachedAnswer).decode
_T = TypeVar("_T")


class _Waiting(codec.Struct):
    owner: int
    answer: CachedAnswer
    ttl: int


class SqliteCache(IndexedCache):
    """What is kept is there again after a restart."""

    shared = False

    def __init__(self, file: Path, index: Index, largest: int, tasks: Tasks) -> None:
        super().__init__(index, largest)
        self._file = file
        self._tasks = tasks
        self._thread: ThreadPoolExecutor  # from ``start`` to ``stop``, which may come again
        self._connection: sqlite3.Connection | None = None  # None: there is none, and nothing is kept
        self._waiting: dict[bytes, _Waiting] = {}
        self._bytes = 0  # of those
        self._gone: set[bytes] = set()  # to be deleted
        self._writer: asyncio.Task[Any] | None = None

    async def read(self, key: bytes) -> CachedAnswer | None:
        self._index.use(key)
        if (waiting := self._waiting.get(key)) is not None:
            return waiting.answer
        found = await self._do(
            lambda there: there.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
        )
        try:
            answer = _unpack(found[0]) if found else None
        except codec.DecodeError:
            answer = None
        if answer is None and key not in self._waiting:
            self._index.drop(key)
        return answer

    def keep(self, key: bytes, owner: int, answer: CachedAnswer, ttl: int) -> bool:
        size = answer.size
        if self._connection is None or size > self._largest or self._bytes + size > WAITING:
            return False
        gone = self._index.add(key, owner, size, answer.made_at, ttl)
        if gone is None:
            return False
        if (before := self._waiting.get(key)) is not None:
            self._bytes -= before.answer.size
        self._waiting[key] = _Waiting(owner, answer, ttl)
        self._bytes += size
        self._forget(gone)
        return True

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, "cache")
        try:
            self._connection, rows = await loop.run_in_executor(self._thread, _opened, self._file)
        except (sqlite3.Error, OSError) as error:
            log.error("nothing is cached: %s cannot be used: %s", self._file.name, error)
            self._failures += 1
            self._thread.shutdown(wait=False)
            return
        expired: list[bytes] = []
        for key, owner, size, made_at, ttl in rows:
            gone = self._index.add(key, owner, size, made_at, ttl)
            expired += [key] if gone is None else gone
        self._forget(expired)

    async def stop(self) -> None:
        while self._writer is not None and not self._writer.done():
            await self._writer
        if self._gone:  # once more
            await self._write()
        connection, self._connection = self._connection, None
        if connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, connection.close)
            self._thread.shutdown()

    def _forget(self, gone: Sequence[bytes]) -> None:
        """What is gone from the index goes from the file, and what waits is written."""
        for key in gone:
            if (waiting := self._waiting.pop(key, None)) is not None:
                self._bytes -= waiting.answer.size
        self._gone.update(gone)
        if (self._gone or self._waiting) and (self._writer is None or self._writer.done()):
            self._writer = self._tasks.start("cache", self._write())

    async def _write(self) -> None:
        """All that waits, until nothing does."""
        while self._waiting or self._gone:
            batch, gone = dict(self._waiting), self._gone
            self._gone = set()
            stored = await self._do(lambda there, batch=batch, gone=gone: _store(there, batch, gone))
            for key, one in batch.items():
                if self._waiting.get(key) is one:  # else another answer has taken its place
                    del self._waiting[key]
                    self._bytes -= one.answer.size
                    if not stored:
                        self._index.drop(key)
            if not stored:  # what the file still has of all these is older, and goes with the next write
                self._gone |= gone | batch.keys()
                return

    async def _do(self, work: Callable[[sqlite3.Connection], _T]) -> _T | None:
        """None where it fails: the answer is then as one that was never kept."""
        if self._connection is None:
            return None
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._connection)
        except (sqlite3.Error, OSError):
            self._failures += 1
            return None


def _store(there: sqlite3.Connection, batch: dict[bytes, _Waiting], gone: set[bytes]) -> bool:
    there.execute("BEGIN")
    try:
        there.executemany("DELETE FROM answers WHERE key = ?", [(key,) for key in gone])
        there.executemany(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)",
            [
                (key, one.owner, one.answer.size, one.answer.made_at, one.ttl, codec.pack(one.answer))
                for key, one in batch.items()
            ],
        )
        there.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            there.execute("ROLLBACK")
        raise
    return True


def _opened(file: Path) -> tuple[sqlite3.Connection, list[tuple[bytes, int, int, int, int]]]:
    """The file and what is in it; one that is of another version or damaged gives way to an empty one."""
    try:
        return _open(file)
    except sqlite3.DatabaseError as error:
        log.warning("%s cannot be read and is begun anew: %s", file.name, error)
        for name in (file, file.with_name(file.name + "-wal"), file.with_name(file.name + "-shm")):
            name.unlink(missing_ok=True)
        return _open(file)


def _open(file: Path) -> tuple[sqlite3.Connection, list[tuple[bytes, int, int, int, int]]]:
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    there = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    try:
        ((version,),) = there.execute("PRAGMA user_version").fetchall()
        if version not in (0, VERSION):
            there.execute("DROP TABLE IF EXISTS answers")
        for pragma in (
            "auto_vacuum = INCREMENTAL",
            "journal_mode = WAL",
            "synchronous = OFF",
            f"user_version = {VERSION}",
        ):
            there.execute(f"PRAGMA {pragma}")
        there.execute(_TABLE)
        there.execute("PRAGMA incremental_vacuum")  # what a smaller bound has freed
        rows = there.execute("SELECT key, owner, size, made_at, ttl FROM answers ORDER BY made_at").fetchall()
    except BaseException:
        there.close()
        raise
    return there, rows
