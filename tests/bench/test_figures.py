import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.figures import Budget, median, paired_difference, paired_ratio, percentile, spread, verdict

figures = st.floats(0.001, 1e6)


@given(st.lists(figures, min_size=1), st.floats(0, 1))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)
    assert sum(value < found for value in values) <= share * len(values)


def test_percentiles_at_the_ends_and_in_the_middle() -> None:
    values = list(range(1, 101))
    assert [percentile(values, share) for share in (0, 0.5, 0.99, 1)] == [1, 50, 99, 100]


@given(st.lists(st.tuples(figures, figures, st.floats(0.1, 10)), min_size=1))
def test_what_slows_both_sides_of_a_round_does_not_move_the_ratio(rounds: list[tuple[float, float, float]]) -> None:
    steady = paired_ratio([ours for ours, _, _ in rounds], [nginx for _, nginx, _ in rounds])
    shaken = paired_ratio([ours * by for ours, _, by in rounds], [nginx * by for _, nginx, by in rounds])
    assert shaken == pytest.approx(steady)


def test_a_paired_ratio_is_the_median_of_ratios_not_the_ratio_of_medians() -> None:
    assert paired_ratio([10, 30, 20], [20, 40, 100]) == 0.5
    assert paired_difference([10, 30, 20], [9, 25, 10]) == 5


def test_rounds_that_are_not_paired_are_refused() -> None:
    with pytest.raises(ValueError, match="2 against 1"):
        paired_ratio([1, 2], [1])
    with pytest.raises(ValueError, match="1 against 2"):
        paired_difference([1], [1, 2])


def test_figures_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="no rounds"):
        median([])
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)
    with pytest.raises(ValueError, match="between 0 and 1"):
        percentile([1], 99)


def test_spread_is_relative_to_the_median() -> None:
    assert spread([90, 100, 120]) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("budget", "value", "met"),
    [
        (Budget("≥", 0.28, "× nginx"), 0.28, True),
        (Budget("≥", 0.28, "× nginx"), 0.2799, False),  # shown as 0.280, missed all the same
        (Budget("≤", 100, "µs"), 100, True),
        (Budget("≤", 100, "µs"), 100.01, False),
    ],
)
def test_a_budget_judges_the_figure_and_not_its_rounding(budget: Budget, value: float, met: bool) -> None:
    assert budget.met(value) is met


def test_a_budget_reads_as_a_sentence_of_the_design() -> None:
    assert Budget("≥", 0.28, "× nginx").text() == "≥ 0.28 × nginx"
    assert Budget("≤", 1.5, "s").text() == "≤ 1.5 s"


def test_one_miss_makes_the_row_a_miss() -> None:
    rate, cpu = Budget("≥", 0.28), Budget("≤", 100)
    assert verdict((rate, 0.3), (cpu, 90)) == "met"
    assert verdict((rate, 0.3), (cpu, 120)) == "MISSED"
    assert verdict((None, 0.3)) == ""
