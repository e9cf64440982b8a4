"""What usage costs: by the price list, or by the caller's own prices. Pure."""

import re
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import NamedTuple

from penstock.core.codec import DecodeError, Raw, decoder
from penstock.model.options import CustomCost
from penstock.model.usage import Usage, Used
from penstock.providers.kinds import CALL, FRESH_KINDS, INPUT_KINDS, OUTPUT_KINDS, READ_KINDS, RUN, WRITE_KINDS

FEMTO_PER_NANO = 1_000_000
LARGEST_COST = (1 << 62) - 1  # nano-dollars that the ranges of the log hold; a figure beyond is nobody's bill
LARGEST_RATE = 1_000  # dollars: what a caller may say that a token costs,
LARGEST_TOTAL = 1_000_000  # and a whole call


Rates = dict[str, int]
"""Femto-dollars (10^-15) for one of each kind (``kinds``): a $1 for a million tokens is 10^9 a token. A kind that
is not in it has no price that is known; ``call`` is charged for each call.
"""


class Vector(NamedTuple):
    """A model's price: ``tiers`` holds (input tokens, rates), descending.

    More input than a tier's first figure (cached tokens counted) puts the whole run of the model at its rates.
    """

    base: Rates
    tiers: tuple[tuple[int, Rates], ...] = ()


def cost(used: list[Used], vector: Vector) -> tuple[int | None, list[str]]:
    """Nano-dollars, half of one rounded up, and the kinds that have no price.

    None: there is such a kind, or the figure is absurd.
    """
    runs = _runs(used, vector) if vector.tiers else _ONE_RUN
    rates = runs.get((), vector.base)
    femto = rates.get(CALL, 0)
    unpriced: list[str] = []
    for kind, count, attributes in used:
        if not attributes:
            rate = rates.get(kind)
        else:
            rate = runs.get(attributes, vector.base).get(kind) if attributes[0][0] == RUN else None
        if rate is None:
            unpriced.append(kind)
        else:
            femto += count * rate
    return (None if unpriced else _nano(femto)), unpriced


_Attributes = tuple[tuple[str, str], ...]
_ONE_RUN: dict[_Attributes, Rates] = {}


def _runs(used: list[Used], vector: Vector) -> dict[_Attributes, Rates]:
    """The rates of each run, by its own input."""
    into: dict[_Attributes, int] = {}
    for kind, amount, attributes in used:
        if kind in INPUT_KINDS:
            into[attributes] = into.get(attributes, 0) + amount
    return {
        run: next((rates for start, rates in vector.tiers if total > start), vector.base) for run, total in into.items()
    }


def custom_cost(usage: Usage | None, custom: CustomCost) -> int | None:
    """The same by the caller's prices (specification of features, 9.11).

    Without a cache rate, the provider's two main figures alone are priced, and what stands beside its output; with
    one, the other is that of plain input, and the input is what was neither read from nor written to a cache.
    ``total`` needs no usage.
    """
    if custom.total is not None:
        return _nano(custom.total)
    if usage is None:
        return None
    fresh, read, written, out = (
        sum(amount for kind, amount, _ in usage.used if kind in kinds)
        for kinds in (FRESH_KINDS, READ_KINDS, WRITE_KINDS, OUTPUT_KINDS)
    )
    rate_in, rate_read, rate_written = custom.token_in, custom.cache_read, custom.cache_write
    if rate_read is None and rate_written is None:
        counts = ((usage.tokens_in or 0, rate_in), (out, custom.token_out))
    else:
        counts = (
            (fresh, rate_in),
            (out, custom.token_out),
            (read, rate_in if rate_read is None else rate_read),
            (written, rate_in if rate_written is None else rate_written),
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
