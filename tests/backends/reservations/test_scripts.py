"""What Redis does with money in one step: a number of nano-dollars stays exact however large."""

import os

import pytest

from penstock.backends.redis_link import RedisLink
from penstock.backends.reservations.scripts import BEGIN, LACKS, SEED, SETTLE
from penstock.core.tasks import Tasks
from tests.kit.several import CACHE

LARGE = 2**60 + 1  # a thousand million dollars


@pytest.fixture
async def link():
    made = RedisLink(Tasks(), os.environ[CACHE], "limits")
    await made.start(f"scripts-{os.getpid()}")
    await made.ask("SET", "lock", "e", "PX", 60_000)
    yield made
    await made.ask("DEL", "lock", "state", "spent", "open")
    await made.stop()


async def test_a_settlement_counts_once_and_to_the_nano_dollar(link):
    assert await link.run(SEED, ["lock", "spent", "open"], "e", 1000, 0, 7, LARGE, 60_000, "", "") == 1
    assert await link.run(BEGIN, ["state", "lock"], "e", "run") == 1
    for _ in range(2):
        assert await link.run(SETTLE, ["state", "spent", "open"], "e", "me", 0, "", 7, 1, 60_000, 0) == 1
    assert int(await link.ask("HGET", "spent", "7")) == LARGE + 1
    assert await link.run(SETTLE, ["state", "spent", "open"], "other", "me", 1, "", 7, 1, 60_000, 0) == -1


async def test_what_the_seeds_may_have_counts_where_it_is_outstanding(link):
    """Then its draft was in the database, not yet its record."""
    rows = (7, 5, 60_000, "", "", 7, 4, 60_000, 9, "known")
    await link.run(SEED, ["lock", "spent", "open", "spent", "open"], "e", 1000, 0, *rows)
    await link.run(BEGIN, ["state", "lock"], "e", "run")
    for number, name in enumerate((b"known", b"other")):
        await link.run(SETTLE, ["state", "spent", "open"], "e", "me", number, b"4:7:" + name, 7, 3, 60_000, 1)
    assert await link.ask("HMGET", "spent", "7", "spent", "reserved") == [b"8", b"8", b"0"]


async def test_whoever_has_lost_the_lock_begins_nothing(link):
    assert await link.run(SEED, ["lock", "spent", "open"], "other", 1000, 0, 7, 1, 60_000, "", "") == -1
    assert await link.run(BEGIN, ["state", "lock"], "other", "run") == -1
    assert await link.ask("EXISTS", "state", "spent") == 0


async def test_it_is_seen_where_less_is_counted(link):
    await link.run(SEED, ["lock", "spent", "open"], "e", 1000, 0, 7, 5, 60_000, "", "")
    assert await link.run(LACKS, ["spent", "open", "none", "open"], "e", 7, 5, 7, 1) == 1
    assert await link.run(LACKS, ["spent", "open", "spent", "open"], "e", 7, 6, 7, 4) == 1
