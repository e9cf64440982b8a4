"""Points in time that charts show."""

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.core import instants

_STEPS = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000}  # milliseconds


def intervals(told: Mapping[str, Any]) -> Iterator[str]:
    """Every interval that an answer of analytics is about, those without calls too."""
    start, end = instants.parse(told["start"]), instants.parse(told["end"])
    return (instants.text(moment) for moment in range(start, end, _STEPS[told["interval"]]))
