"""Moments as they are written at the command line: ``90m``, ``24h``, ``7d``, ``4w`` ago, or ISO 8601."""

import re

from penstock.core import instants
from penstock.core.errors import Invalid

_AGO = re.compile(r"(\d{1,6})\s*([smhdw])", re.ASCII)
_UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}


def moment(text: str, flag: str, now: int | None = None) -> int:
    """Milliseconds since the epoch. Raises Invalid, which names the flag."""
    if found := _AGO.fullmatch(text.strip()):
        now = instants.now() if now is None else now
        return max(0, now - int(found[1]) * _UNITS[found[2]])
    try:
        return max(0, instants.parse(text.strip().upper()))
    except ValueError:
        raise Invalid(f"{flag}: must be a time ago, as 90m, 24h or 7d, or ISO 8601, as 2024-01-31") from None
