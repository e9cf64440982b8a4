"""Our vectors cost what genai-prices says."""

from datetime import UTC, date, datetime
from decimal import Decimal

import genai_prices
import pytest
from genai_prices.data import providers
from genai_prices.types import ModelInfo, ModelPrice
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.usage import Used
from penstock.providers import catalog
from penstock.providers.prices import SEEN, PriceBook
from penstock.providers.pricing import Vector, cost

BOOK = PriceBook(
    {p.id: catalog.Provider(p.id, "x", "x", date(2026, 1, 1), ["x"], prices=p.id) for p in providers}
)  # every provider there is, under its own name
DAY = datetime(2026, 11, 20, tzinfo=UTC)
YEAR = 365 * 86_400_000
NAMED = [(provider.id, model) for provider in providers for model in provider.models]


def millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


Amounts = dict[str, int]


def told(provider: str, model: str, used: Amounts, at: datetime, context: dict[str, str] | None = None) -> Decimal:
    """What the library says, in nano-dollars."""
    written = used.get("cache_write", 0) + used.get("cache_write_1h", 0)
    values = {
        "input_tokens": sum(used.get(kind, 0) for kind in ("input", "input_audio", "cache_read")) + written,
        "output_tokens": sum(used.get(kind, 0) for kind in ("output", "output_audio", "output_reasoning")),
        "cache_read_tokens": used.get("cache_read", 0),
        "cache_write_tokens": written,
        "cache_write_1h_tokens": used.get("cache_write_1h", 0),
        "input_audio_tokens": used.get("input_audio", 0),
        "output_audio_tokens": used.get("output_audio", 0),
        "output_reasoning_tokens": used.get("output_reasoning", 0),
        "cache_audio_read_tokens": 0,
        "web_searches": used.get("web_search", 0),
    }
    price = genai_prices.calc_price(
        genai_prices.Usage(**values), model, provider_id=provider, genai_request_timestamp=at, price_context=context
    )
    return price.total_price * 10**9


def ours(used: Amounts, vector: Vector | None) -> int | None:
    assert vector is not None
    return cost([Used(kind, amount) for kind, amount in used.items() if amount], vector)[0]


def whole(model: ModelInfo) -> bool:
    """Whether both sides of the model are priced by the token (else the library says 0 where we say nothing)."""
    prices = [model.prices] if isinstance(model.prices, ModelPrice) else [price.prices for price in model.prices]
    return all({"input_mtok", "output_mtok"} <= price.__dict__.keys() for price in prices)


PRICED = [(provider, model) for provider, model in NAMED if whole(model)]
KINDS = (
    *("input", "cache_read", "cache_write", "cache_write_1h", "input_audio"),
    *("output", "output_audio", "output_reasoning"),
)
USAGES = st.tuples(*(st.integers(0, 300_000) for _ in KINDS), st.integers(0, 3)).map(
    lambda amounts: dict(zip((*KINDS, "web_search"), amounts, strict=True))
)


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(st.sampled_from(PRICED), USAGES, st.integers(millis(DAY) - 3 * YEAR, millis(DAY) + YEAR))
def test_as_the_library(named: tuple[str, ModelInfo], used: Amounts, at_ms: int) -> None:
    provider, model = named
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    vector = BOOK.price(provider, model.id, at_ms)
    used = {kind: n for kind, n in used.items() if vector and kind in vector.base}  # the library takes others as text
    try:
        expected = told(provider, model.id, used, at)
    except (LookupError, ValueError):  # an id its own pattern does not match; figures it will not add up
        return
    nanos = ours(used, vector)
    assert nanos is not None
    assert abs(nanos - expected) <= 1 + expected / 10**7  # a few prices there have more digits than a femto-dollar


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_every_model_of_our_providers(provider: str) -> None:
    compared = 0
    for model in (model for owner, model in PRICED if owner == provider):
        vector = BOOK.price(provider, model.id, millis(DAY))
        used = {"input": 1000, "output": 567, "cache_read": 200, "cache_write": 30, "cache_write_1h": 4}
        used = {kind: amount for kind, amount in used.items() if vector and kind in vector.base}
        try:
            expected = told(provider, model.id, used, DAY)
        except (LookupError, ValueError):
            continue
        nanos = ours(used, vector)
        assert nanos is not None, model.id
        assert abs(nanos - expected) <= Decimal("0.5"), model.id
        compared += 1
    assert compared > 15


def test_tiers_of_service() -> None:
    used = {"input": 1000, "output": 1000}
    compared = 0
    for provider, model in PRICED:
        for variant in model.price_variants or ():
            if provider not in ("openai", "anthropic") or len(variant.when) != 1:
                continue
            ((key, value),) = variant.when.items()
            try:
                expected = told(provider, model.id, used, DAY, variant.when)
            except LookupError:
                continue
            nanos = ours(used, BOOK.price(provider, model.id, millis(DAY), (f"{key}={value}",)))
            assert nanos is not None
            assert abs(nanos - expected) <= Decimal("0.5"), (model.id, variant.when)
            compared += 1
    assert compared > 20


def test_our_names_lead_to_their_prices() -> None:
    book = PriceBook(catalog.load())
    assert book.price("openai", "gpt-4o-mini-2024-07-18", millis(DAY)) is not None
    assert book.price("anthropic", "claude-sonnet-4-5-20250929", millis(DAY)) is not None


def test_terms_are_priced_standard_factors_or_not_known() -> None:
    book = PriceBook(catalog.load())
    plain = book.price("anthropic", "claude-opus-4-8", millis(DAY))
    assert plain is not None
    for terms in (("speed=standard",), ("inference_geo=global", "service_tier=standard")):
        assert book.price("anthropic", "claude-opus-4-8", millis(DAY), terms) == plain
    home = book.price("anthropic", "claude-opus-4-8", millis(DAY), ("inference_geo=us",))
    assert home is not None
    assert home.base == {kind: rate if kind == "web_search" else rate * 11 // 10 for kind, rate in plain.base.items()}
    assert book.price("anthropic", "claude-opus-4-8", millis(DAY), ("service_tier=priority",)) is None
    assert book.price("openai", "gpt-4o", millis(DAY), ("service_tier=unheard-of",)) is None
    assert book.price("groq", "llama-3.3-70b-versatile", millis(DAY), ("service_tier=flex",)) is not None


def test_what_is_not_known_has_no_price() -> None:
    assert BOOK.price("openai", "no-such-model", 0) is None
    assert BOOK.price("openai", "", 0) is None
    assert BOOK.price("nobody", "gpt-4o", 0) is None
    assert BOOK.price("mistral", "mistral-ocr-latest", millis(DAY)) is None  # priced by the page


def test_the_memory_is_bounded_and_forgetting_changes_nothing() -> None:
    book = PriceBook(catalog.load())
    before = book.price("openai", "gpt-4o", 0)
    for n in range(SEEN + 10):
        assert book.price("nobody", f"model-{n}", 0) is None
    assert book.price("openai", "gpt-4o", 0) == before
