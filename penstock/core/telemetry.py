"""Counters and histograms: plain integers where calls pass, figures when somebody asks (``core.exposition``).

``METRICS`` lists everything that is measured. What the process counts itself is an attribute of :class:`Telemetry`;
what other parts already know (connections, queue lengths) is read from them when asked, through ``watch``.
Labels are names of ours (accounts, gateway ids, provider slugs, outcomes), never text of a client.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec import field

from penstock.core.codec import Struct

Labels = tuple[str, ...]
Reading = float | Mapping[Labels, float]  # one figure, or one for each set of labels
Figures = list[tuple[Labels, float]]
Distribution = tuple[list[int], float]  # counts of each bucket alone; the sum of seconds

_NANO = 10**9
SETS = 10_000  # label sets kept for one counter; further ones are counted together under "other"
SHARE = SETS // 2  # of them those of one account, so that none takes all; further ones are its "other"
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
FINE = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class Metric(NamedTuple):
    """One row of the table; ``kind`` is counter, gauge or histogram.

    ``over``: what the figure of several processes is of theirs; ``bounds``: of a histogram, in seconds.
    """

    name: str
    kind: str
    help: str
    labels: Labels = ()
    over: Callable[[list[float]], float] = sum
    bounds: tuple[float, ...] = ()


METRICS = (
    Metric("penstock_calls_total", "counter", "Calls that ended.", ("account", "gateway", "provider", "outcome")),
    Metric("penstock_calls_in_flight", "gauge", "Calls that are running."),
    Metric("penstock_client_connections", "gauge", "Open client connections."),
    Metric("penstock_upstream_connections", "gauge", "Open connections to providers.", ("state",)),
    Metric(
        "penstock_call_duration_seconds", "histogram", "From the request's head to the answer's end.", bounds=BOUNDS
    ),
    Metric(
        "penstock_overhead_seconds",
        "histogram",
        "Penstock's own time: duration without waiting for the provider.",
        bounds=FINE,
    ),
    Metric(
        "penstock_tokens_total",
        "counter",
        "Tokens as providers reported.",
        ("account", "gateway", "provider", "direction"),
    ),
    Metric(
        "penstock_cost_usd_total", "counter", "Cost of priced calls, US dollars.", ("account", "gateway", "provider")
    ),
    Metric(
        "penstock_credentials_refused_total",
        "counter",
        "Calls and requests without a valid token.",
        ("plane", "reason"),
    ),
    Metric("penstock_rate_limited_total", "counter", "Calls refused by a rate limit.", ("account", "gateway")),
    Metric(
        "penstock_limits_without_redis_total",
        "counter",
        "Rate limits and budgets decided while Redis was away, by what the setting limits_without_redis says.",
        ("policy",),
    ),
    Metric("penstock_reservations_refused_total", "counter", "Reservations of money that a budget did not cover."),
    Metric("penstock_settlements_pending", "gauge", "Settlements of money that Redis does not know yet."),
    Metric("penstock_retries_total", "counter", "Further attempts at a provider.", ("provider",)),
    Metric(
        "penstock_retries_withheld_total",
        "counter",
        "Further attempts not made because the provider's retry budget was used up.",
        ("provider",),
    ),
    Metric(
        "penstock_targets_skipped_total",
        "counter",
        "Models of dynamic routes not asked because their last calls had failed.",
        ("provider",),
    ),
    Metric(
        "penstock_cache_lookups_total",
        "counter",
        "Calls with caching in effect: hit, shared (the answer of a call still running), miss.",
        ("account", "gateway", "result"),
    ),
    Metric(
        "penstock_cache_saved_tokens_total",
        "counter",
        "Tokens that hits did not use again.",
        ("account", "gateway", "direction"),
    ),
    Metric("penstock_cache_saved_usd_total", "counter", "Cost that hits did not cause again.", ("account", "gateway")),
    Metric(
        "penstock_cache_bytes",
        "gauge",
        "Bytes of cached answers; of several processes with a memory each, in the fullest.",
        over=max,
    ),
    Metric(
        "penstock_cache_entries",
        "gauge",
        "Cached answers; of several processes with a memory each, in the fullest.",
        over=max,
    ),
    Metric("penstock_cache_evicted_total", "counter", "Cached answers dropped to make room."),
    Metric("penstock_cache_failures_total", "counter", "Reads and writes that the cache's store failed at."),
    Metric("penstock_log_rows_written_total", "counter", "Log rows written."),
    Metric("penstock_log_rows_dropped_total", "counter", "Log rows lost because the queue was full."),
    Metric("penstock_log_rows_full_total", "counter", "Log rows not written: their gateways had log_management rows."),
    Metric(
        "penstock_log_rows_unkept_total",
        "counter",
        "Rows of refused calls, and of calls to addresses that do not exist, beyond refused_rows.",
        ("gateway",),
    ),
    Metric("penstock_log_bodies_dropped_total", "counter", "Bodies lost because the queue was full; the row was kept."),
    Metric("penstock_log_rows_pending", "gauge", "Log rows taken and not yet written."),
    Metric(
        "penstock_configuration_age_seconds",
        "gauge",
        "Since the configuration served was last seen to be the newest.",
        over=max,
    ),
    Metric(
        "penstock_configuration_version",
        "gauge",
        "Version of the configuration served; of several processes, the oldest.",
        over=min,
    ),
    Metric("penstock_buffered_bytes", "gauge", "Bytes of request bodies held in memory."),
    Metric("penstock_held_answer_bytes", "gauge", "Bytes of answers held in memory for usage and log."),
    Metric(
        "penstock_answers_unread_total",
        "counter",
        "Answers not read for usage, or not kept, for a limit.",
        ("gateway",),
    ),
    Metric("penstock_alert_webhooks_total", "counter", "Attempts to deliver what alerts say.", ("result",)),
    Metric(
        "penstock_payment_webhooks_total",
        "counter",
        "Webhooks of the payment service: applied, ignored (they concern no top-up), refused (not signed).",
        ("result",),
    ),
    Metric("penstock_workers", "gauge", "Serving processes.", ("state",)),
)


class Counter:
    """Integers by label set. ``parts``: so many of them are one where they are shown (10**9: of nano-dollars).
    ``share``: label sets that those with the same first label may have.
    """

    __slots__ = ("_sets", "_share", "parts", "values")

    def __init__(self, parts: int = 1, share: int = SETS) -> None:
        self.parts = parts
        self.values: dict[Labels, int] = {}
        self._share = share
        self._sets: dict[str, int] = {}  # by first label

    def add(self, labels: Labels = (), amount: int = 1) -> None:
        """Counts ``amount`` more under ``labels``, in the order of the metric's row."""
        values = self.values
        if labels in values:
            values[labels] += amount
        else:
            labels = self._kept(labels)
            values[labels] = values.get(labels, 0) + amount

    def _kept(self, labels: Labels) -> Labels:
        """What a new label set is counted under."""
        if len(self.values) >= SETS:
            return ("other",) * len(labels)
        if not labels:
            return labels
        sets = self._sets[labels[0]] = self._sets.get(labels[0], 0) + 1
        return labels if sets <= self._share else (labels[0], *("other",) * (len(labels) - 1))


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
        self.calls = Counter(share=SHARE)  # account, gateway, provider, outcome
        self.tokens = Counter(share=SHARE)  # account, gateway, provider, direction: in or out
        self.cost = Counter(_NANO, SHARE)  # nano-dollars by account, gateway, provider
        self.refused = Counter()  # plane: data or control; reason
        self.rate_limited = Counter(share=SHARE)  # account, gateway
        self.limits_alone = Counter()  # policy
        self.reservations_refused = Counter()
        self.retries = Counter()  # provider
        self.retries_withheld = Counter()  # provider
        self.targets_skipped = Counter()  # provider
        self.cache_lookups = Counter(share=SHARE)  # account, gateway; result: hit, shared, miss
        self.saved_tokens = Counter(share=SHARE)  # account, gateway; direction: in or out
        self.saved_cost = Counter(_NANO, SHARE)  # nano-dollars by account, gateway
        self.unread = Counter()  # gateway
        self.rows_unkept = Counter()  # gateway
        self.alert_webhooks = Counter()  # result: delivered, failed
        self.payment_webhooks = Counter()  # result: applied, ignored, refused
        self.call_duration = Histogram(BOUNDS)
        self.overhead = Histogram(FINE)
        self._parts: dict[str, Counter | Histogram | Callable[[], Reading]] = {
            "penstock_calls_total": self.calls,
            "penstock_tokens_total": self.tokens,
            "penstock_cost_usd_total": self.cost,
            "penstock_credentials_refused_total": self.refused,
            "penstock_rate_limited_total": self.rate_limited,
            "penstock_limits_without_redis_total": self.limits_alone,
            "penstock_reservations_refused_total": self.reservations_refused,
            "penstock_retries_total": self.retries,
            "penstock_retries_withheld_total": self.retries_withheld,
            "penstock_targets_skipped_total": self.targets_skipped,
            "penstock_cache_lookups_total": self.cache_lookups,
            "penstock_cache_saved_tokens_total": self.saved_tokens,
            "penstock_cache_saved_usd_total": self.saved_cost,
            "penstock_answers_unread_total": self.unread,
            "penstock_log_rows_unkept_total": self.rows_unkept,
            "penstock_alert_webhooks_total": self.alert_webhooks,
            "penstock_payment_webhooks_total": self.payment_webhooks,
            "penstock_call_duration_seconds": self.call_duration,
            "penstock_overhead_seconds": self.overhead,
        }

    def watch(self, name: str, read: Callable[[], Reading]) -> None:
        """Shows under ``name`` what ``read`` returns when somebody asks. Raises KeyError on a name not in the table."""
        if name in self._parts or name not in {row.name for row in METRICS}:
            raise KeyError(name)
        self._parts[name] = read

    def report(self) -> "Report":
        """Everything measured until now."""
        report = Report()
        for name, part in self._parts.items():
            if isinstance(part, Histogram):
                report.histograms[name] = (list(part.counts), part.total)
            else:
                report.figures[name] = _figures(part)
        return report


class Report(Struct):
    """What a process measured, by the names of metrics. It travels between processes."""

    figures: dict[str, Figures] = field(default_factory=dict[str, Figures])
    histograms: dict[str, Distribution] = field(default_factory=dict[str, Distribution])


def _figures(part: Counter | Callable[[], Reading]) -> Figures:
    if isinstance(part, Counter):
        return [(labels, count / part.parts) for labels, count in part.values.items()]
    reading = part()
    return list(reading.items()) if isinstance(reading, Mapping) else [((), reading)]
