"""What analytics tell of money, as the page shows it: a chart, and a row for each group. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from penstock.dashboard.times import intervals

SERIES = 5  # groups of a chart; the others are one
OTHERS = "others"
CSV = ("group", "calls", "unpriced", "tokens_in", "tokens_out", "cost", "charge", "saved_cost")

Told = Mapping[str, Any]


class Chart(NamedTuple):
    """As ``kit.chart`` shows it."""

    title: str
    columns: list[tuple[str, str]]
    rows: list[list[Any]]


def label(group: Any, unnamed: str = "none") -> str:
    """What a group is called; ``unnamed``: calls without one."""
    return OTHERS if group is None else str(group) if group != "" else unnamed


def chart(told: Told, name: str, title: str) -> Chart | None:
    """A sum over time, by the groups that have most of it; None: there is nothing to show."""
    if not told["totals"][name]:
        return None
    ranked = sorted(told["groups"], key=lambda group: (group["group"] is None, -group["totals"][name]))
    shown = [group for group in ranked[:SERIES] if group["group"] is not None and group["totals"][name]]
    series = [(label(group["group"]), _over_time([group], name)) for group in shown]
    if rest := [group for group in ranked[len(shown) :] if group["totals"][name]]:
        series.append((OTHERS, _over_time(rest, name)))
    rows = [[time, *(amounts.get(time, 0) for _, amounts in series)] for time in intervals(told)]
    return Chart(title, [(group, "dollars") for group, _ in series], rows)


def table(told: Told) -> Iterable[Sequence[Any]]:
    """A row for each group, as CSV has them."""
    for group in told["groups"]:
        yield (label(group["group"]), *(group["totals"][name] for name in CSV[1:]))


def linked(told: Told, to: Callable[[Any], str | None]) -> list[tuple[Told, str, str | None]]:
    """Each group with its name, and where to see what it is made of."""
    return [(group, label(group["group"]), to(group["group"])) for group in told["groups"]]


def _over_time(groups: Iterable[Told], name: str) -> Mapping[str, float]:
    found: defaultdict[str, float] = defaultdict(float)
    for group in groups:
        for point in group["series"]:
            found[point["time"]] += point[name]
    return found
