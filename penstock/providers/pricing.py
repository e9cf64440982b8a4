"""What usage costs. Pure."""

from typing import NamedTuple

from penstock.model.usage import Usage

FEMTO_PER_NANO = 1_000_000


class Rates(NamedTuple):
    """Femto-dollars (10^-15) for one token, one search, one call. A $1 for a million tokens is 10^9 a token.

    Where the provider has no price of its own for a kind of token, it has that of the kind it is part of. None: no
    price is known.
    """

    fresh_in: int | None
    out: int | None
    cache_read: int | None
    cache_write: int | None
    cache_write_1h: int | None
    audio_in: int | None
    audio_out: int | None
    reasoning_out: int | None
    web_search: int = 0
    call: int = 0


class Vector(NamedTuple):
    """A model's price: ``tiers`` holds (input tokens, rates), descending.

    More input than a tier's first figure (cached tokens counted) puts the whole call at its rates.
    """

    base: Rates
    tiers: tuple[tuple[int, Rates], ...] = ()


def cost(usage: Usage | None, vector: Vector | None) -> int | None:
    """Nano-dollars, half of one rounded up; None where the usage, the price or a part of the price is not known.

    Input audio is taken to be fresh, as providers do not tell what part of it was cached.
    """
    if usage is None or vector is None:
        return None
    rates = vector.base
    if vector.tiers:
        total_in = usage.fresh_in + usage.cache_read + usage.cache_write
        for start, tier in vector.tiers:
            if total_in > start:
                rates = tier
                break
    audio_in = min(usage.audio_in, usage.fresh_in)
    apart = usage.audio_out + usage.reasoning_out
    audio_out, reasoning = (usage.audio_out, usage.reasoning_out) if apart <= usage.tokens_out else (0, 0)
    femto = rates.web_search * usage.web_searches + rates.call
    for count, rate in (
        (usage.fresh_in - audio_in, rates.fresh_in),
        (usage.tokens_out - audio_out - reasoning, rates.out),
        (usage.cache_read, rates.cache_read),
        (usage.cache_write - usage.cache_write_1h, rates.cache_write),
        (usage.cache_write_1h, rates.cache_write_1h),
        (audio_in, rates.audio_in),
        (audio_out, rates.audio_out),
        (reasoning, rates.reasoning_out),
    ):
        if count:
            if rate is None:
                return None
            femto += count * rate
    return (femto + FEMTO_PER_NANO // 2) // FEMTO_PER_NANO
