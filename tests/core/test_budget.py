import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.budget import Budget
from penstock.core.errors import Overloaded


@given(st.integers(0, 1000), st.lists(st.integers(0, 300)))
def test_what_is_held_never_passes_the_limit(limit, sizes):
    budget, held = Budget(limit), []
    for size in sizes:
        fits = sum(held) + size <= limit
        try:
            budget.take(size)
        except Overloaded:
            assert not fits
        else:
            assert fits
            held.append(size)
        assert budget.used == sum(held) <= limit
    for size in held:
        budget.give(size)
    assert budget.used == 0


@given(st.integers(0, 1000), st.lists(st.integers(0, 300)))
def test_what_is_asked_for_politely_is_taken_where_there_is_room(limit, sizes):
    budget = Budget(limit)
    for size in sizes:
        before = budget.used
        fits = before + size <= limit
        assert budget.try_take(size) is fits
        assert budget.used == before + fits * size


def test_a_refusal_says_when_to_try_again():
    with pytest.raises(Overloaded) as caught:
        Budget(1).take(2)
    assert (caught.value.status, caught.value.retry_after) == (503, 1)
