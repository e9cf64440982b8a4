"""What becomes of prices before they are used: one laid over another, a factor, and the defaults. Pure."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from penstock.providers.kinds import OUTPUT, REASONING, TOKENS
from penstock.providers.pricing import Rates, Vector


def over(under: Vector | None, upper: Vector) -> Vector:
    """``upper`` laid over ``under``, rate by rate: what it gives counts in every tier of the other."""
    if under is None:
        return upper
    starts = sorted({start for start, _ in (*under.tiers, *upper.tiers)}, reverse=True)
    return Vector(
        under.base | upper.base,
        tuple((start, rates_above(under, start) | rates_above(upper, start)) for start in starts),
    )


def rates_above(vector: Vector, start: int) -> Rates:
    """The rates of a call with more input than ``start``."""
    return next((rates for tier, rates in vector.tiers if tier <= start), vector.base)


def multiplied(vector: Vector, factor: Decimal) -> Vector:
    """The same with the rates of tokens, but not the fees, multiplied."""
    if factor == 1:
        return vector
    return _each(
        vector, lambda rates: {kind: round(rate * factor) if kind in TOKENS else rate for kind, rate in rates.items()}
    )


def completed(vector: Vector, like: Mapping[str, str]) -> Vector:
    """With the rates of kinds that cost what another does, where they have none of their own."""
    return _each(vector, lambda rates: _completed(rates, like))


def _completed(rates: Rates, like: Mapping[str, str]) -> Rates:
    added: Rates = {}
    if OUTPUT in rates:
        added[REASONING] = rates[OUTPUT]  # it is output
        if "input_image" in rates:  # a model of images: its output is images
            added["output_image"] = rates[OUTPUT]
    added |= {kind: rates[other] for kind, other in like.items() if other in rates}
    return added | rates


def _each(vector: Vector, change: Callable[[Rates], Rates]) -> Vector:
    return Vector(change(vector.base), tuple((start, change(rates)) for start, rates in vector.tiers))
