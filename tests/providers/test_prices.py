"""Our vectors cost what genai-prices says."""

from datetime import UTC, date, datetime
from decimal import Decimal

import genai_prices
import pytest
from genai_prices.data import providers
from genai_prices.types import ModelInfo, ModelPrice
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.usage import Usage
from penstock.providers import catalog
from penstock.providers.prices import SEEN, PriceBook
from penstock.providers.pricing import cost

BOOK = PriceBook(
    {p.id: catalog.Provider(p.id, "x", "x", date(2026, 1, 1), ["x"], prices=p.id) for p in providers}
)  # every provider there is, under its own name
DAY = datetime(2026, 11, 20, tzinfo=UTC)
YEAR = 365 * 86_400_000
NAMED = [(provider.id, model) for provider in providers for model in provider.models]


def millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def told(provider: str, model: str, usage: Usage, at: datetime, context: dict[str, str] | None = None) -> Decimal:
    """What the library says, in nano-dollars."""
    values = {
        "input_tokens": usage.fresh_in + usage.cache_read + usage.cache_write,
        "output_tokens": usage.tokens_out,
        "cache_read_tokens": usage.cache_read,
        "cache_write_tokens": usage.cache_write,
        "cache_write_1h_tokens": usage.cache_write_1h,
        "input_audio_tokens": usage.audio_in,
        "output_audio_tokens": usage.audio_out,
        "output_reasoning_tokens": usage.reasoning_out,
        "cache_audio_read_tokens": 0,
        "web_searches": usage.web_searches,
    }
    price = genai_prices.calc_price(
        genai_prices.Usage(**values), model, provider_id=provider, genai_request_timestamp=at, price_context=context
    )
    return price.total_price * 10**9


def whole(model: ModelInfo) -> bool:
    """Whether both sides of the model are priced by the token (else the library says 0 where we say nothing)."""
    prices = [model.prices] if isinstance(model.prices, ModelPrice) else [price.prices for price in model.prices]
    return all({"input_mtok", "output_mtok"} <= price.__dict__.keys() for price in prices)


PRICED = [(provider, model) for provider, model in NAMED if whole(model)]
USAGES = st.builds(
    lambda fresh, read, write, hour, out, audio, speech, thought, searches: Usage(
        tokens_in=fresh + read + write,
        tokens_out=out,
        fresh_in=fresh,
        cache_read=read,
        cache_write=write,
        cache_write_1h=min(hour, write),
        audio_in=min(audio, fresh),
        audio_out=min(speech, out // 2),
        reasoning_out=min(thought, out // 2),
        web_searches=searches,
    ),
    *(st.integers(0, 300_000) for _ in range(8)),
    st.integers(0, 3),
)


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(st.sampled_from(PRICED), USAGES, st.integers(millis(DAY) - 3 * YEAR, millis(DAY) + YEAR))
def test_as_the_library(named: tuple[str, ModelInfo], usage: Usage, at_ms: int) -> None:
    provider, model = named
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    vector = BOOK.price(provider, model.id, at_ms)
    try:
        expected = told(provider, model.id, usage, at)
    except (LookupError, ValueError):  # an id its own pattern does not match; figures it will not add up
        return
    ours = cost(usage, vector)
    assert ours is not None
    assert abs(ours - expected) <= 1 + expected / 10**7  # a few prices there have more digits than a femto-dollar


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_every_model_of_our_providers(provider: str) -> None:
    usage = Usage(tokens_in=1234, tokens_out=567, fresh_in=1000, cache_read=200, cache_write=34, cache_write_1h=4)
    compared = 0
    for model in (model for owner, model in PRICED if owner == provider):
        try:
            expected = told(provider, model.id, usage, DAY)
        except (LookupError, ValueError):
            continue
        ours = cost(usage, BOOK.price(provider, model.id, millis(DAY)))
        assert ours is not None, model.id
        assert abs(ours - expected) <= Decimal("0.5"), model.id
        compared += 1
    assert compared > 15


def test_tiers_of_service() -> None:
    usage = Usage(tokens_in=1000, tokens_out=1000, fresh_in=1000)
    compared = 0
    for provider, model in PRICED:
        for variant in model.price_variants or ():
            if provider not in ("openai", "anthropic") or len(variant.when) != 1:
                continue
            ((key, value),) = variant.when.items()
            try:
                expected = told(provider, model.id, usage, DAY, variant.when)
            except LookupError:
                continue
            ours = cost(usage, BOOK.price(provider, model.id, millis(DAY), f"{key}={value}"))
            assert ours is not None
            assert abs(ours - expected) <= Decimal("0.5"), (model.id, variant.when)
            compared += 1
    assert compared > 20


def test_our_names_lead_to_their_prices() -> None:
    book = PriceBook(catalog.load())
    assert book.price("openai", "gpt-4o-mini-2024-07-18", millis(DAY)) is not None
    assert book.price("anthropic", "claude-sonnet-4-5-20250929", millis(DAY)) is not None
    assert book.price("openai", "gpt-4o", millis(DAY), "service_tier=unheard-of") == book.price(
        "openai", "gpt-4o", millis(DAY)
    )


def test_what_is_not_known_has_no_price() -> None:
    assert BOOK.price("openai", "no-such-model", 0) is None
    assert BOOK.price("openai", "", 0) is None
    assert BOOK.price("nobody", "gpt-4o", 0) is None
    assert BOOK.price("openai", "whisper-1", millis(DAY)) is None  # priced by the hour of speech


def test_the_memory_is_bounded_and_forgetting_changes_nothing() -> None:
    book = PriceBook(catalog.load())
    before = book.price("openai", "gpt-4o", 0)
    for n in range(SEEN + 10):
        assert book.price("nobody", f"model-{n}", 0) is None
    assert book.price("openai", "gpt-4o", 0) == before
