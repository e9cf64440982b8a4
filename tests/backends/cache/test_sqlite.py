"""A file that outlives the process, and is a cache and no more."""

import os
import sqlite3
import stat
from contextlib import closing

import pytest

from penstock.core import instants
from tests.kit.caches import a_store, an_answer
from tests.kit.client import until

KEY = b"k" * 32


async def test_what_was_kept_is_there_after_a_restart(tmp_path):
    old, many = b"o" * 32, [os.urandom(32) for _ in range(300)]
    answer = an_answer()
    async with a_store("sqlite", tmp_path, limit=10**6) as store:
        store.keep(KEY, 7, answer, 600)
        store.keep(old, 7, an_answer(made_at=instants.now() - 59_990), 60)
        for key in many:
            store.keep(key, 8, answer, 600)
        assert (await store.purge(8, key=many[0])).answers == 1
    assert stat.S_IMODE((tmp_path / "cache.db").stat().st_mode) == 0o600
    async with a_store("sqlite", tmp_path, limit=10**6) as store:
        assert await store.read(KEY) == answer
        assert not store.knows(many[0])
        assert all([await store.read(key) == answer for key in many[1:]])
        assert (await store.purge(8)).answers == 299


async def test_a_smaller_bound_after_a_restart_holds(tmp_path):
    async with a_store("sqlite", tmp_path) as store:
        for _ in range(20):
            store.keep(os.urandom(32), 1, an_answer(b"x" * 1000), 600)
    async with a_store("sqlite", tmp_path, limit=10_000) as store:
        assert 5_000 < store.figures()[0] <= 10_000
    with sqlite3.connect(tmp_path / "cache.db") as there:
        ((rows,),) = there.execute("SELECT count(*) FROM answers").fetchall()
    there.close()
    assert rows <= 4


@pytest.mark.parametrize("content", [b"this is no database, and never was one", b"SQLite format 3\0" + b"\xff" * 5000])
async def test_a_file_that_cannot_be_read_gives_way_to_an_empty_one(content, tmp_path, caplog):
    (tmp_path / "cache.db").write_bytes(content)
    async with a_store("sqlite", tmp_path) as store:
        store.keep(KEY, 1, an_answer(), 600)
        assert await store.read(KEY)
    assert any("begun anew" in line for line in caplog.messages)
    async with a_store("sqlite", tmp_path) as store:
        assert await store.read(KEY)


async def test_a_file_of_another_release_is_emptied(tmp_path):
    async with a_store("sqlite", tmp_path) as store:
        store.keep(KEY, 1, an_answer(), 600)
    with sqlite3.connect(tmp_path / "cache.db") as there:
        there.execute("PRAGMA user_version = 99")
    there.close()
    async with a_store("sqlite", tmp_path) as store:
        assert not store.knows(KEY)


async def test_where_no_file_can_be_made_nothing_is_kept_and_nothing_fails(tmp_path, caplog):
    async with a_store("sqlite", tmp_path / "none") as store:
        store.keep(KEY, 1, an_answer(), 600)
        assert not store.knows(KEY)
        assert (await store.purge(1)).answers == 0
        assert store.figures()[3] == 1
    assert any("nothing is cached" in line for line in caplog.messages)


async def test_what_is_damaged_within_is_a_miss(tmp_path):
    async with a_store("sqlite", tmp_path) as store:
        store.keep(KEY, 1, an_answer(), 600)
    with sqlite3.connect(tmp_path / "cache.db") as there:
        there.execute("UPDATE answers SET answer = x'c1'")
    there.close()
    async with a_store("sqlite", tmp_path) as store:
        assert store.knows(KEY)
        assert await store.read(KEY) is None
        assert not store.knows(KEY)


async def test_it_can_be_started_again(tmp_path):
    """As where the database was away when the server started."""
    async with a_store("sqlite", tmp_path) as store:
        store.keep(KEY, 1, an_answer(), 600)
        await store.stop()
        await store.start()
        assert await store.read(KEY)
        assert store.figures()[1] == 1


async def test_what_cannot_be_written_or_deleted_is_not_answered_from_what_is_older(tmp_path):
    other = b"o" * 32
    async with a_store("sqlite", tmp_path) as store:
        store.keep(KEY, 1, an_answer(b"old"), 600)
        store.keep(other, 1, an_answer(), 600)
        await until(store._writer.done)
        await store._do(lambda there: there.execute("PRAGMA busy_timeout = 10"))
        with closing(sqlite3.connect(tmp_path / "cache.db", isolation_level=None)) as lock:
            lock.execute("BEGIN IMMEDIATE")
            store.keep(KEY, 1, an_answer(b"new"), 600)
            assert (await store.purge(1, key=other)).answers == 1
            await until(store._writer.done)
            lock.execute("ROLLBACK")
        assert store.figures()[3] > 0
        assert not store.knows(KEY)
    async with a_store("sqlite", tmp_path) as store:
        assert [store.knows(key) for key in (KEY, other)] == [False, False]
