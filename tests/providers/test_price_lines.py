"""Where each rate of a price comes from."""

from datetime import UTC, datetime

from penstock.providers import catalog
from penstock.providers.own_prices import read
from penstock.providers.price_lines import Line, lines
from penstock.providers.prices import PriceBook

ROWS = catalog.load()
NOON = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp() * 1000)
FIRST = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp() * 1000)
OWN = """
[[prices]]
provider = "google-ai-studio"
model = "gemini-2.5-*"
valid_from = 2026-11-01
tokens = { output = 9 }
"""


def test_each_rate_names_its_source() -> None:
    book = PriceBook(ROWS, read(OWN, ROWS, "prices.toml"))
    price = book.find("google-ai-studio", "gemini-2.5-pro", NOON)
    found = {(line.above, line.kind): line for line in lines(price, ROWS["google-ai-studio"].usage.like)}
    assert found[0, "output"] == Line(0, "output", 9 * 10**9, 1, FIRST, "")
    assert found[0, "output_reasoning"] == Line(0, "output_reasoning", 9 * 10**9, 1, FIRST, "output")
    assert found[0, "input"] == Line(0, "input", 1_250_000_000, 0, 0, "")
    assert found[0, "input_audio"] == Line(0, "input_audio", 1_250_000_000, 0, 0, "input")
    assert found[200_000, "input"].dollars == 2.50
    assert found[0, "web_search"].dollars == 0.035


def test_the_list_has_dates_of_its_own() -> None:
    price = PriceBook(ROWS).find("anthropic", "claude-opus-4-6", NOON)
    assert {line.since for line in lines(price, {})} == {int(datetime(2026, 3, 13, tzinfo=UTC).timestamp() * 1000)}
