"""Money reserved and spent in this process: against a plain model, and never beyond a limit whatever comes at once."""

import asyncio
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.backends.reservations.known import Draft, Known
from penstock.backends.reservations.memory import ENDED, FEW, SOON, MemoryReservations
from penstock.core.tasks import Tasks
from penstock.core.telemetry import Counter
from penstock.model.money import FOREVER, Budget, Claim, Window
from penstock.ports.reservations import Held
from tests.kit.spending import BUDGETS, START, STEPS, WINDOWS, Model


def done(coroutine):
    """Without a loop: nothing is waited for."""
    try:
        coroutine.send(None)
    except StopIteration as finished:
        return finished.value
    raise AssertionError("it waits")


class Time:
    def __init__(self):
        self.now = START

    def reservations(self):
        return MemoryReservations(Counter(), lambda: self.now)


@given(BUDGETS, STEPS)
def test_money_is_conserved_whatever_comes_when(budgets, steps):
    """Reserved, settled, released (at 0), passed time, a changed limit, a crash with what was reserved."""
    model, names = Model(budgets), (str(number).encode() for number in count())
    ours = MemoryReservations(Counter(), lambda: model.now)
    for what, *about in steps:
        if what == "reserve":
            name, claims = next(names), [Claim(model.budgets[at], amount) for at, amount in about[0]]
            refused = done(ours.reserve(name, claims))
            assert (refused and refused.at) == model.refused(claims)
            if refused is None:
                model.reserve(name, claims)
            else:
                assert refused.held == Held(*model.held(claims[refused.at].budget))
        elif what == "settle" and model.open:
            name = list(model.open)[about[0] % len(model.open)]
            amounts = [about[1]] * len(model.open[name])
            ours.settle(name, model.open[name], amounts)
            model.settle(name, amounts)
        elif what == "settle again" and model.ended:
            name, claims = model.ended[about[0] % len(model.ended)]
            ours.settle(name, claims, [about[1]] * len(claims))
        elif what == "pass":
            model.now += about[0]
        elif what == "limit":
            model.budgets[about[0]] = model.budgets[about[0]]._replace(limit=about[1])
        elif what == "crash":
            model.die()
            model.ended.clear()  # the next process knows them no more, and nobody settles them again
            ours = MemoryReservations(Counter(), lambda: model.now)
            ours.seed(model.rows())
        for budget in model.budgets:
            assert done(ours.look([budget])) == [Held(*model.held(budget))]


@pytest.mark.parametrize("window", WINDOWS)
@given(amounts=st.lists(st.integers(1, 9), min_size=1, max_size=5), wish=st.integers(0, 12), limit=st.integers(12, 20))
def test_after_the_wait_there_is_room_and_not_before(window, amounts, wish, limit):
    time = Time()
    ours, budget = time.reservations(), Budget("one", limit, window)
    for at, amount in enumerate(amounts):
        ours.settle(bytes([at]), [Claim(budget, 0)], [amount])
        time.now += window.length(time.now) // 20
    refused = done(ours.reserve(b"wish", [Claim(budget, wish)]))
    if refused is None:
        return
    assert (refused.wait == 0) is (window.technique == "forever")
    if refused.wait:
        time.now += round(refused.wait * 1000) - 1
        assert done(ours.reserve(b"early", [Claim(budget, wish)]))
        time.now += 1
        assert done(ours.reserve(b"in time", [Claim(budget, wish)])) is None


@pytest.mark.parametrize(("spends", "wait"), [([], SOON), ([3], 10.078)])
def test_where_others_hold_what_is_missing_the_wait_is_for_any_spending(spends, wait):
    time = Time()
    ours, budget = time.reservations(), Budget("one", 10, Window("sliding", "second", 10))
    assert done(ours.reserve(b"runs", [Claim(budget, 7)])) is None
    for amount in spends:
        ours.settle(b"spent", [Claim(budget, 0)], [amount])
    assert done(ours.reserve(b"large", [Claim(budget, 9)])).wait == pytest.approx(wait, abs=1)


async def test_of_thousands_at_once_exactly_as_many_as_fit_are_let_in():
    ours = MemoryReservations(Counter())
    wide, narrow = Budget("wide", 10**9, FOREVER), Budget("narrow", 1234 * 7 + 6, Window("sliding", "month"))
    told = await asyncio.gather(
        *(ours.reserve(str(at).encode(), [Claim(wide, 10), Claim(narrow, 7)]) for at in range(5000))
    )
    assert sum(one is None for one in told) == 1234
    assert {(one.at, one.held, one.by) for one in told if one} == {(1, Held(0, 1234 * 7), "memory")}
    assert await ours.look([wide, narrow]) == [Held(0, 12340), Held(0, 1234 * 7)]


