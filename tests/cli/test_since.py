import pytest

from penstock.cli.since import moment
from penstock.core.errors import Invalid

DAY = 86_400_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", 10 * DAY - 90 * 60_000),
        ("24h", 9 * DAY),
        ("1w", 3 * DAY),
        ("9999w", 0),
        ("1970-01-03", 2 * DAY),
        ("1970-01-03t01:00:00z", 2 * DAY + 3_600_000),
    ],
)
def test_times_ago_and_dates(text: str, expected: int):
    assert moment(text, "--since", 10 * DAY) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "5", "1y", "-3d", "٣d"])
def test_anything_else_is_refused_by_the_flags_name(text: str):
    with pytest.raises(Invalid, match="--since"):
        moment(text, "--since")
