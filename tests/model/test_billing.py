"""Amounts of an invoice: parts come to the whole, and money is neither made nor lost by rounding."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.model.billing import Terms, apportioned, cents, remaining, sums, tax_of
from penstock.model.money import CENT

amounts = st.lists(st.integers(0, 10**13), max_size=20)


def test_half_a_cent_is_rounded_up():
    assert [cents(nano) for nano in (0, CENT // 2 - 1, CENT // 2, CENT, -CENT // 2)] == [0, 0, 1, 1, -1]


@given(total=st.integers(0, 10**9), weights=amounts)
def test_parts_come_to_the_whole_and_are_within_a_cent_of_their_share(total, weights):
    parts = apportioned(total, weights)
    assert len(parts) == len(weights)
    assert sum(parts) == (total if weights else 0)
    whole = sum(weights)
    assert all(abs(part * whole - total * weight) < whole for part, weight in zip(parts, weights, strict=True) if whole)


def test_the_largest_remainders_are_rounded_up():
    assert apportioned(10, [1, 1, 1]) == (4, 3, 3)
    assert apportioned(1, [1, 5, 4]) == (0, 1, 0)
    assert apportioned(7, [0, 0]) == (7, 0)


def test_tax_is_rounded_once_on_the_net():
    assert [tax_of(net, percent) for net, percent in ((999, "19"), (1, "7.5"), (10, "5"), (10, "4.9"))] == [
        190,
        0,
        1,
        0,
    ]


@given(amounts=amounts, percent=st.sampled_from(["0", "7.5", "19", "100"]), credit=st.integers(-(10**14), 10**14))
def test_what_credit_pays_and_what_is_due_come_to_net_and_tax(amounts, percent, credit):
    found = sums(amounts, Terms(percent), credit)
    assert sum(found.parts) == (found.net if amounts else 0)
    assert 0 <= found.credits <= found.total
    assert abs(found.net * CENT - sum(amounts)) * 2 <= CENT


def test_credit_pays_first_and_the_rest_is_due():
    usage, terms = [300 * CENT], Terms("10")
    assert sums(usage, terms, 500 * CENT).credits == 330
    assert sums(usage, terms, 30 * CENT).credits == 330
    assert sums(usage, terms, 10 * CENT).credits == 310
    assert sums(usage, terms, -100 * CENT).credits == 200
    assert sums(usage, terms, -900 * CENT).credits == 0


def test_what_is_paid_counts_for_the_oldest_debt():
    assert remaining([300, 200], 0, 0) == [0, 0]
    assert remaining([300, 200], -500 * CENT, 0) == [300, 200]
    assert remaining([300, 200], -400 * CENT, 0) == [300, 100]
    assert remaining([300, 200], -150 * CENT, 50 * CENT) == [100, 0]
    assert remaining([300, 200], 700 * CENT, 0) == [0, 0]
