"""Decides which attempts are repeated, and after which wait (docs/retries.md). Pure."""

from penstock.core.errors import AddressRefused, ProviderFailure
from penstock.model.options import Retry
from penstock.model.reply import Reply

LONGEST = 60.0  # seconds between two attempts; a provider that asks for more is not tried again
STATUSES = frozenset({408, 409, 425, 429, 500, 502, 503, 504, *range(520, 525), 529})


def may_pass(outcome: Reply | ProviderFailure) -> bool:
    """Whether what went wrong may go well the next time."""
    if isinstance(outcome, Reply):
        return outcome.status in STATUSES
    return not isinstance(outcome, AddressRefused)


def forbids(should: bytes | None, asked: float | None, spent: str = "") -> str:
    """Why a provider's error is final; empty: it is not.

    ``should``: the header ``x-should-retry``; ``asked``: seconds that the provider asks to wait; ``spent``: the code by
    which it says that the account has nothing left.
    """
    if should is not None and should.strip().lower() == b"false":
        return "the provider says x-should-retry: false"
    if asked is not None and asked > LONGEST:
        return f"the provider asks to wait {asked:.0f} seconds, and at most {LONGEST:.0f} are waited"
    return f"the provider says {spent}" if spent else ""


def delay(retry: Retry, made: int, asked: float | None, chance: float) -> float:
    """Seconds to wait when so many attempts were made. ``asked``: by the provider; ``chance``: from 0 to 1.

    Between half and all of what the formula says, so that calls that failed together do not come again together; what
    the provider asks for holds where it is longer than that.
    """
    wait = min(LONGEST, retry.delay * _growth(retry.backoff, made))
    if asked is not None and wait < asked:
        return asked
    return wait * (0.5 + chance / 2)


def _growth(backoff: str, made: int) -> int:
    if backoff == "exponential":
        return 1 << (made - 1)
    return made if backoff == "linear" else 1
