"""What decided about a call, in one response header, for a client that asks (``cf-aig-explain: 1``).

The same stands in the call's log row, with the figures of its end.
"""

import msgspec

from penstock.core.codec import encode
from penstock.model.decision import Decisions
from penstock.model.exchange import Exchange
from penstock.model.plan import Attempt

_LONG = 200  # characters of a reason: proxies refuse long headers, and the whole answer with them


class Try(msgspec.Struct, omit_defaults=True):
    """One attempt, without ``host`` and ``reason``: where a provider is reached is not for its callers to know."""

    provider: str
    ms: float
    step: int = 0
    waited: float | None = None  # milliseconds before it
    status: int | None = None
    error: str = ""


class Explanation(msgspec.Struct, omit_defaults=True):
    """Decisions about the step that answered, and milliseconds until its head was sent: at the provider, and here."""

    upstream_ms: float
    own_ms: float
    decisions: Decisions
    attempts: list[Try] = []


def explained(ex: Exchange, now: float) -> bytes:
    """The header's value, JSON in ASCII. ``now``: monotonic, when the head goes out."""
    attempts = [(step.index, attempt) for step in ex.steps for attempt in step.attempts]
    upstream = sum(attempt.duration for _, attempt in attempts)
    waited = sum(step.waited for step in ex.steps)
    own = max(0.0, (now - ex.started - waited) * 1000 - upstream)
    tries = [_try(index, attempt) for index, attempt in attempts]
    return _ascii(encode(Explanation(round(upstream, 3), round(own, 3), ex.step.decisions, tries)))


def _try(step: int, attempt: Attempt) -> Try:
    waited, error = attempt.waited, attempt.error or ""
    waited = None if waited is None else round(waited, 3)
    return Try(attempt.provider, round(attempt.duration, 3), step, waited, attempt.status, error[:_LONG])


def _ascii(value: bytes) -> bytes:
    """JSON without a byte that a header may not hold."""
    if value.isascii():
        return value
    return b"".join(_unit(sign) for sign in value.decode())


def _unit(sign: str) -> bytes:
    if sign.isascii():
        return sign.encode()
    pair = sign.encode("utf-16-be")
    return b"".join(b"\\u%02x%02x" % (pair[at], pair[at + 1]) for at in range(0, len(pair), 2))
