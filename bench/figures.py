"""The arithmetic of the benchmark: medians, percentiles, paired ratios and budgets. Pure."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


def median(values: Sequence[float]) -> float:
    """The middle value. Raises ValueError when there is none."""
    if not values:
        raise ValueError("no rounds to take the median of")
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank: the smallest value that ``share`` (0 to 1) of all values do not exceed."""
    if not values:
        raise ValueError("no values to take a percentile of")
    if not 0 <= share <= 1:
        raise ValueError(f"share must lie between 0 and 1, not {share}")
    ordered = sorted(values)
    rank = -int(-share * len(ordered) // 1)  # rounded up
    return ordered[max(rank, 1) - 1]


def paired_ratio(ours: Sequence[float], reference: Sequence[float]) -> float:
    """The median of the ratios round by round: what slows both sides of one round cancels."""
    if len(ours) != len(reference):
        raise ValueError(f"rounds are not paired: {len(ours)} against {len(reference)}")
    return median([a / b for a, b in zip(ours, reference, strict=True)])


def paired_difference(ours: Sequence[float], reference: Sequence[float]) -> float:
    """The median of the differences round by round."""
    if len(ours) != len(reference):
        raise ValueError(f"rounds are not paired: {len(ours)} against {len(reference)}")
    return median([a - b for a, b in zip(ours, reference, strict=True)])


def spread(values: Sequence[float]) -> float:
    """How far the rounds lie apart: (largest - smallest) / median."""
    return (max(values) - min(values)) / median(values)


@dataclass(frozen=True)
class Budget:
    """A limit on one figure, both ends included."""

    relation: Literal["≥", "≤"]
    limit: float
    unit: str = ""

    def met(self, value: float) -> bool:
        """Judges the figure itself, not what the table shows of it: rounding never saves a budget."""
        return value >= self.limit if self.relation == "≥" else value <= self.limit

    def text(self) -> str:
        """For example ``≥ 0.28 × nginx``."""
        return f"{self.relation} {self.limit:g} {self.unit}".rstrip()


def verdict(*judged: tuple[Budget | None, float]) -> str:
    """``met``, ``MISSED``, or nothing when there is no budget; one miss makes the row a miss."""
    results = [budget.met(value) for budget, value in judged if budget is not None]
    if not results:
        return ""
    return "met" if all(results) else "MISSED"
