"""Integer money."""

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.options import CustomCost
from penstock.model.usage import Usage, Used
from penstock.providers.pricing import LARGEST_COST, Rates, Vector, cost, custom_cost, read_custom
from penstock.storage.log import zones

FLAT = {
    "input": 10**9,
    "cache_read": 10**8,
    "cache_write": 2 * 10**9,
    "cache_write_1h": 3 * 10**9,
    "output": 4 * 10**9,
    "output_reasoning": 5 * 10**9,
    "input_audio": 8 * 10**9,
    "output_audio": 9 * 10**9,
    "web_search": 10**13,
}


def price(rates: Rates, *tiers: tuple[int, Rates], **amounts: int) -> tuple[int | None, list[str]]:
    return cost([Used(kind, amount) for kind, amount in amounts.items()], Vector(rates, tiers))


def test_every_kind_has_its_rate() -> None:
    amounts = {kind: n + 1 for n, kind in enumerate(FLAT)}
    femto = sum(FLAT[kind] * amount for kind, amount in amounts.items())
    assert price(FLAT, **amounts) == (femto // 10**6, [])


def test_half_a_nano_dollar_is_rounded_up() -> None:
    assert [price({"input": 250_000}, input=n)[0] for n in range(1, 5)] == [0, 1, 1, 1]


def test_what_has_no_price_is_named_and_costs_nothing_that_is_known() -> None:
    assert price(FLAT, input=1, input_video=2, image=1) == (None, ["input_video", "image"])
    assert price(FLAT) == (0, [])
    assert cost([Used("input", 1, (("model", "other"),))], Vector(FLAT)) == (None, ["input"])


def test_a_fee_for_each_call() -> None:
    assert price(FLAT | {"call": 5 * 10**12}, input=1) == (5 * 10**6 + 1000, [])


def test_a_tier_holds_for_the_whole_call_and_counts_cached_input() -> None:
    tiers = (200, FLAT | {"input": 3 * 10**9}), (100, FLAT | {"input": 2 * 10**9})
    assert price(FLAT, *tiers, input=100)[0] == 100 * 1000
    assert price(FLAT, *tiers, input=101)[0] == 101 * 2000
    assert price(FLAT, *tiers, input=100, cache_read=101)[0] == 100 * 3000 + 101 * 100


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(1, 10**9))
def test_cost_is_additive(a: int, b: int, out: int) -> None:
    parts = [price(FLAT, input=a)[0], price(FLAT, input=b, output=out)[0]]
    assert price(FLAT, input=a + b, output=out)[0] == sum(part for part in parts if part is not None)


# The caller's own prices

COUNT = st.integers(0, 10**7)
RATE = st.none() | st.integers(0, 10**13)  # femto-dollars: to a cent a token
NAMES = {
    "per_token_in": "token_in",
    "per_token_out": "token_out",
    "per_cache_read_token": "cache_read",
    "per_cache_write_token": "cache_write",
    "total_cost": "total",
}


def a_usage(tokens_in: int, tokens_out: int, read: int, written: int, *, apart: bool) -> Usage:
    """``apart``: the provider reports cached tokens beside its input (Anthropic), not as a part of it (OpenAI)."""
    whole = tokens_in if apart else tokens_in + read + written
    amounts = {"input": tokens_in, "output": tokens_out, "cache_read": read, "cache_write": written}
    return Usage(whole, tokens_out, [Used(kind, amount) for kind, amount in amounts.items() if amount])


