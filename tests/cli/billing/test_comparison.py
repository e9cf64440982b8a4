from fractions import Fraction

import pytest

from penstock.cli.billing.comparison import called, compare
from penstock.cli.billing.exports import Said
from penstock.model.money import CENT, NANO

PART = Fraction(1, 100)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4-0613", "gpt-4"),
        ("Claude Sonnet 4.5", "claude-sonnet-4-5-20250929"),
        ("Claude 3.5 Sonnet 2024-10-22", "claude-3-5-sonnet-latest"),
        ("claude-haiku-4-5@20251001", "claude-haiku-4.5"),
    ],
)
def test_a_model_is_the_same_by_all_its_names(one: str, other: str):
    assert called(one) == called(other)


@pytest.mark.parametrize(("one", "other"), [("gpt-4o", "gpt-4o-mini"), ("claude-opus-4", "claude-opus-4-1")])
def test_others_are_others(one: str, other: str):
    assert called(one) != called(other)


def differing(provider: list[Said], log: list[Said]) -> list[tuple[int, str, list[str]]]:
    return [
        (one.day, one.model, [name for name, figure in one.figures.items() if figure.differs])
        for one in compare(provider, log, PART)
        if one.differs
    ]


def test_a_figure_differs_by_more_than_the_tolerance():
    said = [Said(1, "gpt-4o", {"calls": 1000, "tokens_in": 100})]
    assert not differing(said, [Said(1, "gpt-4o", {"calls": 990, "tokens_in": 101})])
    assert differing(said, [Said(1, "gpt-4o", {"calls": 989, "tokens_in": 101})]) == [(1, "gpt-4o", ["calls"])]
    assert differing(said, [Said(1, "gpt-4o", {"calls": 1011, "tokens_in": 98})])[0][2] == ["calls", "tokens_in"]


def test_what_one_side_alone_has_differs():
    said, log = [Said(1, "a", {"calls": 1}), Said(2, "a", {"calls": 1})], [Said(1, "a", {"calls": 1})]
    assert differing(said, log) == [(2, "a", ["calls"])]
    assert differing(log, said) == [(2, "a", ["calls"])]
    assert differing(log, [*log, Said(1, "b", {"calls": 1})]) == [(1, "b", ["calls"])]


def test_figures_of_one_model_are_summed_whatever_it_is_called():
    said = [Said(1, "gpt-4o-2024-08-06", {"calls": 2}), Said(1, "gpt-4o-2024-05-13", {"calls": 3})]
    log = [Said(1, "gpt-4o", {"calls": 4}), Said(1, "gpt-4o-2024-05-13", {"calls": 1})]
    assert not differing(said, log)
    assert [one.model for one in compare(said, log, PART)] == ["gpt-4o"]


def test_only_what_the_provider_tells_is_compared():
    log = [Said(1, "a", {"calls": 9, "tokens_in": 5, "cost": NANO})]
    assert not differing([Said(1, "a", {"tokens_in": 5})], log)


def test_a_provider_that_tells_no_models_is_held_against_all_of_them():
    log = [Said(1, "a", {"cost": NANO}), Said(1, "b", {"cost": NANO})]
    assert not differing([Said(1, "", {"cost": 2 * NANO})], log)
    assert differing([Said(1, "", {"cost": 3 * NANO})], log) == [(1, "", ["cost"])]


def test_a_cost_differs_by_a_cent_at_least():
    assert not differing([Said(1, "a", {"cost": 0})], [Said(1, "a", {"cost": CENT - 1})])
    assert differing([Said(1, "a", {"cost": 0})], [Said(1, "a", {"cost": CENT})])


def test_what_neither_has_is_left_out():
    assert compare([Said(1, "a", {"calls": 0})], [Said(1, "b", {"calls": 0})], PART) == []
