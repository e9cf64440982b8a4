"""Counters and histograms: plain integers where calls pass, exposition text when somebody asks.

``METRICS`` lists everything that is measured. What the process counts itself is an attribute of :class:`Telemetry`;
what other parts already know (connections, queue lengths) is read from them at scrape time through ``watch``.
Labels are names of ours (gateway ids, provider slugs, outcomes), never text of a client.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from prometheus_client.core import Metric as Family

Labels = tuple[str, ...]
Reading = float | Mapping[Labels, float]  # one figure, or one for each set of labels

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SETS = 10_000  # label sets kept for one counter; further ones are counted together under "other"
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
FINE = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class Metric(NamedTuple):
    """One row of the table; ``kind`` is counter, gauge or histogram."""

    name: str
    kind: str
    help: str
    labels: Labels = ()


METRICS = (
    Metric("penstock_calls_total", "counter", "Calls that ended.", ("gateway", "provider", "outcome")),
    Metric("penstock_calls_in_flight", "gauge", "Calls that are running."),
    Metric("penstock_client_connections", "gauge", "Open client connections."),
    Metric("penstock_upstream_connections", "gauge", "Open connections to providers.", ("state",)),
    Metric("penstock_call_duration_seconds", "histogram", "From the request's head to the answer's end."),
    Metric("penstock_overhead_seconds", "histogram", "Penstock's own time: duration without waiting for the provider."),
    Metric("penstock_tokens_total", "counter", "Tokens as providers reported.", ("gateway", "provider", "direction")),
    Metric("penstock_cost_usd_total", "counter", "Cost of priced calls, US dollars.", ("gateway", "provider")),
    Metric(
        "penstock_credentials_refused_total",
        "counter",
        "Calls and requests without a valid token.",
        ("plane", "reason"),
    ),
    Metric("penstock_log_rows_written_total", "counter", "Log rows written."),
    Metric("penstock_log_rows_dropped_total", "counter", "Log rows lost because the queue was full."),
    Metric("penstock_log_bodies_dropped_total", "counter", "Bodies lost because the queue was full; the row was kept."),
    Metric("penstock_log_rows_pending", "gauge", "Log rows taken and not yet written."),
    Metric(
        "penstock_configuration_age_seconds", "gauge", "Since the configuration served was last seen to be the newest."
    ),
    Metric("penstock_buffered_bytes", "gauge", "Bytes of request bodies held in memory."),
    Metric("penstock_held_answer_bytes", "gauge", "Bytes of answers held in memory for usage and log."),
)


class Counter:
    """Integers by label set. ``unit`` is what one count is worth when shown (1e-9: counted in nano-dollars)."""

    __slots__ = ("unit", "values")

    def __init__(self, unit: float = 1) -> None:
        self.unit = unit
        self.values: dict[Labels, int] = {}

    def add(self, labels: Labels = (), amount: int = 1) -> None:
        """Counts ``amount`` more under ``labels``, in the order of the metric's row."""
        values = self.values
        if labels in values:
            values[labels] += amount
        elif len(values) < SETS:
            values[labels] = amount
        else:
            other = ("other",) * len(labels)
            values[other] = values.get(other, 0) + amount


class Histogram:
    """Counts of seconds in fixed buckets; ``counts`` has one more than there are ``bounds``, for what lies above."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds


class Telemetry:
    """The measurements of one process."""

    def __init__(self) -> None:
        self.calls = Counter()  # gateway, provider, outcome
        self.tokens = Counter()  # gateway, provider, direction: in or out
        self.cost = Counter(1e-9)  # nano-dollars by gateway, provider
        self.refused = Counter()  # plane: data or control; reason
        self.call_duration = Histogram(BOUNDS)
        self.overhead = Histogram(FINE)
        self._parts: dict[str, Counter | Histogram | Callable[[], Reading]] = {
            "penstock_calls_total": self.calls,
            "penstock_tokens_total": self.tokens,
            "penstock_cost_usd_total": self.cost,
            "penstock_credentials_refused_total": self.refused,
            "penstock_call_duration_seconds": self.call_duration,
            "penstock_overhead_seconds": self.overhead,
        }

    def watch(self, name: str, read: Callable[[], Reading]) -> None:
        """Shows under ``name`` what ``read`` returns at scrape time. Raises KeyError on a name not in the table."""
        if name in self._parts or name not in {row.name for row in METRICS}:
            raise KeyError(name)
        self._parts[name] = read

    def collect(self) -> "Iterator[Family]":
        """Prometheus families of everything measured; the library's collector interface."""
        for row in METRICS:
            if row.name in self._parts:
                yield _family(row, self._parts[row.name])

    def render(self) -> bytes:
        """Everything measured, and the figures of the process itself, as exposition text (``CONTENT_TYPE``)."""
        from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest  # noqa: PLC0415  by need

        registry = CollectorRegistry()
        registry.register(self)
        ProcessCollector(registry=registry)
        return generate_latest(registry)


class NullTelemetry(Telemetry):
    """Counts nothing; shows what is watched and the process's own figures."""

    def __init__(self) -> None:
        super().__init__()
        self._parts.clear()
        self.calls = self.tokens = self.cost = self.refused = _NullCounter()
        self.call_duration = self.overhead = _NullHistogram(())


class _NullCounter(Counter):
    __slots__ = ()

    def add(self, labels: Labels = (), amount: int = 1) -> None:
        """Nothing."""


class _NullHistogram(Histogram):
    __slots__ = ()

    def observe(self, seconds: float) -> None:
        """Nothing."""


def _family(row: Metric, part: Counter | Histogram | Callable[[], Reading]) -> "Family":
    """One metric in the library's form."""
    from prometheus_client import core  # noqa: PLC0415  by need: a process that nobody scrapes does without

    if isinstance(part, Histogram):
        family: Any = core.HistogramMetricFamily(row.name, row.help)
        family.add_metric([], buckets=list(_cumulated(part)), sum_value=part.total)
        return family
    kind = core.CounterMetricFamily if row.kind == "counter" else core.GaugeMetricFamily
    family = kind(row.name, row.help, labels=row.labels)
    for labels, value in _samples(part):
        family.add_metric(labels, value)
    return family


def _samples(part: Counter | Callable[[], Reading]) -> Iterable[tuple[Labels, float]]:
    if isinstance(part, Counter):
        return [(labels, count * part.unit) for labels, count in part.values.items()]
    reading = part()
    return list(reading.items()) if isinstance(reading, Mapping) else [((), reading)]


def _cumulated(part: Histogram) -> Iterator[tuple[str, float]]:
    """Buckets as Prometheus has them: each with all that is below its bound."""
    below = 0
    for bound, count in zip([*map(str, part.bounds), "+Inf"], part.counts, strict=True):
        below += count
        yield bound, below