def nearest(dollars: Fraction) -> int:
    """Nano-dollars, half of one rounded up."""
    return int((dollars * 10**9 + Fraction(1, 2)) // 1)


@given(COUNT, COUNT, COUNT, COUNT, st.booleans(), st.tuples(RATE, RATE, RATE, RATE))
def test_a_custom_cost_is_the_closed_formula(
    tokens_in: int, out: int, read: int, written: int, apart: bool, rates: tuple[int | None, ...]
) -> None:
    usage = a_usage(tokens_in, out, read, written, apart=apart)
    rate_in, rate_out, rate_read, rate_write = (None if rate is None else Fraction(rate, 10**15) for rate in rates)
    if rate_read is None and rate_write is None:
        terms = [(usage.tokens_in, rate_in), (out, rate_out)]
    else:
        rate_read = rate_in if rate_read is None else rate_read
        rate_write = rate_in if rate_write is None else rate_write
        terms = [(tokens_in, rate_in), (out, rate_out), (read, rate_read), (written, rate_write)]
    expected = None
    if all(rate is not None for count, rate in terms if count):
        expected = nearest(sum((count * rate for count, rate in terms if rate is not None), Fraction(0)))
    assert custom_cost(usage, CustomCost(*rates)) == expected


@given(st.lists(st.tuples(COUNT, COUNT, COUNT, COUNT), min_size=1, max_size=4), st.booleans(), st.booleans())
def test_a_custom_cost_is_additive(parts: list[tuple[int, int, int, int]], apart: bool, cached: bool) -> None:
    custom = CustomCost(10**9, 4 * 10**9, 10**8 if cached else None)  # whole nano-dollars: nothing is rounded
    whole = a_usage(*(sum(column) for column in zip(*parts, strict=True)), apart=apart)
    assert custom_cost(whole, custom) == sum(custom_cost(a_usage(*part, apart=apart), custom) or 0 for part in parts)


def test_what_stands_beside_the_output_is_output() -> None:
    thinking = Usage(10, 5, [Used("input", 10), Used("output", 5), Used("output_reasoning", 90)])
    assert custom_cost(thinking, CustomCost(10**9, 10**9)) == 105 * 1000


def test_a_flat_cost_needs_no_usage_and_stands_alone() -> None:
    assert custom_cost(None, CustomCost(total=10**12)) == 10**6
    assert custom_cost(Usage(tokens_in=9), CustomCost(10**12, 10**12, total=10**12)) == 10**6
    assert custom_cost(None, CustomCost(10**12, 10**12)) is None


def test_a_figure_that_no_column_holds_is_no_cost() -> None:
    assert custom_cost(Usage(tokens_in=1 << 53), CustomCost(10**18)) is None
    assert price({"input": 10**15}, input=1 << 53) == (None, [])
    assert LARGEST_COST < zones.NOTHING  # else the log's figures would leave it out
    assert custom_cost(Usage(tokens_in=LARGEST_COST // 10**9), CustomCost(10**15)) == LARGEST_COST // 10**9 * 10**9


@given(st.sampled_from(sorted(NAMES)), st.decimals(0, 1000, places=15), st.booleans())
def test_a_rate_is_exact_to_the_femto_dollar(name: str, dollars, scientific: bool) -> None:
    text = f"{dollars:E}" if scientific else f"{dollars:f}"
    assert read_custom(b'{"%b":%b}' % (name.encode(), text.encode())) == CustomCost(
        **{NAMES[name]: int(Fraction(dollars) * 10**15)}
    )


@pytest.mark.parametrize(
    ("text", "femto"),
    [
        ("1e-7", 10**8),
        ("1E-7", 10**8),
        ("0.0000001", 10**8),
        ("0", 0),
        ("-0", 0),
        ("3", 3 * 10**15),
        ("5e-16", 1),
        ("4e-16", 0),
        ("1e-999999999", 0),
        ("0e999999999", 0),
    ],
)
def test_numbers_as_json_writes_them(text: str, femto: int) -> None:
    assert read_custom(b'{"per_token_in":%b,"other":"x"}' % text.encode()) == CustomCost(femto)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"", "JSON"),
        (b"[1]", "JSON"),
        (b"\xff", "JSON"),
        (b"{}", "none of per_token_in"),
        (b'{"per_token_inn":1}', "none of"),
        (b'{"per_token_in":null}', "none of"),
        (b'{"per_token_in":"1e-7"}', "per_token_in is not a number"),
        (b'{"per_token_in":NaN}', "JSON"),
        (b'{"per_token_in":Infinity}', "JSON"),
        (b'{"per_token_in":true}', "per_token_in is not a number"),
        (b'{"per_token_out":{"a":1}}', "per_token_out is not a number"),
        (b'{"per_token_in":1e-7,"per_token_out":-1e-7}', "per_token_out is not between 0 and 1000"),
        (b'{"per_cache_read_token":1e999999999}', "per_cache_read_token is not between"),
        (b'{"per_cache_write_token":1e9999999999}', "per_cache_write_token is not a number"),
        (b'{"per_token_in":' + b"1" * 65 + b"}", "per_token_in is not a number"),
        (b'{"total_cost":1000001}', "total_cost is not between 0 and 1000000"),
    ],
)
def test_what_is_no_price_is_refused_by_name(value: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_custom(value)


@given(
    st.one_of(
        st.binary(max_size=50),
        st.dictionaries(st.sampled_from(sorted(NAMES)), st.floats() | st.text()).map(
            lambda value: json.dumps(value).encode()
        ),
    )
)
def test_no_bytes_make_it_stumble(value: bytes) -> None:
    try:
        made = read_custom(value)
    except ValueError:
        return
    assert all(rate is None or rate >= 0 for rate in (made.token_in, made.token_out, made.total))
