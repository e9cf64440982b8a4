"""What one call asks of the gateway in its own headers (docs/endpoints.md)."""

import msgspec


class CustomCost(msgspec.Struct, frozen=True):
    """The caller's own prices, femto-dollars (10^-15): for one token each, or ``total`` for the whole call.

    None: not told. ``total`` stands alone: no rate counts beside it.
    """

    token_in: int | None = None
    token_out: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    total: int | None = None


class Retry(msgspec.Struct, frozen=True):
    """How often a provider is asked, all attempts counted, and how the wait between them grows.

    ``delay``: seconds; ``backoff``: constant, linear or exponential.
    """

    attempts: int = 1
    delay: float = 0.5
    backoff: str = "exponential"


ONCE = Retry()


class CallOptions(msgspec.Struct, frozen=True):
    """What holds for this call, the gateway's settings and the call's headers taken together."""

    log: bool  # a row is written
    payloads: bool  # and both bodies
    metadata: str | None = None  # a JSON object, for the row
    cost: CustomCost | None = None  # in the place of the price list
    cache_ttl: int = 0  # seconds that its answer is cached; 0: caching is not in effect
    cache_key: bytes | None = None  # the client's own, in the place of ours
    skip_cache: bool = False  # the answer is not read from the cache, but kept there
    retry: Retry = ONCE
    timeout: float | None = None  # seconds to an answer's first byte, for each attempt
    explain: bool = False  # the response says what decided
    byok_alias: str = ""  # of the stored key to be used; empty: the default
    no_wholesale: bool = False  # no key of the operator's
    zdr: bool = False  # the provider is asked not to keep the request, where a key of the operator's travels
    rolled: tuple[str, ...] = ()  # keys of the metadata that have roll-ups


UNADDRESSED = CallOptions(log=True, payloads=False)  # a call that reached no gateway: a row, and nothing of its body
