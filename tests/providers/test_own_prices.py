"""The operator's file of prices: what it says, what is refused, and what it costs."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from penstock.model.usage import Used
from penstock.providers import catalog
from penstock.providers.own_prices import read
from penstock.providers.prices import PriceBook
from penstock.providers.pricing import cost
from tests.kit.house import house, request

ROWS = catalog.load()
DAY = datetime(2026, 11, 20, tzinfo=UTC)
ENTRY = '[[prices]]\nprovider = "openai"\nmodel = "gpt-4o"\n'


def book(text: str) -> PriceBook:
    return PriceBook(ROWS, read(text, ROWS, "prices.toml"))


def dollars(
    book: PriceBook,
    model: str = "gpt-4o",
    at: datetime = DAY,
    provider: str = "openai",
    terms: tuple[str, ...] = (),
    **used: int,
) -> float | None:
    """What so much costs: millions of tokens, or units."""
    vector = book.price(provider, model, int(at.timestamp() * 1000), terms)
    if vector is None:
        return None
    nanos, _ = cost([Used(kind, amount) for kind, amount in used.items()], vector)
    return None if nanos is None else nanos / 1e9


def test_an_entry_goes_over_the_list_rate_by_rate() -> None:
    own = book(ENTRY + "tokens = { input = 1.125, output = 7 }\nunits = { web_search = 0.5 }")
    assert dollars(own, input=1_000_000) == 1.125
    assert dollars(own, output=1_000_000) == dollars(own, output_reasoning=1_000_000) == 7
    assert dollars(own, cache_read=1_000_000) == 1.25, "as in the list"
    assert dollars(own, web_search=3) == 1.5
    assert dollars(own, "gpt-4o-mini", input=1_000_000) == 0.15
    assert dollars(own, provider="azure-openai", input=1_000_000) == 2.50


def test_a_picture_is_charged_by_its_size_and_quality_where_an_entry_names_them() -> None:
    entry = '[[prices]]\nprovider = "openai"\nmodel = "dall-e-3"\n'
    hd = entry + 'when = { quality = "hd" }\nunits = { image = 0.08 }\n'
    wide = entry + 'when = { quality = "hd", size = "1792x1024" }\nunits = { image = 0.12 }\n'
    own = book(entry + "units = { image = 0.04 }\n" + hd + wide)
    for terms, price in (
        ((), 0.04),
        (("size=1792x1024",), 0.04),
        (("quality=hd", "size=1024x1024"), 0.08),
        (("quality=hd", "size=1792x1024"), 0.12),
    ):
        assert dollars(own, "dall-e-3", terms=terms, image=2) == 2 * price
    assert dollars(book(hd), "dall-e-3", terms=("quality=standard",), image=1) is None


async def test_what_a_request_asks_for_is_charged() -> None:
    entry = '[[prices]]\nprovider = "openai"\nmodel = "tts-1"\nunits = { characters = 0.001 }\n'
    async with house(prices=entry) as made, made.client() as client:
        body = b'{"model":"tts-1","input":"na\xc3\xafve","voice":"alloy"}'
        answer = await client.ask(request("openai/audio/speech", body=body, event="said"))
        assert answer.headers["content-type"] == "audio/mpeg"
        row = await made.row("said")
    assert (row.model, row.cost, row.tokens_in) == ("tts-1", 5_000_000, None)


def test_a_model_that_the_list_does_not_have_is_priced_by_the_entry_alone() -> None:
    own = book('[[prices]]\nprovider = "xai"\nmodel = "house-*"\ntokens = { input = 1, output = 0 }')
    assert dollars(own, "House-9", provider="grok", input=1_000_000) == 1
    assert dollars(own, "house-9", provider="xai", output=1_000_000) == 0
    assert dollars(own, "house-9", provider="grok", cache_read=1) is None
    assert dollars(own, "my-house-9", provider="grok", input=1) is None
    custom = book('[[prices]]\nprovider = "custom-mine"\nmodel = "*"\ntokens = { input = 1 }')
    assert dollars(custom, "x", provider="custom-mine", input=2_000_000) == 2


def test_rates_above_a_length_of_input() -> None:
    entry = ENTRY.replace("gpt-4o", "gemini-2.5-pro").replace("openai", "google")
    own = book(entry + "tokens = { input = 1 }\nabove = [{ input = 100_000, tokens = { input = 1.5 } }]")
    for tokens, rate in ((100_000, 1), (100_001, 1.5), (200_001, 1.5)):
        assert dollars(own, "gemini-2.5-pro", provider="google", input=tokens) == pytest.approx(tokens / 1e6 * rate)
    told = dollars(own, "gemini-2.5-pro", provider="google", input=200_001, output=1_000_000)
    assert told == pytest.approx(0.200001 * 1.5 + 15), "the list's, of that length"


def test_the_most_exact_entry_counts_and_of_those_the_latest() -> None:
    entries = [
        ("*", "", 1),
        ("gpt-*", "2026-11-10", 2),
        ("gpt-4o", "", 3),
        ("gpt-4o", "2026-11-21", 4),
        ("gpt-4*", "", 5),
    ]
    text = "".join(
        f'[[prices]]\nprovider = "openai"\nmodel = "{model}"\n'
        + (f"valid_from = {since}\n" if since else "")
        + f"tokens = {{ input = {rate} }}\n"
        for model, since, rate in entries
    )
    own = book(text)
    assert dollars(own, input=1_000_000) == 3
    assert dollars(own, at=datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC), input=1_000_000) == 3
    assert dollars(own, at=datetime(2026, 11, 21, tzinfo=UTC), input=1_000_000) == 4
    assert dollars(own, input=1_000_000) == 3, "of a call that began before"
    assert dollars(own, "gpt-4o-mini", input=1_000_000) == 5
    assert dollars(own, "gpt-5", input=1_000_000) == 2
    assert dollars(own, "o3", input=1_000_000) == 1


def test_terms_have_entries_of_their_own() -> None:
    own = book(
        ENTRY
        + "tokens = { input = 1 }\n"
        + ENTRY
        + 'when = { service_tier = "scale" }\ntokens = { input = 9, output = 9 }'
    )
    assert dollars(own, input=1_000_000) == 1
    assert dollars(own, terms=("service_tier=default",), input=1_000_000) == 1
    assert dollars(own, terms=("service_tier=scale",), input=1_000_000) == 9, "which the list does not know"
    assert dollars(own, terms=("service_tier=unheard-of",), input=1_000_000) is None
    claude = book(ENTRY.replace("openai", "anthropic").replace("gpt-4o", "claude-opus-4-8") + "tokens = { input = 2 }")
    told = dollars(claude, "claude-opus-4-8", provider="anthropic", terms=("inference_geo=us",), input=1_000_000)
    assert told == 2.2, "a factor holds for these too"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[prices]", "prices.toml: is not TOML"),
        ("[[price]]\nmodel = 'x'", "takes [[prices]] alone, not 'price'"),
        ("prices = 5", "takes [[prices]] alone, not 'prices'"),
        (ENTRY, "prices[1] (openai gpt-4o): tokens, units: one of them must have a rate"),
        (ENTRY + "tokens = { inptu = 1 }", "tokens.inptu: there is no such kind; did you mean input?"),
        (ENTRY + "tokens = { image = 1 }", "tokens.image: there is no such kind; did you mean"),
        (ENTRY + "units = { input = 1 }", "units.input: there is no such kind; known are"),
        (ENTRY + "tokens = { input = -1 }", "tokens.input: must be dollars, 0 to 1000000, not -1"),
        (ENTRY + "tokens = { input = nan }", "tokens.input: must be dollars"),
        (ENTRY + "tokens = { input = true }", "tokens.input: must be dollars"),
        (ENTRY + 'tokens = { input = "1" }', "tokens.input: must be dollars"),
        (ENTRY + "tokens = 1", "tokens: Expected `object`"),
        (ENTRY + "valid_from = 2026\ntokens = { input = 1 }", "valid_from: Expected"),
        (ENTRY + "from = 2026-01-01\ntokens = { input = 1 }", "unknown field `from`"),
        (ENTRY.replace("openai", "opnai") + "tokens = { input = 1 }", "provider: there is no 'opnai'; did you mean"),
        (ENTRY.replace("gpt-4o", "*a*b*") + "tokens = { input = 1 }", "model: takes 2 * at most"),
        (
            ENTRY + "tokens = { input = 1 }\nabove = [{ input = 5, tokens = { x = 1 } }, { input = 5, tokens = {} }]",
            "above[1].tokens.x: there is no such kind",
        ),
        (ENTRY + "tokens = { input = 1 }\nabove = [{ input = 0, tokens = {} }]", "above[1].input: Expected"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_refused_by_its_number_and_field(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        read(text, ROWS, "prices.toml")


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="prices") as refused:
        read(ENTRY + ENTRY + "tokens = { input = 1 }\n" + ENTRY, ROWS, "p")
    assert [line.partition("]")[0] for line in str(refused.value).splitlines()] == ["p: prices[1", "p: prices[3"]


def test_the_sample_in_the_docs_is_one(root: Path) -> None:
    samples = re.findall(r"```toml\n(.*?)```", (root / "docs/prices.md").read_text("utf-8"), re.DOTALL)
    for sample in samples:
        assert read(sample, ROWS, "prices.toml").find("openai", "gpt-4o-mini", frozenset(), frozenset())


@pytest.mark.asyncio
async def test_a_call_is_charged_by_it() -> None:
    prices = ENTRY.replace("gpt-4o", "*") + "tokens = { input = 1000, output = 2000 }"
    async with house(prices=prices) as made, made.client() as client:
        body = b'{"model":"whatever-1","messages":[{"role":"user","content":"hello"}]}'
        assert (await client.ask(request("openai/chat/completions", body=body, event="own"))).status == 200
        row = await made.row("own")
        assert (row.tokens_in, row.tokens_out, row.cost) == (2, 4, (2 * 1000 + 4 * 2000) * 1000)
