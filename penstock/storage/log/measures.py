"""What a roll-up counts of its calls, and by what: the columns of ``log_rollups``, its writing and its reading.

A measure is one line here, and a line of a migration.
"""

from bisect import bisect_left
from collections.abc import Callable
from operator import attrgetter

import msgspec

from penstock.model.record import LogRecord

Records = list[LogRecord]


class Measure(msgspec.Struct, frozen=True):
    """A sum over calls. ``take``: of the calls of one roll-up."""

    name: str
    take: Callable[[Records], int]


class Histogram(msgspec.Struct, frozen=True):
    """How many calls lie in each bucket of a record's member (milliseconds; None: in no bucket), and their sum."""

    name: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The sum, and the calls in each bucket."""
        return (f"{self.name}_sum", *(f"{self.name}_{bucket}" for bucket in range(len(BOUNDS) + 1)))

    def take(self, records: Records) -> list[int]:
        taken = [0] * (len(BOUNDS) + 2)
        values = [value for value in map(attrgetter(self.name), records) if value is not None]
        taken[0] = sum(values)
        for value in values:
            taken[1 + bisect_left(BOUNDS, value)] += 1
        return taken


# Milliseconds. A bucket ends with its bound; the last has none.
BOUNDS = (
    *(10, 25, 50, 100, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 5000, 7500),
    *(10_000, 15_000, 20_000, 30_000, 60_000, 120_000),
)
MINUTE, HOUR, DAY = 1, 60, 1440  # the spans of roll-ups, in minutes
SPANS = (MINUTE, HOUR, DAY)
LONG_SPANS = (HOUR, DAY)  # of the values of metadata keys, which may be a call's own
WHOLE = 0  # in the place of a metadata key and of its value: the calls whatever their metadata
OTHER = "(other)"  # the value of those beyond the bound

# Roll-ups of which gateway and span, under which metadata key, from when (minutes since the epoch), for which value;
# then what tells calls apart. ``words``: numbers in log_names.
PLACE = ("gateway", "span", "key", "start", "value")
DIMENSIONS = ("provider", "model", "status_code", "outcome", "success", "cached")
KEY = (*PLACE, *DIMENSIONS)
WORDS = ("key", "value", "provider", "model", "outcome")


def _sum(name: str) -> Measure:
    take = attrgetter(name)
    return Measure(name, lambda records: sum([value for value in map(take, records) if value is not None]))


def _saved(name: str, place: int) -> Measure:
    return Measure(name, lambda records: sum([r.saved[place] for r in records if r.saved is not None]))


MEASURES = (
    Measure("calls", len),
    Measure("unpriced", lambda records: sum([record.cost is None for record in records])),
    _sum("tokens_in"),
    _sum("tokens_out"),
    _sum("cache_read"),
    _sum("cost"),
    Measure("charge", lambda records: sum([r.charge[1] for r in records if r.charge is not None])),
    _saved("saved_tokens_in", 0),
    _saved("saved_tokens_out", 1),
    _saved("saved_cost", 2),
)
HISTOGRAMS = (Histogram("duration"), Histogram("latency"))
COLUMNS = (
    *(measure.name for measure in MEASURES),
    *(column for histogram in HISTOGRAMS for column in histogram.columns),
)


def taken(records: Records) -> list[int]:
    """The values of ``COLUMNS`` for these calls."""
    values = [measure.take(records) for measure in MEASURES]
    for histogram in HISTOGRAMS:
        values += histogram.take(records)
    return values
