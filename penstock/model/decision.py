"""What decided about a call, as its log row and the header ``cf-aig-explain`` tell it."""

import msgspec

HIT, MISS = "HIT", "MISS"


class LimitDecision(msgspec.Struct, omit_defaults=True):
    """A rate limit that was in effect. ``used``: places taken, this call's included where it was let in.

    ``by``: who counted: ``memory``, ``redis``, or what was done while Redis was away: ``count``, ``allow``, ``refuse``.
    ``retry_after``: seconds until there is a place; only where there was none.
    """

    technique: str
    interval: int
    limit: int
    used: int
    by: str
    retry_after: float | None = None


class CacheDecision(msgspec.Struct, omit_defaults=True):
    """Caching that was in effect. ``status``: HIT or MISS; ``key``: hexadecimal.

    A hit has its ``age`` in seconds, and what it saved: tokens, and US dollars where the price was known.
    ``shared``: it came from a call that was still running.
    """

    status: str
    key: str
    ttl: int
    age: float | None = None
    shared: bool = False
    skipped: bool = False  # the client wanted no answer of the cache
    saved_tokens_in: int = 0
    saved_tokens_out: int = 0
    saved_cost: float | None = None
