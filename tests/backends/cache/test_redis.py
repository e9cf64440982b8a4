"""What one process keeps all know, also when Redis goes and comes."""

import asyncio
import os
import random
import signal
import time
from contextlib import AsyncExitStack, contextmanager

import pytest

from penstock.backends.cache.redis import News
from penstock.backends.redis_link import RedisAway
from penstock.core import codec
from tests.kit import services
from tests.kit.caches import a_store, an_answer
from tests.kit.client import until


@pytest.fixture
def own():
    """A server that this test may kill."""
    with services.redis() as server:
        yield server


async def test_what_one_keeps_and_drops_the_others_know(tmp_path):
    key, early, answer = os.urandom(32), os.urandom(32), an_answer()
    async with a_store("redis", tmp_path) as one:
        one.keep(early, 991, answer, 600)
        assert await one.read(early) == answer
        async with a_store("redis", tmp_path) as two:
            assert await two.read(early) == answer  # kept before it began
            one.keep(key, 991, answer, 600)
            await until(lambda: two.knows(key))
            assert await two.read(key) == answer
            assert (await two.purge(991)).answers == 2
            await until(lambda: not one.knows(key) and not one.knows(early))
            assert await one.read(key) is None


async def test_a_key_that_one_purges_is_out_of_date_in_all_for_calls_that_have_begun(tmp_path):
    key = os.urandom(32)
    async with a_store("redis", tmp_path) as one, a_store("redis", tmp_path) as two:
        before = time.monotonic()
        assert (await one.purge(993, key=key)).answers == 0  # known to nobody yet
        await until(lambda: two.outdated(key, before))
        assert not two.outdated(key, time.monotonic())
        assert not two.outdated(os.urandom(32), before)


async def test_what_is_purged_before_it_is_written_never_is(tmp_path):
    key, other = os.urandom(32), os.urandom(32)
    async with a_store("redis", tmp_path) as one, a_store("redis", tmp_path) as two:
        one.keep(key, 994, an_answer(), 600)
        assert (await one.purge(994, key=key)).answers == 1
        one.keep(other, 994, an_answer(), 600)
        await until(lambda: two.knows(other))
        assert not two.knows(key)
        assert await there(one, key) == 0
        assert (await one.purge(994)).answers == 1


@pytest.fixture
def fails(monkeypatch):
    """A context in which the store's scripts do not reach Redis."""

    @contextmanager
    def reaches_nothing(store):
        async def away(*_):
            raise RedisAway

        with monkeypatch.context() as patched:
            patched.setattr(store._link, "run", away)
            yield

    return reaches_nothing


async def there(store, *keys):
    return await store._link.ask("EXISTS", *(store._prefix + key for key in keys))


async def test_what_could_not_be_dropped_is_once_redis_is_there_again(tmp_path, fails):
    key = os.urandom(32)
    async with a_store("redis", tmp_path) as store:
        store.keep(key, 995, an_answer(), 600)
        await until(lambda: not store._waiting)

        with fails(store):
            assert (await store.purge(995, key=key)).answers == 1
        assert await there(store, key) == 1
        await store._load()
        assert not store.knows(key)
        assert await there(store, key) == 0


async def test_an_answer_that_did_not_arrive_takes_those_with_it_that_it_replaced(tmp_path, fails):
    old, replaced = os.urandom(32), os.urandom(32)
    async with a_store("redis", tmp_path, limit=2_500) as store:
        for key in (old, replaced):
            store.keep(key, 998, an_answer(b"x" * 200), 600)
            await until(lambda: not store._waiting)
        with fails(store):
            store.keep(replaced, 998, an_answer(b"y" * 800), 600)  # there is no more room for the other
            await until(lambda: not store._waiting)
        assert await there(store, old, replaced) == 2
        await store._load()
        assert await there(store, old, replaced) == 0
        assert store.figures()[:2] == (0, 0)


async def test_what_is_kept_before_a_purge_is_heard_goes_too(tmp_path):
    key = os.urandom(32)
    async with a_store("redis", tmp_path) as store:
        store.keep(key, 996, an_answer(), 600)
        await until(lambda: not store._waiting)
        store._learn(codec.pack(News(b"another", [key], purged=True)))

        async def gone():
            return await there(store, key) == 0

        async with asyncio.timeout(5):
            while not await gone():
                await asyncio.sleep(0.01)
        assert not store.knows(key)


