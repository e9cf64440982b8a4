"""What every store promises, and memory's own."""

import asyncio
import os
import time

from penstock.core import instants
from tests.kit.caches import a_store, an_answer
from tests.kit.client import until

KEY = os.urandom


async def test_what_is_kept_comes_back_as_it_was(store):
    key, answer = KEY(32), an_answer(stream=True)
    assert not store.knows(key)
    store.keep(key, 1, answer, 600)
    assert store.knows(key)
    assert await store.read(key) == answer
    assert store.figures()[0] == answer.size
    assert store.figures()[3] == 0


async def test_another_answer_takes_the_place_of_the_one_before(store):
    key = KEY(32)
    store.keep(key, 1, an_answer(b"old"), 600)
    store.keep(key, 1, an_answer(b"new!"), 600)
    assert (await store.read(key)).frames == [b"new!", b"new!"]
    assert store.figures()[:2] == (an_answer(b"new!").size, 1)


async def test_answers_under_one_key_leave_nothing_behind_however_fast_they_come(store):
    key, other = KEY(32), KEY(32)
    for _ in range(2000):  # 64 MB
        store.keep(key, 1, an_answer(b"x" * 16_000), 600)
        await asyncio.sleep(0)
    store.keep(other, 1, an_answer(), 600)
    await until(lambda: not getattr(store, "_bytes", 0))  # that wait to be written
    store.keep(other, 1, an_answer(b"last"), 600)
    assert (await store.read(other)).frames == [b"last", b"last"]
    assert store.figures()[1] == 2


async def test_an_answer_that_is_kept_while_one_is_missed_is_known(store):
    """Else it would be there, and count in nobody's bound."""
    key = KEY(32)
    store._index.add(key, 1, 10, instants.now(), 600)  # what another took away
    reading = asyncio.ensure_future(store.read(key))
    await asyncio.sleep(0)
    store.keep(key, 1, an_answer(), 600)
    await reading
    assert store.knows(key)
    assert (await store.read(key)).frames == an_answer().frames


async def test_what_has_expired_is_not_there(store):
    key = KEY(32)
    store.keep(key, 1, an_answer(made_at=instants.now() - 61_000), 60)
    assert not store.knows(key)
    store.keep(key, 1, an_answer(made_at=instants.now() - 59_900), 60)
    assert store.knows(key)
    await until(lambda: not store.knows(key))


async def test_what_does_not_fit_is_not_kept(store):
    key = KEY(32)
    store.keep(key, 1, an_answer(b"x" * 30_000), 600)
    assert not store.knows(key)
    assert store.figures()[:2] == (0, 0)


async def test_those_unused_for_longest_make_room(store):
    keys = [KEY(32) for _ in range(4)]
    for key in keys[:3]:
        store.keep(key, 1, an_answer(b"x" * 16_000), 600)
    assert await store.read(keys[0])
    store.keep(keys[3], 1, an_answer(b"x" * 16_000), 600)
    assert [store.knows(key) for key in keys] == [True, False, True, True]
    assert store.figures()[1:3] == (3, 1)
    assert await store.read(keys[3])


async def test_a_gateways_answers_are_dropped_and_no_others(store):
    mine, old, theirs = KEY(32), KEY(32), KEY(32)
    store.keep(mine, 1, an_answer(), 600)
    store.keep(old, 1, an_answer(made_at=instants.now() - 100_000), 600)
    store.keep(theirs, 2, an_answer(), 600)
    assert (await store.purge(1, key=theirs)).answers == 0
    assert (await store.purge(1, key=mine, older_than=50)).answers == 0
    assert (await store.purge(1, older_than=50)).answers == 1
    assert [store.knows(key) for key in (mine, old, theirs)] == [True, False, True]
    assert (await store.purge(1, key=mine)).answers == 1
    assert (await store.purge(1)).answers == 0
    store.keep(mine, 1, an_answer(), 600)
    assert (await store.purge(1)).answers == 1
    assert [store.knows(key) for key in (mine, old, theirs)] == [False, False, True]
    assert await store.read(theirs)
    assert (await store.purge(2)).answers == 1


async def test_a_purge_of_many_answers_lets_others_have_their_turn(kind, tmp_path, server, monkeypatch):
    monkeypatch.setattr("penstock.backends.cache.index.SLICE", 10)
    async with a_store(kind, tmp_path, limit=10**6, url=server.url) as store:
        mine, theirs = [KEY(32) for _ in range(100)], [KEY(32) for _ in range(100)]
        for one, other in zip(mine, theirs, strict=True):
            store.keep(one, 51, an_answer(), 600)
            store.keep(other, 52, an_answer(), 600)
        purging = asyncio.ensure_future(store.purge(51))
        seen = set()
        while not purging.done():
            seen.add(sum(map(store.knows, mine)))
            await asyncio.sleep(0)
        assert await purging == (100, True)
        assert len(seen) > 10
        assert [store.knows(key) for key in mine] == [False] * 100
        assert all([await store.read(key) for key in theirs])


async def test_a_key_is_out_of_date_for_the_calls_that_had_begun_when_it_was_purged(store):
    key, began = KEY(32), time.monotonic()
    assert not store.outdated(key, began)
    await store.purge(1, key=key, older_than=50)  # what runs is not as old as that
    await store.purge(1)  # that is told by the generation of the gateway
    assert not store.outdated(key, began)
    theirs = KEY(32)
    store.keep(theirs, 2, an_answer(), 600)
    await store.purge(1, key=theirs)
    assert not store.outdated(theirs, began)
    assert await store.read(theirs)
    await store.purge(1, key=key)
    assert store.outdated(key, began)
    assert not store.outdated(KEY(32), began)
    assert not store.outdated(key, time.monotonic())


async def test_a_time_to_live_beyond_all_measure_is_one(store):
    key = KEY(32)
    store.keep(key, 1, an_answer(), 2**53 - 1)
    assert store.knows(key)
    assert await store.read(key)
    assert store.figures()[3] == 0


async def test_the_bytes_of_all_are_bounded(kind, tmp_path, server):
    async with a_store(kind, tmp_path, limit=20_000, largest=5_000, url=server.url) as store:
        for number in range(100):
            store.keep(KEY(32), number % 3, an_answer(b"x" * (number * 37 % 2000)), 600)
            assert store.figures()[0] <= 20_000
        assert store.figures()[2] > 50


async def test_one_that_is_dropped_is_gone_and_what_is_refused_leaves_what_was_there(store):
    key, other = KEY(32), KEY(32)
    size, answers, *_ = store.figures()
    assert store.keep(key, 1, an_answer(), 600)
    assert store.keep(other, 1, an_answer(), 600)
    assert not store.keep(other, 1, an_answer(b"x" * 60_000), 600)
    store.drop(key)
    store.drop(KEY(32))
    assert not store.knows(key)
    assert await store.read(key) is None
    assert await store.read(other) is not None
    assert store.figures()[:2] == (size + an_answer().size, answers + 1)


async def test_while_a_key_is_purged_what_calls_bring_that_began_before_is_out_of_date(store):
    key = KEY(32)
    store.keep(key, 1, an_answer(), 600)
    began = time.monotonic()
    purging = asyncio.ensure_future(store.purge(1, key=key))
    await asyncio.sleep(0)
    assert store.outdated(key, began)
    assert await purging == (1, True)
