"""Sums as the API shows them. Pure."""

from collections.abc import Mapping
from typing import Any

from penstock.storage.log.measures import BOUNDS, HISTOGRAMS, MEASURES

_NANO = 10**9
_DOLLARS = frozenset({"cost", "charge", "saved_cost"})
_PERCENTILES = (50, 90, 95, 99)


def shown(sums: Mapping[str, int]) -> dict[str, Any]:
    """Members as in ``schema.Sums``."""
    told: dict[str, Any] = {name: sums.get(name, 0) for name in ("calls", "errors", "refusals", "cached")}
    for measure in MEASURES[1:]:
        value = sums.get(measure.name, 0)
        told[measure.name] = value / _NANO if measure.name in _DOLLARS else value
    for histogram in HISTOGRAMS:
        whole, *buckets = [sums.get(column, 0) for column in histogram.columns]
        count = sum(buckets)
        told[histogram.name] = {
            "average": round(whole / count, 1) if count else None,
            **{f"p{share}": percentile(buckets, share) for share in _PERCENTILES},
        }
    return told


def percentile(buckets: list[int], share: int) -> float | None:
    """Milliseconds below which ``share`` per cent of the calls lie; the last bucket, which has no end, is its start."""
    count = sum(buckets)
    if not count:
        return None
    wanted, below = count * share / 100, 0
    for place, calls in enumerate(buckets):
        if calls and below + calls >= wanted:
            least = BOUNDS[place - 1] if place else 0
            most = BOUNDS[place] if place < len(BOUNDS) else least
            return round(least + (most - least) * (wanted - below) / calls, 1)
        below += calls
    return float(BOUNDS[-1])
