"""Whole numbers in headers."""

import pytest

from penstock.wire.numbers import whole


@pytest.mark.parametrize(
    ("value", "number", "warned"),
    [
        ("5", 5, False),
        (" 5 ", 5, False),
        ("+5", 5, False),
        ("0", 1, True),
        ("-9", 1, True),
        ("11", 10, True),
        ("9" * 18, 10, True),
        ("9" * 19, None, True),
        ("5.0", None, True),
        ("1_0", None, True),
        ("0x5", None, True),
        ("", None, True),
        ("\u0665", None, True),
    ],
)
def test_a_number_is_moved_into_its_range_and_nothing_else_is_one(value, number, warned):
    held, wrong = whole(value.encode(), 1, 10)
    assert held == number
    assert bool(wrong) is warned
