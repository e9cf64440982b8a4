"""Figures of several processes as one, and as Prometheus reads them."""

import os

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from penstock.core import codec
from penstock.core.exposition import PROCESS, lasting, merge, render, with_process
from penstock.core.telemetry import METRICS, Report, Telemetry

CALLS = "penstock_calls_total"
DURATION = "penstock_call_duration_seconds"
LABELS = ("account", "default", "openai", "answered")


def samples(report):
    """What a scraper reads: (name, labels) -> value."""
    families = text_string_to_metric_families(render(report).decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def told(*seconds, calls=0, age=0.0, **figures):
    """The report of a process that answered calls of such durations."""
    telemetry = Telemetry()
    telemetry.calls.add(LABELS, calls)
    for one in seconds:
        telemetry.call_duration.observe(one)
    telemetry.watch("penstock_configuration_age_seconds", lambda: age)
    for name, value in figures.items():
        telemetry.watch(name, lambda value=value: value)
    return telemetry.report()


def test_counters_and_gauges_are_added_and_the_age_is_the_greatest():
    one = told(calls=3, age=0.5, penstock_upstream_connections={("idle",): 2, ("busy",): 1})
    other = told(calls=4, age=7.0, penstock_upstream_connections={("idle",): 5})
    found = samples(merge([one, other]))
    labels = (("account", "account"), ("gateway", "default"), ("outcome", "answered"), ("provider", "openai"))
    assert found[CALLS, labels] == 7
    assert found["penstock_configuration_age_seconds", ()] == 7.0
    assert found["penstock_upstream_connections", (("state", "idle"),)] == 7
    assert found["penstock_upstream_connections", (("state", "busy"),)] == 1


def test_a_histogram_of_several_has_the_observations_of_each():
    found = samples(merge([told(0.002, 0.02), told(0.02, 700.0), told()]))
    assert [found[f"{DURATION}_bucket", (("le", le),)] for le in ("0.001", "0.0025", "0.025", "600.0", "+Inf")] == [
        *(0, 1, 3, 3, 4)
    ]
    assert found[f"{DURATION}_count", ()] == 4
    assert found[f"{DURATION}_sum", ()] == pytest.approx(700.042)


def test_the_process_shows_its_own_figures_and_several_are_one():
    one = with_process(Telemetry().report())
    found = samples(one)
    for row in PROCESS:
        assert found[row.name, ()] > 0
    memory = psutil.Process(os.getpid()).memory_info().rss
    assert found["process_resident_memory_bytes", ()] == pytest.approx(memory, 0.2)
    both = samples(merge([one, one]))
    start = "process_start_time_seconds"
    assert both[start, ()] == found[start, ()]
    for name in ("process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds", "process_max_fds"):
        assert both[name, ()] == 2 * found[name, ()]


def test_of_a_process_that_is_gone_its_counts_stay_and_what_it_had_goes():
    gone = with_process(told(0.5, calls=3, penstock_buffered_bytes=100, penstock_log_rows_dropped_total=2))
    found = samples(merge([lasting(gone), told(calls=1, penstock_buffered_bytes=1)]))
    labels = (("account", "account"), ("gateway", "default"), ("outcome", "answered"), ("provider", "openai"))
    assert (found[CALLS, labels], found[f"{DURATION}_count", ()]) == (4, 1)
    assert found["penstock_log_rows_dropped_total", ()] == 2
    assert found["penstock_buffered_bytes", ()] == 1
    assert found["process_cpu_seconds_total", ()] > 0
    assert ("process_resident_memory_bytes", ()) not in found


def test_every_metric_has_its_help_and_kind():
    rows = (*METRICS, *PROCESS)
    report = Report({row.name: [(("x",) * len(row.labels), 1.0)] for row in rows if row.kind != "histogram"})
    report.histograms |= {row.name: ([0] * (len(row.bounds) + 1), 0.0) for row in rows if row.kind == "histogram"}
    text = render(report).decode()
    for row in rows:
        assert f"# HELP {row.name} {row.help}\n# TYPE {row.name} {row.kind}\n" in text


COUNTS = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(0, 1000))
SECONDS = st.lists(st.floats(0, 1000), max_size=5)
TOLD = st.builds(
    lambda counts, histograms: Report({CALLS: [((one, "x", "y"), n) for one, n in counts.items()]}, histograms),
    COUNTS,
    SECONDS.map(lambda seconds: told(*seconds).histograms),
)


def counted(report):
    """Without what depends on the order of additions."""
    return {labels: value for labels, value in report.figures.get(CALLS, []) if value}, {
        name: counts for name, (counts, _) in report.histograms.items() if any(counts)
    }


@given(st.lists(TOLD, max_size=4), st.integers(0, 4))
def test_in_whatever_groups_reports_are_merged_the_sum_is_the_same(reports, middle):
    parts = [merge(reports[:middle]), merge(reports[middle:])]
    assert counted(merge(parts)) == counted(merge(reports)) == counted(merge(reversed(reports)))


@given(TOLD)
def test_a_report_travels_whole(report):
    assert codec.unpacker(Report).decode(codec.pack(report)) == report
