"""How a call ended."""

from enum import Enum


class Outcome(str, Enum):
    """Exactly one of these for every call; the value is what the log and the metrics show."""

    ANSWERED = "answered"  # the provider's (or the cache's) answer went out whole, whatever its status
    REFUSED = "refused"  # the caller's mistake or the gateway's refusal
    FAILED = "failed"  # no provider answered
    BROKEN = "broken"  # the answer broke off after its head
    CLIENT_GONE = "client_gone"  # the client left before the end
    CANCELLED = "cancelled"  # the process stopped before the end
    BUG = "bug"  # our fault
