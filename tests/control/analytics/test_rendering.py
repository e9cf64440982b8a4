import pytest

from penstock.control.analytics.rendering import percentile, shown
from penstock.storage.log.measures import BOUNDS, HISTOGRAMS, taken
from tests.kit.logsink import a_record


def buckets(*durations):
    whole = HISTOGRAMS[0].take([a_record(duration=duration) for duration in durations])
    return whole[1:]


@pytest.mark.parametrize(
    ("durations", "share", "expected"),
    [
        ((), 50, None),
        ((60,), 50, 75.0),  # in the middle of 50 to 100
        ((5, 5, 5, 5), 50, 5.0),
        ((5, 5, 150, 150), 50, 10.0),
        ((5, 5, 150, 150), 75, 150.0),
        ((10**9,), 99, float(BOUNDS[-1])),
        ((*[20] * 99, 700), 99, 25.0),
    ],
)
def test_percentiles_lie_within_their_buckets(durations, share, expected):
    assert percentile(buckets(*durations), share) == expected


def test_nothing_is_told_as_nothing():
    sums = shown({})
    assert sums["calls"] == 0
    assert sums["latency"] == dict.fromkeys(("average", "p50", "p90", "p95", "p99"))


def test_every_measure_is_shown():
    assert len(taken([])) == 10 + 2 * (1 + len(BOUNDS) + 1)
    assert shown({"cost": 5, "charge": 10**9})["charge"] == 1.0