async def test_the_bound_is_that_of_all_together(tmp_path):
    keys = [os.urandom(32) for _ in range(12)]
    async with a_store("redis", tmp_path, limit=9_000) as one, a_store("redis", tmp_path, limit=9_000) as two:
        for number, key in enumerate(keys):
            (one, two)[number % 2].keep(key, 992, an_answer(b"x" * 500), 600)
            await until(lambda key=key: one.knows(key) and two.knows(key))
        assert one.figures()[0] <= 9_000
        assert two.figures()[0] <= 9_000
        assert (await one.purge(992)).answers > 0


async def test_nothing_is_in_redis_of_which_nobody_knows(own, tmp_path):
    """However the processes' turns fall: each thinks of others' answers as unused for longest."""
    async with AsyncExitStack() as opened:
        stores = [
            await opened.enter_async_context(a_store("redis", tmp_path, limit=20_000, url=own.url)) for _ in range(3)
        ]
        keys, chosen = [], random.Random(5)
        for number in range(300):
            keys.append(os.urandom(32))
            store = stores[number % 3]
            store.keep(keys[-1], number % 2, an_answer(b"x" * 500), 600)
            if chosen.random() < 0.3:
                await store.read(chosen.choice(keys[-15:]))
        await until(lambda: not any(store._waiting for store in stores))
        one, *_ = stores

        async def settled():
            there = await one._link.ask("KEYS", one._prefix + b"*")
            known = [key for key in keys if any(store.knows(key) for store in stores)]
            return sorted(there) == sorted(one._prefix + key for key in known)

        async with asyncio.timeout(5):
            while not await settled():
                await asyncio.sleep(0.01)
        size = an_answer(b"x" * 500).size
        assert 5 * size < len(await one._link.ask("KEYS", one._prefix + b"*")) * size <= 20_000


async def test_a_smaller_bound_after_a_restart_holds_in_redis_too(own, tmp_path):
    async with a_store("redis", tmp_path, url=own.url) as before:
        for _ in range(20):
            before.keep(os.urandom(32), 1, an_answer(b"x" * 1000), 600)
    async with a_store("redis", tmp_path, limit=10_000, url=own.url) as store:
        async with asyncio.timeout(5):
            while len(await store._link.ask("KEYS", store._prefix + b"*")) > 3:
                await asyncio.sleep(0.01)
        assert store.figures()[1] == 3


async def test_while_redis_is_away_there_is_nothing_and_afterwards_it_is_used_again(own, tmp_path):
    key, answer = os.urandom(32), an_answer()
    async with a_store("redis", tmp_path, url=own.url) as one, a_store("redis", tmp_path, url=own.url) as two:
        one.keep(key, 1, answer, 600)
        await until(lambda: two.knows(key))
        own.kill()
        assert await one.read(key) is None
        assert one.figures()[3] >= 1
        one.keep(os.urandom(32), 1, answer, 600)
        own.start()
        later = os.urandom(32)

        def kept():
            one.keep(later, 1, answer, 600)
            return two.knows(later)

        await until(kept)
        assert await two.read(later) == answer
        await until(lambda: not two.knows(key))  # Redis came back empty


async def test_what_is_dropped_while_redis_hangs_is_dropped_for_all_when_it_goes_on(own, tmp_path):
    key, other = os.urandom(32), os.urandom(32)
    async with a_store("redis", tmp_path, url=own.url) as one, a_store("redis", tmp_path, url=own.url) as two:
        for each in (key, other):
            one.keep(each, 1, an_answer(), 600)
            await until(lambda each=each: two.knows(each))
        os.kill(own.pid, signal.SIGSTOP)
        try:
            assert await one.purge(1, key=key) == (1, False)
            assert await one.purge(1, older_than=3600) == (0, False)  # two may have some
        finally:
            os.kill(own.pid, signal.SIGCONT)
        await until(lambda: one._link.up and one.knows(other) and two.knows(other) and not two.knows(key))
        assert not one.knows(key)
        assert await there(one, key) == 0
        await until(lambda: two._link.up)
        assert await two.purge(1) == (1, True)


