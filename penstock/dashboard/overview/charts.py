"""What analytics tell, as charts: a title, columns with their units, and a row for each point in time. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from penstock.dashboard.times import intervals

Sums = Mapping[str, Any]


class Column(NamedTuple):
    """A series. ``keys``: the way to its value in the sums of one interval."""

    name: str
    unit: str
    keys: tuple[str, ...]


class Chart(NamedTuple):
    """As ``kit.chart`` shows it."""

    title: str
    kind: str
    columns: list[tuple[str, str]]
    rows: list[list[Any]]


_CHARTS: tuple[tuple[str, str, tuple[Column, ...]], ...] = (
    (
        "Calls",
        "bars",
        (
            Column("Calls", "count", ("calls",)),
            Column("Errors", "count", ("errors",)),
        ),
    ),
    ("Cost", "bars", (Column("Cost", "dollars", ("cost",)),)),
    (
        "Tokens",
        "line",
        (
            Column("Input", "count", ("tokens_in",)),
            Column("Output", "count", ("tokens_out",)),
        ),
    ),
    (
        "Latency to the first byte",
        "line",
        (
            Column(
                "Half of the calls (p50)",
                "millis",
                (
                    "latency",
                    "p50",
                ),
            ),
            Column(
                "19 of 20 calls (p95)",
                "millis",
                (
                    "latency",
                    "p95",
                ),
            ),
        ),
    ),
    (
        "Cache",
        "bars",
        (Column("Hits", "count", ("cached",)),),
    ),
    (
        "Saved by the cache",
        "bars",
        (Column("Saved", "dollars", ("saved_cost",)),),
    ),
)


def drawn(told: Mapping[str, Any]) -> list[Chart]:
    """``told``: an answer of analytics without groups."""
    points = {point["time"]: point for group in told["groups"] for point in group["series"]}
    times = list(intervals(told))
    return [
        Chart(
            title,
            kind,
            [(column.name, column.unit) for column in columns],
            [[time, *(_at(points.get(time), column) for column in columns)] for time in times],
        )
        for title, kind, columns in _CHARTS
    ]


def _at(point: Sums | None, column: Column) -> float | None:
    """A sum of no calls is zero; a length of time of no calls is none."""
    if point is None:
        return None if column.unit == "millis" else 0
    found: Any = point
    for key in column.keys:
        found = found[key]
    return found
