import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.providers.markup import NO_MARKUPS, Markup, Markups


@pytest.mark.parametrize(
    ("percent", "cost", "charged"),
    [
        (0, 77, 77),
        (10, 100, 110),
        (12.5, 1_000, 1_125),
        (0.0001, 1_000_000, 1_000_001),
        (50, 1, 2),  # half a nano-dollar is rounded up
        (49, 1, 1),
        (-100, 5, 0),
        (10_000, 3, 303),
    ],
)
def test_a_markup_is_added_to_the_cost(percent: float, cost: int, charged: int):
    assert Markups([Markup("*", percent)]).charged("m", cost) == charged


def test_the_first_that_fits_the_model_holds():
    markups = Markups([Markup("gpt-5*", 10), Markup("gpt-5-mini", 90), Markup("gpt-*", 20)])
    charged = {model: markups.charged(model, 100) for model in ("gpt-5", "gpt-5-mini", "gpt-4o", "o3")}
    assert charged == {"gpt-5": 110, "gpt-5-mini": 110, "gpt-4o": 120, "o3": 100}
    assert NO_MARKUPS.charged("gpt-5", 100) == 100


def test_names_that_callers_choose_are_not_kept_for_ever():
    markups = Markups([Markup("a*", 10)])
    assert {markups.charged(f"a{n}", 10) for n in range(10_000)} == {11}
    assert len(markups._known) <= 4096


@given(percent=st.integers(-100, 10_000), costs=st.lists(st.integers(0, 10**15), min_size=1))
def test_charges_are_exact_to_half_a_nano_dollar(percent: int, costs: list[int]):
    markups = Markups([Markup("*", percent)])
    for cost in costs:
        assert abs(markups.charged("m", cost) * 100 - cost * (100 + percent)) <= 50
