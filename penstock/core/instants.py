"""Points in time: milliseconds since the epoch inside, ISO 8601 in UTC outside."""

import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLI = timedelta(milliseconds=1)


def now() -> int:
    """The time of day; it may step back."""
    return time.time_ns() // 1_000_000


def text(millis: int) -> str:
    """``2026-11-20T12:00:00.000Z``."""
    return (_EPOCH + timedelta(milliseconds=millis)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(value: str) -> int:
    """Reads ISO 8601, also a date alone; without an offset it is UTC. Raises ValueError."""
    try:
        found = datetime.fromisoformat(value)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError as error:  # in UTC it would lie before the year 1 or after 9999
        raise ValueError(f"out of range: {value!r}") from error
    return (found - _EPOCH) // _MILLI
