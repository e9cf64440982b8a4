"""Prices laid over one another."""

from decimal import Decimal

from penstock.providers.pricing import Vector
from penstock.providers.vectors import completed, multiplied, over, rates_above

LIST = Vector({"input": 2, "output": 8}, ((200, {"input": 4, "output": 12}), (100, {"input": 3, "output": 10})))


def test_what_lies_over_a_price_counts_in_each_of_its_tiers() -> None:
    assert over(None, LIST) == LIST
    assert over(LIST, Vector({"input": 1})) == Vector(
        {"input": 1, "output": 8}, ((200, {"input": 1, "output": 12}), (100, {"input": 1, "output": 10}))
    )
    assert over(LIST, Vector({"input": 1}, ((150, {"input": 5}),))).tiers == (
        (200, {"input": 5, "output": 12}),
        (150, {"input": 5, "output": 10}),
        (100, {"input": 1, "output": 10}),
    )


def test_the_rates_of_a_length() -> None:
    assert [rates_above(LIST, start)["input"] for start in (0, 99, 100, 199, 200, 999)] == [2, 2, 3, 3, 4, 4]


def test_a_factor_leaves_fees_alone() -> None:
    assert multiplied(Vector({"input": 10, "web_search": 7}, ((5, {"input": 20}),)), Decimal("1.1")) == Vector(
        {"input": 11, "web_search": 7}, ((5, {"input": 22}),)
    )


def test_kinds_without_a_rate_of_their_own_cost_what_others_do() -> None:
    like = {"input_audio": "input", "cache_read_audio": "cache_read"}
    assert completed(Vector({"input": 1, "output": 2}), like).base == {
        "input": 1,
        "input_audio": 1,
        "output": 2,
        "output_reasoning": 2,
    }
    assert completed(Vector({"input": 1, "input_audio": 5}), like).base == {"input": 1, "input_audio": 5}
    assert completed(Vector({"output": 2, "input_image": 3}), {}).base["output_image"] == 2