async def test_what_redis_refuses_to_drop_is_dropped_when_it_writes_again(own, tmp_path):
    key, refused, kept = os.urandom(32), os.urandom(32), os.urandom(32)
    async with a_store("redis", tmp_path, url=own.url) as one, a_store("redis", tmp_path, url=own.url) as two:
        one.keep(key, 1, an_answer(), 600)
        await until(lambda: two.knows(key))
        await one._link.ask("CONFIG", "SET", "min-replicas-to-write", 1)
        assert await one.purge(1, key=key) == (1, False)
        one.keep(refused, 1, an_answer(), 600)
        await until(lambda: not one._waiting)
        assert not one.knows(refused)
        await one._link.ask("CLIENT", "KILL", "TYPE", "pubsub")
        await until(lambda: not one._listens.is_set())
        await until(one._listens.is_set)
        assert not one.knows(key)  # though Redis has it still
        await one._link.ask("CONFIG", "SET", "min-replicas-to-write", 0)
        one.keep(refused, 1, an_answer(), 600)
        one.keep(kept, 1, an_answer(), 600)
        await until(lambda: not one._owed)
        await until(lambda: two.knows(kept) and two.knows(refused) and not two.knows(key))
        assert await there(one, key) == 0
        assert await there(one, kept, refused) == 2


async def test_a_purge_does_not_overtake_what_it_purges(own, tmp_path):
    """Also where Redis does not know the script of the one, and that of the other."""
    key = os.urandom(32)
    async with a_store("redis", tmp_path, url=own.url) as one, a_store("redis", tmp_path, url=own.url) as two:
        await one.purge(1, key=os.urandom(32))
        one.keep(key, 1, an_answer(), 600)
        await asyncio.sleep(0)  # it is on its way
        assert await one.purge(1) == (1, True)
        assert await there(one, key) == 0
        one.keep(os.urandom(32), 1, an_answer(), 600)
        await until(lambda: two.figures()[1])
        assert not two.knows(key)


async def test_what_others_took_out_of_redis_is_a_miss(own, tmp_path):
    key = os.urandom(32)
    async with a_store("redis", tmp_path, url=own.url) as one:
        one.keep(key, 1, an_answer(), 600)
        await until(lambda: not one._waiting)
        assert await one.read(key)
        await one._link.ask("FLUSHALL")
        assert one.knows(key)
        assert await one.read(key) is None
        assert not one.knows(key)


async def test_what_another_release_wrote_is_left_alone(own, tmp_path):
    key = os.urandom(32)
    async with a_store("redis", tmp_path, url=own.url) as one:
        await one._link.ask("SET", one._prefix + key, b"\x63" + b"x" * 100)
        await one._link.ask("PUBLISH", one._channel, b"\x93nonsense")
    async with a_store("redis", tmp_path, url=own.url) as one:
        assert not one.knows(key)
        assert one.figures()[3] == 0


async def test_installations_that_share_a_redis_know_nothing_of_one_another(own, tmp_path):
    key, answer = os.urandom(32), an_answer()
    async with (
        a_store("redis", tmp_path, url=own.url, installation="one") as one,
        a_store("redis", tmp_path, url=own.url, installation="two") as two,
        a_store("redis", tmp_path, url=own.url, installation="one") as same,
    ):
        one.keep(key, 1, answer, 600)
        await until(lambda: same.knows(key))
        assert not two.knows(key)
        assert await two.read(key) is None
        assert (await two.purge(1)).answers == 0
        assert await same.read(key) == answer
    async with a_store("redis", tmp_path, url=own.url, installation="two") as two:
        assert two.figures()[1] == 0


async def test_what_is_on_its_way_when_a_process_stops_arrives(own, tmp_path):
    keys = [os.urandom(32) for _ in range(50)]
    async with a_store("redis", tmp_path, url=own.url) as one:
        for key in keys:
            one.keep(key, 1, an_answer(), 600)
    async with a_store("redis", tmp_path, url=own.url) as two:
        assert all(two.knows(key) for key in keys)
