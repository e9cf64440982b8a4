"""Where the rates of a price come from: the operator's file, the list, or another rate. Pure."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from penstock.providers.kinds import OUTPUT, TOKENS
from penstock.providers.prices import Price
from penstock.providers.vectors import rates_above


class Line(NamedTuple):
    """One rate: femto-dollars for one of ``kind``, of a call with more than ``above`` tokens of input.

    ``entry``: of the file, from 1; 0: it is not from there. ``since``: the date that file or list gives it, in
    milliseconds; 0: none. ``like``: the kind whose rate it has, where it has none of its own.
    """

    above: int
    kind: str
    rate: int
    entry: int
    since: int
    like: str

    @property
    def is_tokens(self) -> bool:
        """Whether it is a kind of tokens, not of units."""
        return self.kind in TOKENS

    @property
    def dollars(self) -> float:
        """For a million tokens, or for one unit."""
        return self.rate / 10**9 if self.is_tokens else self.rate / 10**15


def lines(price: Price, like: Mapping[str, str]) -> Iterator[Line]:
    """The rates of a price that is known. ``like`` as in the provider's row."""
    vector = price.vector
    assert vector is not None
    for above in (0, *sorted(start for start, _ in vector.tiers)):
        rates = rates_above(vector, above)
        for kind, rate in sorted(rates.items(), key=lambda told: (told[0] not in TOKENS, told[0])):
            other = "" if _source(price, kind, above) else like.get(kind, OUTPUT)
            entry, since = _source(price, other or kind, above) or (0, 0)
            yield Line(above, kind, rate, entry, since, other)


def _source(price: Price, kind: str, above: int) -> tuple[int, int] | None:
    """The entry that has a rate of this kind, 0 for the list, and since when; None: neither has one."""
    if price.own is not None and kind in rates_above(price.own.vector, above):
        return price.own.number, price.own.since
    listed = price.listed
    if listed is not None and listed.vector is not None and kind in rates_above(listed.vector, above):
        return 0, listed.dated
    return None
