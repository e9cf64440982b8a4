"""How values are shown, and that no text of a peer's is ever more than text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.dashboard import rendering
from penstock.dashboard.rendering import about, dollars, millis, number, percent, plain, short, size, when


def test_characters_that_do_not_show_are_spelt_out():
    assert plain("a\u202eb\x1b[31m\x00") == "a[U+202E]b[U+001B][31m[U+0000]"
    assert plain("line\none\ttab") == "line\none\ttab"
    assert plain("\U0001f468\u200d\U0001f469 é 水 \u0645\u06cc\u200c\u0634\u0648\u062f") == (
        "\U0001f468\u200d\U0001f469 é 水 \u0645\u06cc\u200c\u0634\u0648\u062f"
    )


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_any_text_is_shown_and_none_is_markup(text):
    template = rendering.environment().from_string('{{ text | plain }}<i title="{{ text | plain }}"></i>')
    shown = template.render(text=text).encode("utf-8").decode()
    assert shown.count("<") == 2
    assert shown.count('"') == 2


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        (dollars(0.000315), "$0.000315"),
        (dollars(0.1), "$0.10"),
        (dollars(12.5), "$12.50"),
        (dollars(-1234.567), "-$1,234.57"),
        (dollars(0), "$0.00"),
        (dollars(None), "–"),
        (about(0.0128144), "$0.0128"),
        (number(1234567), "1,234,567"),
        (short(9999), "9,999"),
        (short(12345), "12.3k"),
        (short(2_000_000), "2M"),
        (millis(0.25), "0.25 ms"),
        (millis(340), "340 ms"),
        (millis(2100), "2.1 s"),
        (size(999), "999 bytes"),
        (size(1_500_000), "1.5 MB"),
        (percent(1, 3), "33.3 %"),
        (percent(1, 0), "–"),
        (when("2026-11-30T12:00:05.999Z"), "2026-11-30 12:00:05"),
        (when(0), "1970-01-01 00:00:00"),
        (when(None), "–"),
    ],
)
def test_values(shown, wanted):
    assert shown == wanted
