"""Epochs of what Redis holds: one begins at a time, from the database."""

import asyncio
import os

import pytest

from penstock.backends.redis_link import RedisLink
from penstock.backends.reservations.known import Known
from penstock.backends.reservations.state import State, keys, lasts
from penstock.core.tasks import Tasks
from penstock.model.money import NEVER
from penstock.storage.errors import StoreUnavailable
from tests.kit.several import CACHE


@pytest.fixture
async def link():
    tasks = Tasks()
    made = RedisLink(tasks, os.environ[CACHE], "limits")
    await made.start(f"epochs-{os.getpid()}")
    yield made
    if left := await made.ask("KEYS", f"{made.prefix}*"):
        await made.ask("DEL", *left)
    await made.stop()


def a_state(link, sender, load):
    state = State(link, sender, 1000, lambda: 0)
    state.load = load
    return state


async def test_of_many_that_begin_at_once_one_does(link):
    async def load():
        await asyncio.sleep(0.01)
        return Known([("budget", 0, 0, at) for at in (5, 6)] * 150, {b"one": 17})

    states = [a_state(link, sender, load) for sender in (b"one", b"two", b"three")]
    assert await asyncio.gather(*(state.join() for state in states)) == [17, 0, 0]
    assert len({state.epoch for state in states}) == 1
    assert await link.ask("HGET", keys(link, "budget")[0], "0") == b"%d" % (150 * 11)
    assert await asyncio.gather(*(state.join() for state in states)) == [None] * 3
    assert not await states[0].ended()


async def test_where_the_database_is_away_the_next_one_may_begin(link):
    async def away():
        raise StoreUnavailable

    async def load():
        return Known([], {})

    with pytest.raises(StoreUnavailable):
        await a_state(link, b"one", away).join()
    assert await a_state(link, b"two", load).join() == 0


def test_redis_keeps_what_counts_and_no_longer_than_a_while():
    assert lasts(0, 5) == lasts(NEVER, 5) == 0
    assert 1000 <= lasts(4, 5) < 10**6
    assert 10**9 < lasts(10**9, 0) < 10**9 + 10**6
