import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from penstock.core.exposition import render
from penstock.core.telemetry import METRICS, SETS, Counter, Histogram, Telemetry


def samples(telemetry):
    """What a scraper reads: (name, labels) -> value."""
    families = text_string_to_metric_families(render(telemetry.report()).decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def test_what_was_counted_is_shown_under_its_labels():
    telemetry = Telemetry()
    telemetry.calls.add(("acc", "default", "openai", "answered"))
    telemetry.calls.add(("acc", "default", "openai", "answered"), 2)
    telemetry.tokens.add(("acc", "default", "openai", "in"), 9)
    found = samples(telemetry)
    labels = (("account", "acc"), ("gateway", "default"), ("outcome", "answered"), ("provider", "openai"))
    assert found["penstock_calls_total", labels] == 3
    labels = (("account", "acc"), ("direction", "in"), ("gateway", "default"), ("provider", "openai"))
    assert found["penstock_tokens_total", labels] == 9


def test_cost_is_counted_in_nano_dollars_and_shown_in_dollars():
    telemetry = Telemetry()
    telemetry.cost.add(("acc", "default", "openai"), 2_500_000_000)
    labels = (("account", "acc"), ("gateway", "default"), ("provider", "openai"))
    assert samples(telemetry)["penstock_cost_usd_total", labels] == 2.5
    telemetry.saved_cost.add(("acc", "default"), 77_800)
    assert (
        samples(telemetry)["penstock_cache_saved_usd_total", (("account", "acc"), ("gateway", "default"))] == 7.78e-05
    )


def test_a_histogram_shows_cumulated_buckets():
    telemetry = Telemetry()
    for seconds in (0.0002, 0.02, 700.0):
        telemetry.call_duration.observe(seconds)
    found = samples(telemetry)
    name = "penstock_call_duration_seconds"
    assert [found[f"{name}_bucket", (("le", le),)] for le in ("0.001", "0.025", "600.0", "+Inf")] == [1, 2, 2, 3]
    assert found[f"{name}_count", ()] == 3
    assert found[f"{name}_sum", ()] == pytest.approx(700.0202)


@given(st.lists(st.floats(min_value=0, max_value=1000)))
def test_every_observation_is_in_exactly_one_bucket(observed):
    histogram = Histogram((0.1, 1.0, 10.0))
    for seconds in observed:
        histogram.observe(seconds)
    assert sum(histogram.counts) == len(observed)
    assert histogram.counts[0] == sum(seconds <= 0.1 for seconds in observed)
    assert histogram.counts[-1] == sum(seconds > 10.0 for seconds in observed)


def test_what_other_parts_know_is_read_when_asked():
    telemetry = Telemetry()
    held = [1]
    telemetry.watch("penstock_buffered_bytes", lambda: held[0])
    telemetry.watch("penstock_upstream_connections", lambda: {("idle",): 2, ("busy",): 3})
    telemetry.watch("penstock_log_rows_dropped_total", lambda: 4)
    held[0] = 7
    found = samples(telemetry)
    assert found["penstock_buffered_bytes", ()] == 7
    assert found["penstock_upstream_connections", (("state", "busy"),)] == 3
    assert found["penstock_log_rows_dropped_total", ()] == 4


def test_only_metrics_of_the_table_can_be_watched_and_only_once():
    telemetry = Telemetry()
    telemetry.watch("penstock_calls_in_flight", int)
    for name in ("penstock_colour", "penstock_calls_total", "penstock_calls_in_flight"):
        with pytest.raises(KeyError):
            telemetry.watch(name, int)


def test_every_metric_of_the_table_can_be_shown():
    telemetry = Telemetry()
    for row in METRICS:
        try:
            telemetry.watch(row.name, lambda row=row: {("x",) * len(row.labels): 1})
        except KeyError:
            continue  # counted by the process itself
    text = render(telemetry.report()).decode()
    for row in METRICS:
        assert f"# HELP {row.name} {row.help}\n# TYPE {row.name} {row.kind}\n" in text


def test_label_sets_are_bounded():
    counter = Counter()
    for number in range(SETS + 5):
        counter.add((str(number), "x"))
    assert len(counter.values) == SETS + 1
    assert counter.values["other", "other"] == 5


def test_no_account_takes_the_label_sets_of_others():
    counter = Counter(share=10)
    for number in range(50):
        counter.add(("greedy", str(number), "x"))
    counter.add(("small", "g", "x"))
    assert counter.values["greedy", "other", "other"] == 40
    assert counter.values["small", "g", "x"] == 1
    assert len(counter.values) == 12


def test_the_library_is_imported_by_need():
    code = (
        "import sys, penstock.core.telemetry as t, penstock.core.exposition as e;"
        "e.merge([t.Telemetry().report()]); sys.exit('prometheus_client' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
