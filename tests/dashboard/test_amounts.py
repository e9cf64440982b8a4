"""Dollars as people write them in forms."""

import pytest

from penstock.dashboard.amounts import cents, plain
from penstock.dashboard.forms import Form, Wrong


@pytest.mark.parametrize(
    ("text", "amount"), [("25", 2500), ("12.5", 1250), ("$ 1,250.07", 125007), ("$10", 1000), ("999999.99", 99_999_999)]
)
def test_dollars_are_cents(text, amount):
    assert cents(Form([("amount", text)]), "amount", 100, 100_000_000) == amount


@pytest.mark.parametrize("text", ["", "x", "1.234", "1e3", "-5", "0.99", "NaN", "1,00", "٣", "9" * 400, "100000000"])
def test_what_is_no_amount_or_out_of_range_is_told_at_its_field(text):
    with pytest.raises(Wrong) as caught:
        cents(Form([("amount", text)]), "amount", 100, 100_000_000)
    assert caught.value.faults.at("amount") == [
        "amount: must be dollars, from $1.00 to $1,000,000.00: such as 25 or 12.50"
    ]


def test_a_form_has_them_as_they_were_typed():
    assert [plain(amount) for amount in (None, 500, 1250)] == ["", "5", "12.50"]
