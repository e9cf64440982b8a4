"""Further attempts never exceed a fifth of the calls of the last ten seconds, or ten."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.core.retry_budget import FEW, FLOOR, SECONDS, SHARE, RetryBudget


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.floats(0, 15)),
        st.tuples(st.just("calls"), st.integers(1, 120)),
        st.tuples(st.just("attempts"), st.integers(1, 60)),
    ),
    max_size=40,
)


@given(STEPS)
def test_it_is_the_plain_count(steps):
    clock, calls, attempts = Clock(), [], []
    budget = RetryBudget(clock)

    def recent(times):
        return sum(int(clock.now) - at < SECONDS for at in times)

    for what, amount in steps:
        if what == "pass":
            clock.now += amount
        elif what == "calls":
            for _ in range(amount):
                budget.call("origin")
                calls.append(int(clock.now))
        else:
            for _ in range(amount):
                allowed = recent(attempts) < max(FLOOR, recent(calls) // SHARE)
                assert budget.take("origin") is allowed
                if allowed:
                    attempts.append(int(clock.now))


def test_origins_do_not_share():
    budget = RetryBudget(Clock())
    assert sum(budget.take("one") for _ in range(50)) == FLOOR
    assert budget.take("two")


def test_a_clock_that_stands_still_or_steps_back_gives_nothing_more():
    clock = Clock()
    budget = RetryBudget(clock)
    assert sum(budget.take("one") for _ in range(50)) == FLOOR
    clock.now -= 5
    assert not budget.take("one")


def test_origins_that_are_not_called_any_more_are_forgotten():
    clock = Clock()
    budget = RetryBudget(clock)
    for number in range(10 * FEW):
        budget.call(number)
        clock.now += 1
    assert len(budget) <= 2 * FEW
