"""Allowances: what is held never passes the limit, and nobody has all of it."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.core.budget import Budget, Share

SIZES = st.lists(st.tuples(st.integers(0, 300), st.booleans()))


@given(st.integers(0, 1000), SIZES)
def test_what_is_held_never_passes_the_limit_nor_large_things_the_reserve(limit, sizes):
    budget, held = Budget(limit), 0
    for size, small in sizes:
        fits = held + size <= (limit if small else limit - limit // 8)
        assert budget.try_take(size, small=small) is fits
        held += fits * size
        assert budget.used == held <= limit
    budget.give(held)
    assert budget.used == 0


def fill(share: Share, *, small: bool = False) -> int:
    """Takes all that it may; returns how much it then holds."""
    while share.try_take(1, small=small):
        pass
    return share.used


def test_one_gateway_has_a_third_and_one_account_half():
    budget = Budget(12_000, reserve=0)
    gateways = [budget.share("a", number) for number in range(1, 200)]
    assert fill(gateways[0]) == 4_000
    assert 5_900 <= sum(fill(gateway) for gateway in gateways) <= 6_000


@given(st.integers(1, 6), st.integers(1, 4))
def test_whoever_comes_next_finds_room(accounts, gateways):
    budget = Budget(6_000, reserve=0)
    for account in range(accounts):
        for gateway in range(gateways):
            fill(budget.share(str(account), 1 + account * gateways + gateway))
    free = budget.limit - budget.used
    assert free >= budget.limit // 2**accounts
    assert fill(budget.share("new", 1000)) == free // 3


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 400), st.booleans())))
def test_no_share_is_passed_and_all_comes_back(takes):
    limit = 1000
    budget = Budget(limit)
    held: list[tuple[Share, int]] = []
    for number, size, small in takes:
        share = budget.share("ab"[number % 2], number)
        if share.try_take(size, small=small):
            held.append((share, size))
            of_account = sum(size for other, size in held if other.account is share.account)
            assert share.used <= limit / 3
            assert of_account <= limit / 2
        assert budget.used == sum(size for _, size in held) <= limit
    for share, size in held:
        share.give(size)
    assert budget.used == 0
    assert all(share.used == share.account.used == 0 for share, _ in held)


def test_small_things_have_a_reserve_that_large_ones_leave_alone():
    budget = Budget(24_000)
    share = budget.share("a", 1)
    assert fill(share) == 7000
    assert share.try_take(1, small=True)
    assert budget.share("b", 2).try_take(500, small=True)


def test_a_few_are_never_refused_for_a_share():
    budget = Budget(10, reserve=0, floor=8)
    assert fill(budget.share("a", 1)) == 8
    assert fill(budget.share("b", 2)) == 2


def test_shares_that_hold_nothing_are_forgotten():
    budget = Budget(100_000)
    kept = budget.share("kept", 1)
    assert kept.try_take(10)
    for number in range(2, 5000):
        budget.share(str(number), number)
    assert len(budget._shares) <= 1024
    assert len(budget._accounts) <= 1025
    assert budget.share("kept", 1) is kept
