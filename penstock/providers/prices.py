"""The prices of genai-prices' bundled data, as integer vectors.

The package is imported when the first price is asked for (a third of a second: call ``load`` in a thread beforehand).
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.providers.catalog import Provider
from penstock.providers.pricing import Rates, Vector

if TYPE_CHECKING:
    from genai_prices import types

SEEN = 4096  # models remembered; beyond, all are forgotten and looked up anew
_DAY = 86_400_000
_ALWAYS = 1 << 62
_FEMTO_PER_MTOK = Decimal(10**9)  # femto-dollars a token, for a dollar a million tokens
_FEMTO_PER_K = Decimal(10**12)  # the same for a dollar a thousand searches or calls


class _Seen(NamedTuple):
    """A price and the time, in milliseconds, from and until which it holds."""

    vector: Vector | None
    since: int
    until: int


class PriceBook:
    """Prices by our provider names (ids and aliases of the catalogue) and any spelling of a model's name."""

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self._sources = {slug: provider.prices for slug, provider in providers.items() if provider.prices}
        self._books: dict[str, types.Provider] | None = None
        self._seen: dict[tuple[str, str, str], _Seen] = {}

    def load(self) -> None:
        """Imports the data."""
        if self._books is None:
            from genai_prices.data import providers  # noqa: PLC0415  by need

            self._books = {provider.id: provider for provider in providers}

    def price(self, provider: str, model: str, at_ms: int, tier: str = "") -> Vector | None:
        """The price at a time (milliseconds since the epoch); None where none is known.

        ``tier`` as in ``Reported``: one that sets no other price changes nothing.
        """
        seen = self._seen.get((provider, model, tier))
        if seen is None or not seen.since <= at_ms < seen.until:
            if len(self._seen) >= SEEN:
                self._seen.clear()
            seen = self._seen[provider, model, tier] = self._find(provider, model, at_ms, tier)
        return seen.vector

    def _find(self, provider: str, model: str, at_ms: int, tier: str) -> _Seen:
        source = self._sources.get(provider)
        if source is None or not model:
            return _Seen(None, 0, _ALWAYS)
        self.load()
        assert self._books is not None
        book = self._books[source]
        info = book.find_model(model, all_providers=list(self._books.values()))
        if info is None:
            return _Seen(None, 0, _ALWAYS)
        # another provider's model has the standard price only
        context = dict([tier.split("=", 1)]) if tier and any(info is own for own in book.models) else None
        prices = info.get_prices(datetime.fromtimestamp(at_ms / 1000, UTC), context)
        changes = list(_changes(info, at_ms))
        since = max((change for change in changes if change <= at_ms), default=0)
        until = min((change for change in changes if change > at_ms), default=_ALWAYS)
        return _Seen(_vector(prices.__dict__), since, until)


def _changes(info: "types.ModelInfo", at_ms: int) -> Iterator[int]:
    """The times at which a model's price may change, those around ``at_ms`` for one that changes daily."""
    from genai_prices.types import ModelPrice, StartDateConstraint, TimeOfDateConstraint  # noqa: PLC0415  by need

    conditional = [] if isinstance(info.prices, ModelPrice) else info.prices
    for price in (*conditional, *(info.price_variants or ())):
        match price.constraint:
            case StartDateConstraint(start_date=day):
                yield int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
            case TimeOfDateConstraint(start_time=start, end_time=end):
                for moment in (_in_day(start), _in_day(end)):
                    for day in (-1, 0, 1):
                        yield (at_ms // _DAY + day) * _DAY + moment
            case None:
                pass


def _in_day(moment: time) -> int:
    """A time of day in milliseconds after midnight, UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    at = datetime.combine(datetime(2000, 1, 2, tzinfo=UTC), moment).astimezone(UTC)
    return int(at.timestamp() * 1000) % _DAY


def _vector(prices: Mapping[str, Any]) -> Vector | None:
    """None for a model that is not priced by the token."""
    if prices.get("input_mtok") is None and prices.get("output_mtok") is None:
        return None
    starts = {tier.start for price in prices.values() if price is not None for tier in getattr(price, "tiers", ())}
    tiers = tuple((start, _rates(prices, start)) for start in sorted(starts, reverse=True))
    return Vector(_rates(prices, -1), tiers)


def _rates(prices: Mapping[str, Any], above: int) -> Rates:
    """The rates for more than ``above`` input tokens."""

    def rate(key: str, unit: Decimal, inherited: int | None) -> int | None:
        price = prices.get(key)
        if price is None:
            return inherited
        if not isinstance(price, Decimal):
            price = next((tier.price for tier in reversed(price.tiers) if tier.start <= above), price.base)
        return round(price * unit)

    def token(key: str, inherited: int | None = None) -> int | None:
        return rate(key, _FEMTO_PER_MTOK, inherited)

    fresh, out = token("input_mtok"), token("output_mtok")
    written = token("cache_write_mtok", fresh)
    return Rates(
        fresh_in=fresh,
        out=out,
        cache_read=token("cache_read_mtok", fresh),
        cache_write=token("cache_write_5m_mtok", written),
        cache_write_1h=token("cache_write_1h_mtok", written),
        audio_in=token("input_audio_mtok", fresh),
        audio_out=token("output_audio_mtok", out),
        reasoning_out=token("output_reasoning_mtok", out),
        web_search=rate("web_searches_kcount", _FEMTO_PER_K, 0) or 0,
        call=rate("requests_kcount", _FEMTO_PER_K, 0) or 0,
    )
