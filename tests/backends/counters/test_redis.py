"""Places counted in Redis, for several processes at once."""

import asyncio
import os
from collections import Counter
from contextlib import asynccontextmanager
from itertools import count

import pytest

from penstock.backends.counters.redis import FIXED, RedisCounters
from penstock.backends.redis_link import RedisLink, Script
from penstock.core.tasks import Tasks
from penstock.core.telemetry import Telemetry
from penstock.ports.counters import RateLimit
from tests.kit.several import CACHE

HUGE = 2**53 - 1
_owners = count(os.getpid() * 1_000_000)  # the server is shared among tests


@asynccontextmanager
async def counting(number=1, policy="count", url=""):
    """Counters of so many processes, and their telemetry."""
    tasks, made, links = Tasks(), [], []
    for _ in range(number):
        link = RedisLink(tasks, url or os.environ[CACHE], "limits")
        await link.start("tests")
        telemetry = Telemetry()
        links.append(link)
        made.append((RedisCounters(link, policy, telemetry), telemetry))
    try:
        yield made
    finally:
        for link in links:
            await link.stop()
        await tasks.stop()


@pytest.mark.parametrize("technique", ["fixed", "sliding"])
async def test_of_thousands_at_once_exactly_the_limit_passes_in_all_processes_together(technique):
    rule, owner = RateLimit(10**6, 700, technique), next(_owners)
    async with counting(2) as made:
        told = await asyncio.gather(*(made[number % 2][0].take(owner, rule) for number in range(3000)))
    given = [one for one in told if one.given]
    assert len(given) == 700
    assert sorted(one.used for one in given) == list(range(1, 701))
    assert {(one.used, one.by) for one in told if not one.given} == {(700, "redis")}


@pytest.mark.parametrize("technique", ["fixed", "sliding"])
async def test_amounts_are_counted_whole_and_asking_takes_nothing(technique):
    async with counting(2) as ((one, _), (other, _)):
        rule, owner = RateLimit(600, 10, technique), f"amounts:{next(_owners)}"
        await one.take(owner, rule, 0)
        assert not await one._link.ask("KEYS", f"{one._link.prefix}limit:{{{owner}}}*")  # nothing is left behind
        asked = [(await one.take(owner, rule, amount))[:2] for amount in (0, 7, 0, 7, 0, 1)]
        assert asked == [(True, 0), (True, 7), (True, 7), (True, 14), (False, 14), (False, 14)]
        assert (await other.take(owner, rule._replace(limit=1 << 53), 5))[:2] == (True, 19)


@pytest.mark.parametrize("technique", ["fixed", "sliding"])
async def test_a_place_is_free_again_after_the_wait_that_was_told(technique):
    rule, owner = RateLimit(1, 2, technique), next(_owners)
    async with counting() as ((counters, _),):
        while not all([(await counters.take(owner, rule)).given for _ in range(2)]):
            await asyncio.sleep(0.05)  # a fixed window began in between
        told = await counters.take(owner, rule)
        if not told.given:  # else a fixed window has just ended
            assert 0 < told.wait <= 1.01
            await asyncio.sleep(told.wait + 0.005)
            assert (await counters.take(owner, rule)).given


@pytest.mark.parametrize("technique", ["fixed", "sliding"])
async def test_a_changed_limit_keeps_the_count_and_another_interval_begins_anew(technique):
    owner = next(_owners)
    async with counting() as ((counters, _),):
        used = [(await counters.take(owner, RateLimit(10**6, 3, technique))).used for _ in range(3)]
        assert used == [1, 2, 3]
        lower = await counters.take(owner, RateLimit(10**6, 2, technique))
        assert (lower.given, lower.used) == (False, 3)
        assert lower.wait > 0
        assert (await counters.take(owner, RateLimit(10**6, 4, technique))).used == 4
        assert (await counters.take(owner, RateLimit(10**6 + 1, 3, technique))).used == 1
        assert (await counters.take(next(_owners), RateLimit(10**6, 3, technique))).used == 1


@pytest.mark.parametrize("technique", ["fixed", "sliding"])
async def test_what_is_absurdly_large_counts_all_the_same(technique):
    owner = next(_owners)
    async with counting() as ((counters, telemetry),):
        assert (await counters.take(owner, RateLimit(HUGE, 1, technique))).by == "redis"
        told = await counters.take(owner, RateLimit(HUGE, 1, technique))
        assert (told.given, told.by) == (False, "redis")
        assert told.wait > 10**9
        assert (await counters.take(owner, RateLimit(1, HUGE, technique))).given
        assert not telemetry.limits_alone.values


