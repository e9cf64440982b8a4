"""What is tried again, and after which wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.errors import AddressRefused, ProviderTimeout, ProviderUnreachable
from penstock.model.options import Retry
from penstock.model.reply import Body, Reply
from penstock.model.retrying import LONGEST, delay, forbids, may_pass

AGAIN = {408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529}
RETRIES = st.builds(
    Retry,
    attempts=st.integers(1, 5),
    delay=st.floats(0, 60),
    backoff=st.sampled_from(["constant", "linear", "exponential"]),
)


def test_which_statuses_may_pass():
    assert {status for status in range(200, 600) if may_pass(Reply(status, b"", [], Body()))} == AGAIN


def test_which_failures_may_pass():
    assert may_pass(ProviderUnreachable())
    assert may_pass(ProviderTimeout())
    assert not may_pass(AddressRefused())


@pytest.mark.parametrize(
    ("backoff", "waits"),
    [("constant", [2, 2, 2, 2]), ("linear", [2, 4, 6, 8]), ("exponential", [2, 4, 8, 16])],
)
def test_how_the_wait_grows(backoff, waits):
    assert [delay(Retry(5, 2.0, backoff), made, None, 1.0) for made in (1, 2, 3, 4)] == waits
    assert [delay(Retry(5, 2.0, backoff), made, None, 0.0) for made in (1, 2, 3, 4)] == [wait / 2 for wait in waits]


@given(RETRIES, st.integers(1, 4), st.floats(0, 1))
def test_it_is_never_longer_than_a_minute_and_never_shorter_than_half(retry, made, chance):
    full = delay(retry, made, None, 1.0)
    assert full <= LONGEST
    assert full / 2 <= delay(retry, made, None, chance) <= full


@given(RETRIES, st.integers(1, 4), st.floats(0, 100), st.floats(0, 1))
def test_what_the_provider_asks_for_holds_where_it_is_longer(retry, made, asked, chance):
    own = delay(retry, made, None, 1.0)
    told = delay(retry, made, asked, chance)
    if own < asked:
        assert told == asked
    else:
        assert told == delay(retry, made, None, chance)


@pytest.mark.parametrize(
    ("should", "asked", "spent", "why"),
    [
        (None, None, "", ""),
        (b"true", 60.0, "", ""),
        (b"FALSE", None, "", "x-should-retry: false"),
        (None, 60.5, "", "asks to wait"),
        (None, 1.0, "insufficient_quota", "insufficient_quota"),
    ],
)
def test_what_makes_an_error_final(should, asked, spent, why):
    said = forbids(should, asked, spent)
    assert why in said if why else not said
