"""Units a provider reported for one answer."""

import msgspec


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tokens of one answer, as reported; ``raw`` is the provider's own usage object, verbatim.

    ``tokens_in`` and ``tokens_out`` are the provider's two main figures, unchanged. How cached tokens relate to
    ``tokens_in`` differs by dialect, so ``fresh_in`` is the part of the input that was neither read from nor written
    to a provider's cache, already worked out (specification of features, 9.11).
    """

    tokens_in: int = 0
    tokens_out: int = 0
    fresh_in: int = 0
    cache_read: int = 0
    cache_write: int = 0  # all cache writes; those kept for an hour are also in cache_write_1h
    cache_write_1h: int = 0
    reasoning_out: int = 0  # part of tokens_out
    audio_in: int = 0  # part of the input
    audio_out: int = 0  # part of tokens_out
    web_searches: int = 0  # searches the provider ran and bills beside the tokens
    raw: bytes = b""


class Reported(msgspec.Struct, frozen=True):
    """What an answer said of itself: the model that answered (may be empty) and its usage, if it said."""

    model: str
    usage: Usage | None
    error: bool = False  # a 2xx answer that carries an error body or error event instead of an answer
    tier: str = ""  # what sets another price than the model's standard one, as "service_tier=flex"; empty: nothing
    complete: bool = True  # False: it ended without its dialect's own end, whatever HTTP said; not to be kept


class Asked(msgspec.Struct, frozen=True):
    """What a request body asks for, as far as the line must know it."""

    model: str = ""
    stream: bool = False
    wants_usage: bool = False  # a stream whose client asked for the usage frame, or whose dialect always sends it