async def test_no_fixed_window_gives_more_than_the_limit_where_calls_come_at_its_border():
    """By Redis's own clock, which a variant of the script tells: ours may differ from it."""
    span, limit = 200, 400
    telling = Script(FIXED.text.replace("used), '0'}", "used), string.format('%.0f', now)}"))
    assert telling.text != FIXED.text
    windows: Counter[tuple[str, int]] = Counter()
    async with counting() as ((counters, _),):
        link = counters._link

        async def now() -> int:
            seconds, micros = await link.ask("TIME")
            return int(seconds) * 1000 + int(micros) // 1000

        async def take(name: str) -> bool:
            given, _, at = await link.run(telling, [name], limit, span, 10**9, 1)
            if given:
                windows[name, int(at) // span] += 1
            return bool(given)

        for _ in range(20):
            name = f"{link.prefix}border:{next(_owners)}"
            while not 0.6 * span < await now() % span < 0.9 * span:
                await asyncio.sleep(0.001)
            ends = (await now() // span + 1) * span
            await take(name)  # the window that ends has places left, and its count is to expire
            while await now() < ends - 2:
                await asyncio.sleep(0)
            while all(await asyncio.gather(*(take(name) for _ in range(12)))) or await now() < ends:
                pass
    assert max(windows.values()) == limit


async def test_a_count_that_outlives_its_window_is_not_that_of_the_next():
    owner, rule = next(_owners), RateLimit(10**6, 2, "fixed")
    async with counting() as ((counters, _),):
        await planted(counters, owner, rule, windows=-1)
        assert [(await counters.take(owner, rule)).used for _ in range(3)] == [1, 2, 2]


async def test_a_clock_that_is_set_back_over_a_border_gives_no_window_twice():
    owner, rule = next(_owners), RateLimit(10**6, 2, "fixed")
    async with counting() as ((counters, _),):
        await planted(counters, owner, rule, windows=1)
        told = [await counters.take(owner, rule) for _ in range(2)]
        assert [(one.given, one.used) for one in told] == [(True, 2), (False, 2)]
        assert 10**6 <= told[1].wait <= 2 * 10**6
        await planted(counters, owner, rule, windows=2)  # by more than that it was no step, but set anew
        assert (await counters.take(owner, rule)).used == 1


async def planted(counters: RedisCounters, owner: int, rule: RateLimit, *, windows: int):
    """One place, taken so many windows from now."""
    link, span = counters._link, rule.interval * 1000
    seconds, _ = await link.ask("TIME")
    begun = (int(seconds) * 1000 // span + windows) * span
    await link.ask("SET", f"{link.prefix}limit:{{{owner}}}:fixed:{rule.interval}", f"{begun}:1", "PX", 60_000)


@pytest.mark.parametrize("technique", ["fixed", "sliding"])
async def test_what_redis_keeps_goes_by_itself(technique):
    owner = next(_owners)
    async with counting() as ((counters, _),):
        await counters.take(owner, RateLimit(60, 5, technique))
        keys = await counters._link.ask("KEYS", f"{counters._link.prefix}limit:{{{owner}}}*")
        assert keys
        for key in keys:
            assert 0 < await counters._link.ask("PTTL", key) <= 61_000


@pytest.mark.parametrize(
    ("policy", "given"), [("count", [True, True, False]), ("allow", [True] * 3), ("refuse", [False] * 3)]
)
async def test_without_redis_the_policy_decides_and_is_counted(policy, given, unused_tcp_port):
    rule = RateLimit(10**6, 2, "fixed")
    async with counting(policy=policy, url=f"redis://127.0.0.1:{unused_tcp_port}/0") as ((counters, telemetry),):
        told = [await counters.take(1, rule) for _ in range(3)]
        assert [one.given for one in told] == given
        assert {one.by for one in told} == {policy}
        assert telemetry.limits_alone.values == {(policy,): 3}


async def test_a_key_that_holds_something_else_is_no_reason_to_fail():
    owner, rule = next(_owners), RateLimit(60, 2, "sliding")
    async with counting() as ((counters, telemetry),):
        await counters._link.ask("SET", f"{counters._link.prefix}limit:{{{owner}}}:sliding:60", "strange")
        assert (await counters.take(owner, rule)).by == "count"
        assert telemetry.limits_alone.values == {("count",): 1}


@pytest.mark.parametrize("dropped", ["", ":sum"])
async def test_one_of_two_keys_that_redis_drops_when_it_is_full_takes_the_other_with_it(dropped):
    """Else what is left would count for ever, or against what comes."""
    owner, rule = next(_owners), RateLimit(2, 3, "sliding")
    async with counting() as ((counters, _),):
        link, name = counters._link, f"{counters._link.prefix}limit:{{{owner}}}:sliding:{rule.interval}"
        assert [(await counters.take(owner, rule)).given for _ in range(4)] == [True, True, True, False]
        assert await link.ask("DEL", name + dropped) == 1
        assert [(await counters.take(owner, rule)).used for _ in range(4)] == [1, 2, 3, 3]
        held = sum(int(run.partition(b":")[2]) for run in await link.ask("LRANGE", name, 0, -1))
        assert held == int(await link.ask("GET", f"{name}:sum")) == 3


async def test_installations_that_share_a_redis_do_not_count_together():
    owner, rule, tasks = next(_owners), RateLimit(10**6, 1, "fixed"), Tasks()
    for name in ("here", "there"):
        link = RedisLink(tasks, os.environ[CACHE], "limits")
        await link.start(name)
        assert (await RedisCounters(link, "count", Telemetry()).take(owner, rule)) == (True, 1, 0.0, "redis")
        await link.stop()
