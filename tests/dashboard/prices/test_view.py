"""Prices in the browser."""


def test_models_are_found_by_provider_and_a_part_of_their_name(pages):
    said = pages.get("/ui/prices?provider=openai&search=GPT-4o-mini").said
    assert "gpt-4o-mini openai $0.15 $0.60 $0.075 –" in said
    assert "genai-prices" in said
    assert "claude" not in said
    assert "No model like that has a price" in pages.get("/ui/prices?search=no-such-model").said


def test_own_prices_and_mark_ups_are_marked(pages):
    shown = pages.get("/ui/prices?provider=cohere&search=of-the")
    assert "of-the-house cohere $2.50 own $9.00 own" in shown.said
    assert "input, above 200,000 tokens of input $5.00 own" in shown.said
    assert "web search $0.01 own each" in shown.said
    assert "+20 %" in shown.said
    assert any(tag.get("title") == "prices.toml, entry 1" for tag in shown.tags("span"))


def test_a_name_that_is_not_listed_may_have_a_price(pages):
    assert "$0.15" in pages.get("/ui/prices?provider=openai&search=gpt-4o-mini-2024-07-18").said


def test_pages_are_turned_and_keep_what_was_asked(pages):
    first = pages.get("/ui/prices?provider=openrouter")
    onward = next(link for link in first.links if "page=2" in link)
    assert onward == "/ui/prices?provider=openrouter&page=2"
    second = pages.get(onward)
    assert "Page 2 of" in second.said
    assert set(second.said.split()) != set(first.said.split())
