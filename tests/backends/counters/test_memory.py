"""Places counted in this process: windows against plain models, and exactly the limit whatever comes at once."""

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.backends.counters.memory import FEW, TICKS, MemoryCounters, Sliding
from penstock.ports.counters import RateLimit

HUGE = 2**53 - 1


class Time:
    """Both clocks; the wall can step by itself."""

    def __init__(self):
        self.seconds = 5000.0
        self.wall_millis = 1_700_000_000_000

    def pass_(self, seconds):
        self.seconds += seconds
        self.wall_millis += round(seconds * 1000)

    def counters(self):
        return MemoryCounters(lambda: self.seconds, lambda: self.wall_millis)


def take(counters, limit, owner=1):
    """Without a loop: nothing is waited for."""
    coroutine = counters.take(owner, limit)
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits")


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.integers(0, 3000)),  # milliseconds
        st.tuples(st.just("take"), st.integers(1, 6)),
    ),
    min_size=1,
    max_size=60,
)


@given(STEPS, st.integers(1, 5), st.integers(1, 4))
def test_fixed_windows_are_those_of_the_clock(steps, limit, interval):
    time = Time()
    counters, rule, taken = time.counters(), RateLimit(interval, limit, "fixed"), {}
    for what, amount in steps:
        if what == "pass":
            time.pass_(amount / 1000)
            continue
        for _ in range(amount):
            window = time.wall_millis // (interval * 1000)
            told = take(counters, rule)
            assert told.given is (taken.get(window, 0) < limit)
            taken[window] = taken.get(window, 0) + told.given
            assert told.used == taken[window]
            if not told.given:
                end = (window + 1) * interval * 1000
                assert told.wait == pytest.approx((end - time.wall_millis) / 1000, abs=1e-6)


@given(STEPS, st.integers(1, 5), st.integers(1, 4))
def test_a_sliding_limit_is_a_plain_list_of_what_was_let_in(steps, limit, interval):
    """In ticks of a millisecond: a place is free when its tick is over for a whole interval."""
    time = Time()
    counters, rule, let_in = time.counters(), RateLimit(interval, limit, "sliding"), []
    tick = max(0.001, interval / TICKS)
    for what, amount in steps:
        if what == "pass":
            time.pass_(amount / 1000)
            continue
        for _ in range(amount):
            now = int(time.seconds / tick)
            held = [at for at in let_in if at + round(interval / tick) >= now]
            told = take(counters, rule)
            assert told.given is (len(held) < limit)
            if told.given:
                let_in.append(now)
            assert told.used == len(held) + told.given


@given(st.lists(st.floats(0, 2), max_size=200), st.integers(1, 5), st.integers(1, 3))
def test_no_interval_holds_more_than_a_sliding_limit(pauses, limit, interval):
    time = Time()
    counters, rule, let_in = time.counters(), RateLimit(interval, limit, "sliding"), []
    for pause in pauses:
        time.pass_(pause)
        told = take(counters, rule)
        if told.given:
            let_in.append(time.seconds)
        else:
            assert told.wait > 0
    for begin in let_in:
        assert sum(begin <= at < begin + interval for at in let_in) <= limit


@pytest.mark.parametrize("technique", ["fixed", "sliding"])
@pytest.mark.parametrize("interval", [1, 7, 3600])
def test_after_the_wait_there_is_a_place_and_not_before(technique, interval):
    time = Time()
    time.wall_millis = 7 * 3600 * 1000 * 60_000  # a window of each of them begins
    counters, rule = time.counters(), RateLimit(interval, 3, technique)
    for _ in range(3):
        assert take(counters, rule).given
        time.pass_(interval / 10)
    wait = take(counters, rule).wait
    time.pass_(wait - max(0.002, interval / TICKS))
    assert not take(counters, rule).given
    time.pass_(2 * max(0.002, interval / TICKS))
    assert take(counters, rule).given


@pytest.mark.parametrize(("step", "longer"), [(-86_400_000, 0), (-1000, 1), (1000, 0), (86_400_000, 0)])
def test_a_step_of_the_clock_ends_no_window_early_and_gives_none_twice(step, longer):
    """One that is set back by less than a window is in the same one again, and stays there for as long."""
    time = Time()
    counters, rule = time.counters(), RateLimit(600, 2, "fixed")
    assert take(counters, rule).given
    left = 600 - time.wall_millis / 1000 % 600
    time.wall_millis += step
    assert take(counters, rule).given
    assert not take(counters, rule).given
    time.pass_(left - 0.01)
    assert not take(counters, rule).given
    time.pass_(longer)
    told = take(counters, rule)
    assert (told.given, told.wait) == (False, pytest.approx(0.01, abs=1e-6))
    time.pass_(0.02)
    assert take(counters, rule).given


@pytest.mark.parametrize("technique", ["fixed", "sliding"])
def test_a_changed_limit_keeps_the_count_and_another_interval_or_technique_begins_anew(technique):
    counters = Time().counters()
    assert [take(counters, RateLimit(60, 3, technique)).used for _ in range(3)] == [1, 2, 3]
    assert take(counters, RateLimit(60, 2, technique))[:2] == (False, 3)
    assert take(counters, RateLimit(60, 4, technique)).used == 4
    assert take(counters, RateLimit(61, 3, technique)).used == 1
    assert take(counters, RateLimit(60, 3, {"fixed": "sliding", "sliding": "fixed"}[technique])).used == 1
    assert take(counters, RateLimit(60, 3, technique), owner=2).used == 1


@pytest.mark.parametrize("technique", ["fixed", "sliding"])
def test_what_is_absurdly_large_counts_all_the_same(technique):
    counters = Time().counters()
    assert take(counters, RateLimit(HUGE, 1, technique)).given
    told = take(counters, RateLimit(HUGE, 1, technique))
    assert not told.given
    assert math.isfinite(told.wait)
    assert all(take(counters, RateLimit(1, HUGE, technique)).given for _ in range(100))


def test_a_sliding_count_of_many_calls_remembers_few_runs():
    time = Time()
    counters, rule = time.counters(), RateLimit(3600, 10**9, "sliding")
    for _ in range(20_000):
        time.pass_(0.5)
        take(counters, rule)
    (count,) = counters._counts.values()
    assert isinstance(count, Sliding)
    assert len(count._runs) <= TICKS + 2


def test_counts_of_gateways_that_are_not_called_any_more_are_forgotten():
    time = Time()
    counters = time.counters()
    for owner in range(5 * FEW):
        take(counters, RateLimit(1, 5, "sliding" if owner % 2 else "fixed"), owner)
        time.pass_(0.01)
    assert len(counters) <= 2 * FEW


@pytest.mark.parametrize("technique", ["fixed", "sliding"])
async def test_amounts_are_counted_whole_and_asking_takes_nothing(technique):
    counters, rule = MemoryCounters(), RateLimit(600, 10, technique)
    await counters.take("one", rule, 0)
    assert not len(counters)  # nothing is left behind
    asked = [(await counters.take("one", rule, amount))[:2] for amount in (0, 7, 0, 7, 0, 1)]
    assert asked == [(True, 0), (True, 7), (True, 7), (True, 14), (False, 14), (False, 14)]
    assert (await counters.take("one", rule._replace(limit=1 << 53), 5))[:2] == (True, 19)


@pytest.mark.parametrize("technique", ["fixed", "sliding"])
async def test_of_thousands_at_once_exactly_the_limit_passes(technique):
    counters, rule = MemoryCounters(), RateLimit(10**6, 1234, technique)
    told = await asyncio.gather(*(counters.take(1, rule) for _ in range(5000)))
    assert sum(one.given for one in told) == 1234