def test_a_changed_window_keeps_what_it_still_covers():
    """What was spent today counts in the month; what was spent in the month may have been before today."""
    time = Time()
    ours, day = time.reservations(), Budget("one", 10, Window("fixed", "day"))
    ours.settle(b"first", [Claim(day, 0)], [4])
    month = day._replace(window=Window("fixed", "month"))
    for budget in (month, day, day._replace(limit=3), day._replace(window=FOREVER)):
        assert done(ours.look([budget])) == [Held(4, 0)]
    time.now += 86_400_000
    assert done(ours.look([day])) == [Held(0, 0)]


def test_a_seed_counts_where_it_is_the_larger():
    time = Time()
    ours, budget = time.reservations(), Budget("one", 10, Window("fixed", "day"))
    ours.settle(b"first", [Claim(budget, 0)], [4])
    start, ends = budget.window.bucket(time.now), budget.window.ends(budget.window.bucket(time.now))
    for seed, held in ((3, 4), (6, 6), (5, 6)):
        ours.seed([("one", start, ends, seed)])
        assert done(ours.look([budget])) == [Held(held, 0)]


async def test_a_start_begins_with_what_was_spent_and_what_the_dead_had_reserved():
    time = Time()
    ours, budget = time.reservations(), Budget("one", 10, Window("fixed", "day"))
    start, ends = budget.window.bucket(time.now), budget.window.ends(budget.window.bucket(time.now))

    async def load():
        rows, dead = [("one", start, ends, 3), ("ever", 0, 0, 1)], [("one", start, ends, 2)]
        return Known(rows, {}, [Draft(b"dead", time.now, dead), Draft(b"too", time.now, dead)])

    await ours.start(Tasks(), load)
    assert await ours.look([budget, Budget("ever", 10, FOREVER)]) == [Held(7, 0), Held(1, 0)]


def test_budgets_that_nobody_asks_for_any_more_are_forgotten():
    time = Time()
    ours = time.reservations()
    ours.seed((f"seed {at}", time.now, time.now + 1000, 1) for at in range(FEW))
    for at in range(5 * FEW):
        budget, name = Budget(f"budget {at}", 10, Window("fixed", "second", 1)), str(at).encode()
        assert done(ours.reserve(name, [Claim(budget, 3)])) is None
        ours.settle(name, [Claim(budget, 3)], [3])
        time.now += 10
    assert len(ours) <= 2 * FEW


def test_what_still_counts_is_never_forgotten():
    time = Time()
    ours, kept, runs = time.reservations(), Budget("kept", 10, FOREVER), Budget("runs", 10, FOREVER)
    ours.settle(b"kept", [Claim(kept, 0)], [4])
    assert done(ours.reserve(b"runs", [Claim(runs, 3)])) is None
    for at in range(3 * FEW):
        done(ours.reserve(b"x", [Claim(Budget(f"budget {at}", 0, FOREVER), 3)]))
    assert done(ours.look([kept, runs])) == [Held(4, 0), Held(0, 3)]


def test_a_reservation_of_nothing_outlives_its_budget():
    ours, free = MemoryReservations(Counter()), Budget("free", 10, FOREVER)
    assert done(ours.reserve(b"one", [Claim(free, 0)])) is None
    for at in range(2 * FEW):
        claims = [Claim(free, 0), Claim(Budget(f"budget {at}", 0, FOREVER), 3)]
        assert done(ours.reserve(b"two", claims)).at == 1
    ours.settle(b"one", [Claim(free, 0)], [2])
    assert done(ours.look([free])) == [Held(2, 0)]


def test_reservations_that_ended_are_remembered_for_a_bounded_time():
    ours, budget = MemoryReservations(Counter()), Budget("one", 10**9, FOREVER)
    for at in range(4 * ENDED):
        ours.settle(str(at).encode(), [Claim(budget, 0)], [1])
        ours.settle(str(max(0, at - ENDED + 1)).encode(), [Claim(budget, 0)], [1])
    assert done(ours.look([budget])) == [Held(4 * ENDED, 0)]
    assert len(ours._ended) + len(ours._ended_before) <= 2 * ENDED
