"""What usage costs: by the price list, or by the caller's own prices. Pure."""

import re
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import NamedTuple

from penstock.core.codec import DecodeError, Raw, decoder
from penstock.model.options import CustomCost
from penstock.model.usage import Usage

FEMTO_PER_NANO = 1_000_000
LARGEST_COST = (1 << 62) - 1  # nano-dollars that the ranges of the log hold; a figure beyond is nobody's bill
LARGEST_RATE = 1_000  # dollars: what a caller may say that a token costs,
LARGEST_TOTAL = 1_000_000  # and a whole call


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
    """Nano-dollars, half of one rounded up; None where the usage, the price or a part of the price is not known, or the
    figure is absurd.

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
    return _nano(femto)


def custom_cost(usage: Usage | None, custom: CustomCost) -> int | None:
    """The same by the caller's prices (specification of features, 9.11).

    Without a cache rate, the provider's two main figures alone are priced; with one, the other is that of plain input,
    and the input is what was neither read from nor written to a cache. ``total`` needs no usage.
    """
    if custom.total is not None:
        return _nano(custom.total)
    if usage is None:
        return None
    rate_in, read, write = custom.token_in, custom.cache_read, custom.cache_write
    if read is None and write is None:
        counts = ((usage.tokens_in, rate_in), (usage.tokens_out, custom.token_out))
    else:
        counts = (
            (usage.fresh_in, rate_in),
            (usage.tokens_out, custom.token_out),
            (usage.cache_read, rate_in if read is None else read),
            (usage.cache_write, rate_in if write is None else write),
        )
    femto = 0
    for count, rate in counts:
        if count:
            if rate is None:
                return None
            femto += count * rate
    return _nano(femto)


def read_custom(value: bytes) -> CustomCost:
    """What ``cf-aig-custom-cost`` says: a JSON object of numbers, dollars, each rounded to the femto-dollar.

    Raises ValueError saying what is wrong. Members of other names are skipped, and null is as absent.
    """
    try:
        given = _members(value)
    except DecodeError:
        raise ValueError("it is not a JSON object in UTF-8") from None
    femto: dict[str, int] = {}
    for member, (field, largest) in _CUSTOM.items():
        if (raw := bytes(given.get(member, _NULL))) != b"null":
            femto[field] = _femto(raw, member, largest)
    if not femto:
        raise ValueError(f"it has none of {', '.join(_CUSTOM)}")
    return CustomCost(**femto)


_members = decoder(dict[str, Raw]).decode
_NULL = Raw(b"null")
_CUSTOM = {
    "per_token_in": ("token_in", LARGEST_RATE),
    "per_token_out": ("token_out", LARGEST_RATE),
    "per_cache_read_token": ("cache_read", LARGEST_RATE),
    "per_cache_write_token": ("cache_write", LARGEST_RATE),
    "total_cost": ("total", LARGEST_TOTAL),
}
_NUMBER = re.compile(rb"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,9})?")
_PRECISE = Context(prec=40)
_ONE_FEMTO = Decimal("1e-15")


def _femto(raw: bytes, member: str, largest: int) -> int:
    if len(raw) > _DIGITS or not _NUMBER.fullmatch(raw):
        raise ValueError(f"{member} is not a number")
    dollars = Decimal(raw.decode())
    if not 0 <= dollars <= largest:
        raise ValueError(f"{member} is not between 0 and {largest}")
    return int(dollars.quantize(_ONE_FEMTO, ROUND_HALF_UP, _PRECISE).scaleb(15, _PRECISE))


_DIGITS = 64  # of a number; more make no difference to a femto-dollar


def _nano(femto: int) -> int | None:
    nano = (femto + FEMTO_PER_NANO // 2) // FEMTO_PER_NANO
    return nano if nano <= LARGEST_COST else None
