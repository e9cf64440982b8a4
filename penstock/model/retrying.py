"""What is tried again, and after which wait (specification of the data plane, 5). Pure."""

from penstock.core.errors import AddressRefused, ProviderFailure
from penstock.model.options import Retry
from penstock.model.reply import Reply

LONGEST = 60.0  # seconds between two attempts, also where a provider asks for them
STATUSES = frozenset({408, 409, 425, 429, 500, 502, 503, 504, *range(520, 525), 529})


def may_pass(outcome: Reply | ProviderFailure) -> bool:
    """Whether what went wrong may go well the next time."""
    if isinstance(outcome, Reply):
        return outcome.status in STATUSES
    return not isinstance(outcome, AddressRefused)


def delay(retry: Retry, made: int, asked: float | None, chance: float) -> float:
    """Seconds to wait when so many attempts were made. ``asked``: by the provider; ``chance``: from 0 to 1.

    Between half and all of what the formula says, so that calls that failed together do not come again together; what
    the provider asks for holds where it is longer than that, and not longer than a minute.
    """
    wait = min(LONGEST, retry.delay * _growth(retry.backoff, made))
    if asked is not None and wait < asked <= LONGEST:
        return asked
    return wait * (0.5 + chance / 2)


def _growth(backoff: str, made: int) -> int:
    if backoff == "exponential":
        return 1 << (made - 1)
    return made if backoff == "linear" else 1
