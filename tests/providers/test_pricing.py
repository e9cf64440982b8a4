"""Integer money."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.model.usage import Usage
from penstock.providers.pricing import Rates, Vector, cost

FLAT = Rates(10**9, 4 * 10**9, 10**8, 2 * 10**9, 3 * 10**9, 8 * 10**9, 9 * 10**9, 5 * 10**9, 10**13, 0)
ZERO = Rates(0, 0, 0, 0, 0, 0, 0, 0)


def test_every_kind_of_token_has_its_rate() -> None:
    usage = Usage(
        tokens_in=100, tokens_out=20, fresh_in=40, cache_read=50, cache_write=10, cache_write_1h=4,
        reasoning_out=5, audio_in=3, audio_out=2, web_searches=1,
    )  # fmt: skip
    nano = 37 * 1000 + 3 * 8000 + 50 * 100 + 6 * 2000 + 4 * 3000 + 13 * 4000 + 5 * 5000 + 2 * 9000 + 10**7
    assert cost(usage, Vector(FLAT)) == nano


def test_half_a_nano_dollar_is_rounded_up() -> None:
    vector = Vector(ZERO._replace(fresh_in=250_000))
    assert [cost(Usage(fresh_in=n), vector) for n in range(5)] == [0, 0, 1, 1, 1]


def test_what_is_not_known_is_not_nothing() -> None:
    assert cost(None, Vector(ZERO)) is None
    assert cost(Usage(), None) is None
    assert cost(Usage(tokens_out=1), Vector(FLAT._replace(out=None))) is None
    assert cost(Usage(fresh_in=1), Vector(FLAT._replace(out=None))) == 1000
    assert cost(Usage(fresh_in=5), Vector(ZERO)) == 0


def test_a_tier_holds_for_the_whole_call_and_counts_cached_input() -> None:
    vector = Vector(FLAT, ((200, FLAT._replace(fresh_in=3 * 10**9)), (100, FLAT._replace(fresh_in=2 * 10**9))))
    assert cost(Usage(fresh_in=100), vector) == 100 * 1000
    assert cost(Usage(fresh_in=101), vector) == 101 * 2000
    assert cost(Usage(fresh_in=100, cache_read=101), vector) == 100 * 3000 + 101 * 100


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_cost_is_additive(a: int, b: int, out: int) -> None:
    vector = Vector(FLAT)
    parts = [cost(Usage(fresh_in=a), vector), cost(Usage(fresh_in=b, tokens_out=out), vector)]
    assert cost(Usage(fresh_in=a + b, tokens_out=out), vector) == sum(part for part in parts if part is not None)
