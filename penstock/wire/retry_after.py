"""What a provider's error says of another try: when it may succeed, or that none will."""

import re
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

_NUMBER = re.compile(rb"\s*(\d{1,18}(?:\.\d{1,9})?)\s*")
_DELAY = re.compile(rb'"retryDelay"\s*:\s*"(\d{1,18}(?:\.\d{1,9})?)s"')
_SPENT = re.compile(
    rb'"(?:code|type|status)"\s*:\s*"((?:insufficient_(?:quota|balance|credits?|funds))|billing_hard_limit_reached'
    rb'|billing_not_active|billing_error|exceeded_current_quota_error|account_deactivated|out_of_credits)"'
    rb"|(used all available credits)",  # xAI says it in words alone
    re.IGNORECASE,
)


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


def retry_delay(body: bytes) -> float | None:
    """Seconds to wait, as Google's APIs say it in the body of an error (``google.rpc.RetryInfo``)."""
    found = _DELAY.search(body)
    return float(found[1]) if found is not None else None


def spent(body: bytes) -> str:
    """The code, or words, by which an error says that the account has nothing left, so that waiting does not help."""
    found = _SPENT.search(body)
    return (found[1] or found[2]).decode() if found is not None else ""
