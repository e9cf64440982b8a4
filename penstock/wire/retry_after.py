"""When a provider says that another try may succeed."""

import re
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

_NUMBER = re.compile(rb"\s*(\d{1,9}(?:\.\d{1,9})?)\s*")


def retry_after(header: Callable[[bytes], bytes | None], now: int) -> float | None:
    """Seconds to wait by ``retry-after-ms`` (milliseconds) or ``retry-after`` (seconds, or a date). None: it does not
    say, or nothing that can be understood.

    ``header`` gives a header's value by its lower-case name; ``now``: milliseconds since the epoch.
    """
    if (value := header(b"retry-after-ms")) is not None and (match := _NUMBER.fullmatch(value)) is not None:
        return float(match[1]) / 1000
    value = header(b"retry-after")
    if value is None:
        return None
    if (match := _NUMBER.fullmatch(value)) is not None:
        return float(match[1])
    try:
        at = parsedate_to_datetime(value.decode("ascii"))
        seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()  # asctime's form names no zone
    except (ValueError, OverflowError):  # UnicodeDecodeError is a ValueError
        return None
    return max(0.0, seconds - now / 1000)
