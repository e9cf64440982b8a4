"""From reports to the text that Prometheus reads; those of several processes become one."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from penstock.core.telemetry import METRICS, Figures, Labels, Metric, Report

if TYPE_CHECKING:
    from prometheus_client.core import Metric as Family

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# The process's own figures, as Prometheus' library reads them from the system.
PROCESS = (
    Metric("process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes."),
    Metric("process_resident_memory_bytes", "gauge", "Resident memory size in bytes."),
    Metric("process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.", over=min),
    Metric("process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds."),
    Metric("process_open_fds", "gauge", "Number of open file descriptors."),
    Metric("process_max_fds", "gauge", "Maximum number of open file descriptors."),
)
_ALL = (*METRICS, *PROCESS)
_OVER = {row.name: row.over for row in _ALL}
_LASTING = frozenset(row.name for row in _ALL if row.kind == "counter")


def with_process(report: Report) -> Report:
    """The report, with the figures of this process itself."""
    from prometheus_client import ProcessCollector  # noqa: PLC0415  by need: a process that nobody asks does without

    for family in ProcessCollector(registry=None).collect():
        for sample in family.samples:
            report.figures[sample.name] = [((), sample.value)]
    return report


def merge(reports: Iterable[Report]) -> Report:
    """One report of several processes."""
    merged, found = Report(), dict[str, dict[Labels, list[float]]]()
    for report in reports:
        for name, figures in report.figures.items():
            values = found.setdefault(name, {})
            for labels, value in figures:
                values.setdefault(labels, []).append(value)
        for name, (counts, total) in report.histograms.items():
            known, before = merged.histograms.get(name, ([0] * len(counts), 0.0))
            merged.histograms[name] = ([a + b for a, b in zip(known, counts, strict=True)], before + total)
    for name, values in found.items():
        over = _OVER[name]
        merged.figures[name] = [(labels, over(given)) for labels, given in values.items()]
    return merged


def lasting(report: Report) -> Report:
    """What of a process's report still counts when the process is gone: what it counted, not what it had."""
    return Report({name: figures for name, figures in report.figures.items() if name in _LASTING}, report.histograms)


def render(report: Report) -> bytes:
    """The report as exposition text (``CONTENT_TYPE``)."""
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415  as above

    registry = CollectorRegistry()
    registry.register(_Collector(report))
    return generate_latest(registry)


class _Collector:
    """The library's interface."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def collect(self) -> "Iterator[Family]":
        for row in _ALL:
            if row.name in self._report.histograms:
                yield _histogram(row, *self._report.histograms[row.name])
            elif row.name in self._report.figures:
                yield _family(row, self._report.figures[row.name])


def _histogram(row: Metric, counts: list[int], total: float) -> "Family":
    from prometheus_client import core  # noqa: PLC0415  as above

    family: Any = core.HistogramMetricFamily(row.name, row.help)
    family.add_metric([], buckets=list(_cumulated(row.bounds, counts)), sum_value=total)
    return family


def _family(row: Metric, figures: Figures) -> "Family":
    from prometheus_client import core  # noqa: PLC0415  as above

    kind = core.CounterMetricFamily if row.kind == "counter" else core.GaugeMetricFamily
    family = kind(row.name, row.help, labels=row.labels)
    for labels, value in figures:
        family.add_metric(labels, value)
    return family


def _cumulated(bounds: tuple[float, ...], counts: list[int]) -> Iterator[tuple[str, float]]:
    """Buckets as Prometheus has them: each with all that is below its bound."""
    below = 0
    for bound, count in zip([*map(str, bounds), "+Inf"], counts, strict=True):
        below += count
        yield bound, below
