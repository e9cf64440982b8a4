"""The prices of genai-prices' bundled data and, over them, the operator's own, as integer vectors.

The package is imported when the first price is asked for (a third of a second: call ``load`` in a thread beforehand).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from decimal import Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.providers.accounting import UsageRow
from penstock.providers.catalog import Provider
from penstock.providers.kinds import (
    AUDIO_SECONDS,
    CACHE_READ,
    CACHE_WRITE,
    CACHE_WRITE_1H,
    CALL,
    CHARACTERS,
    CITATIONS,
    FILE_SEARCH,
    INPUT,
    OUTPUT,
    REASONING,
    TOKENS,
    WEB_SEARCH,
)
from penstock.providers.own_prices import NONE, OwnPrice, OwnPrices
from penstock.providers.pricing import Rates, Vector
from penstock.providers.vectors import completed, multiplied, over

if TYPE_CHECKING:
    from genai_prices import types

STANDARD = frozenset(  # terms that set no other price, whoever tells them
    {
        *("service_tier=default", "service_tier=auto", "service_tier=standard"),
        *("speed=standard", "latency=standard", "inference_geo=global", "inference_geo=not_available"),
    }
)
PICTURES = ("quality=", "size=")  # terms that set another price only where an entry of the operator's names them
SEEN = 4096  # models remembered; beyond, all are forgotten and looked up anew
_DAY = 86_400_000
_ALWAYS = 1 << 62
_PLAIN = UsageRow()
FEMTO_PER_MTOK = Decimal(10**9)  # femto-dollars a token, for a dollar a million tokens
_FEMTO_PER_K = Decimal(10**12)  # the same for a dollar a thousand searches or calls
_UNITS = {  # the same for a dollar an hour, where seconds are counted, and a million characters
    "audio_hours": Decimal(10**15) / 3600,
    "input_audio_hours": Decimal(10**15) / 3600,
    "input_mchars": Decimal(10**9),
}
_SAME = {("service_tier", "batch"): ("processing", "batch")}  # terms that the list has under another name


class Price(NamedTuple):
    """A price and the time, in milliseconds, from and until which it holds. ``own``: the operator's entry in it, and
    ``listed``: what the list has, as it stands there, where ``dated`` is the date that the list gives it; 0: none.
    """

    vector: Vector | None
    since: int = 0
    until: int = _ALWAYS
    own: OwnPrice | None = None
    listed: "Price | None" = None
    dated: int = 0


class PriceBook:
    """Prices by our provider names (ids and aliases of the catalogue) and any spelling of a model's name.

    ``own``: the operator's, which go over the list's rate by rate. ``version`` names the prices: another one may price
    otherwise.
    """

    def __init__(self, providers: Mapping[str, Provider], own: OwnPrices = NONE) -> None:
        self.version = f"genai-prices {version('genai-prices')}{own.version}"
        self._rows = providers
        self._own = own
        self._books: dict[str, types.Provider] | None = None
        self._seen: dict[tuple[str, str, tuple[str, ...]], Price] = {}

    @property
    def file(self) -> str:
        """What the file of the operator's prices is called; empty: there is none."""
        return self._own.file

    def load(self) -> None:
        """Imports the data."""
        if self._books is None:
            from genai_prices.data import providers  # noqa: PLC0415  by need

            self._books = {provider.id: provider for provider in providers}

    def models(self, provider: str) -> list[str]:
        """Names of a provider's models: of the list, those out of service aside, and of the operator's prices."""
        row = self._rows.get(provider)
        names = dict.fromkeys(self._own.models(row.id if row else provider))
        if row is not None and row.prices:
            self.load()
            assert self._books is not None
            its = re.compile(row.listed)
            for model in self._books[row.prices].models:
                if not model.deprecated and not model.id.endswith("-") and its.fullmatch(model.id):
                    names[model.id] = None
        return [*names]

    def price(self, provider: str, model: str, at_ms: int, terms: tuple[str, ...] = ()) -> Vector | None:
        """The price at a time (milliseconds since the epoch); None where none is known.

        ``terms`` as in ``Usage``: each has a price of its own, a factor, or is a standard one.
        """
        seen = self._seen.get((provider, model, terms))
        if seen is None or not seen.since <= at_ms < seen.until:
            if len(self._seen) >= SEEN:
                self._seen.clear()
            seen = self._seen[provider, model, terms] = self.find(provider, model, at_ms, terms)
        return seen.vector

    def find(self, provider: str, model: str, at_ms: int, terms: tuple[str, ...] = ()) -> Price:
        """The same anew, with where it comes from."""
        row = self._rows.get(provider)
        usage = _PLAIN if row is None else row.usage
        model = model.removeprefix(usage.publisher)
        if not model:
            return Price(None)
        free = frozenset(term for term in terms if term.startswith(PICTURES))
        told = tuple(term for term in terms if term not in free)
        listed = self._listed(row, model, at_ms, told) if row is not None and row.prices else Price(None)
        special = frozenset(term for term in terms if term not in STANDARD and term not in usage.standard)
        entries = self._own.find(row.id if row else provider, model, special, free.union(usage.factors))
        own = next((entry for entry in reversed(entries) if entry.since <= at_ms), None)
        changes = [entry.since for entry in entries]
        vector = listed.vector
        if own is not None:
            vector = over(vector, multiplied(own.vector, _product(special - own.when - free, usage)))
        return Price(
            None if vector is None else completed(vector, usage.like),
            max([listed.since, *(change for change in changes if change <= at_ms)]),
            min([listed.until, *(change for change in changes if change > at_ms)]),
            own,
            listed,
        )

    def _listed(self, row: Provider, model: str, at_ms: int, terms: tuple[str, ...]) -> Price:
        """What the list has."""
        self.load()
        assert self._books is not None
        book = self._books[row.prices]
        info = book.find_model(model, all_providers=list(self._books.values()))
        if info is None:
            return Price(None)
        # another provider's model has the standard price only
        variants = (info.price_variants or ()) if any(info is own for own in book.models) else ()
        context, factor = _judged(terms, {pair for variant in variants for pair in variant.when.items()}, row.usage)
        if context is None:
            return Price(None)
        prices = info.get_prices(datetime.fromtimestamp(at_ms / 1000, UTC), context or None)
        changes = list(_changes(info, at_ms))
        since = max((change for change in changes if change <= at_ms), default=0)
        until = min((change for change in changes if change > at_ms), default=_ALWAYS)
        return Price(_vector(prices.__dict__, factor), since, until, dated=_dated(info, prices))


def _product(terms: frozenset[str], usage: UsageRow) -> Decimal:
    factor = Decimal(1)
    for term in terms:
        factor *= Decimal(usage.factors[term])
    return factor


def _judged(
    terms: tuple[str, ...], priced: set[tuple[str, str]], row: UsageRow
) -> tuple[dict[str, str] | None, Decimal]:
    """The terms that have a price of their own, and the factor of the others; None: there is one of no known price."""
    context: dict[str, str] = {}
    factor = Decimal(1)
    for term in terms:
        name, _, value = term.partition("=")
        if (name, value) not in priced:
            name, value = _SAME.get((name, value), (name, value))
        if (name, value) in priced:
            context[name] = value
        elif term in row.factors:
            factor *= Decimal(row.factors[term])
        elif term not in STANDARD and term not in row.standard:
            return None, factor
    return context, factor


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


def _dated(info: "types.ModelInfo", prices: "types.ModelPrice") -> int:
    """The date from which the list has these prices, in milliseconds; 0: it has no date."""
    from genai_prices.types import ModelPrice, StartDateConstraint  # noqa: PLC0415  by need

    conditional = [] if isinstance(info.prices, ModelPrice) else info.prices
    for one in (*conditional, *(info.price_variants or ())):
        if one.prices is prices and isinstance(one.constraint, StartDateConstraint):
            day = one.constraint.start_date
            return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
    return 0


def _in_day(moment: time) -> int:
    """A time of day in milliseconds after midnight, UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    at = datetime.combine(datetime(2000, 1, 2, tzinfo=UTC), moment).astimezone(UTC)
    return int(at.timestamp() * 1000) % _DAY


def _vector(prices: Mapping[str, Any], factor: Decimal) -> Vector | None:
    """None for a model that is priced by nothing that is counted."""
    if all(prices.get(name) is None for name in _KINDS):
        return None
    starts = {tier.start for price in prices.values() if price is not None for tier in getattr(price, "tiers", ())}
    tiers = tuple((start, _rates(prices, start, factor)) for start in sorted(starts, reverse=True))
    return Vector(_rates(prices, -1, factor), tiers)


# Our kinds by the list's names. Of two for one kind the later counts.
_KINDS = {
    "input_mtok": INPUT,
    "output_mtok": OUTPUT,
    "cache_read_mtok": CACHE_READ,
    "cache_write_mtok": CACHE_WRITE,
    "cache_write_5m_mtok": CACHE_WRITE,
    "cache_write_1h_mtok": CACHE_WRITE_1H,
    "input_audio_mtok": "input_audio",
    "input_image_mtok": "input_image",
    "input_video_mtok": "input_video",
    "cache_audio_read_mtok": "cache_read_audio",
    "cache_image_read_mtok": "cache_read_image",
    "output_audio_mtok": "output_audio",
    "output_image_mtok": "output_image",
    "output_video_mtok": "output_video",
    "output_reasoning_mtok": REASONING,
    "output_citation_mtok": CITATIONS,
    "web_searches_kcount": WEB_SEARCH,
    "storage_searches_kcount": FILE_SEARCH,
    "requests_kcount": CALL,
    "audio_hours": AUDIO_SECONDS,
    "input_audio_hours": AUDIO_SECONDS,
    "input_mchars": CHARACTERS,
}


def _rates(prices: Mapping[str, Any], above: int, factor: Decimal) -> Rates:
    """The rates for more than ``above`` input tokens."""
    rates: Rates = {}
    for name, kind in _KINDS.items():
        price = prices.get(name)
        if price is None:
            continue
        if not isinstance(price, Decimal):
            price = next((tier.price for tier in reversed(price.tiers) if tier.start <= above), price.base)
        rates[kind] = round(price * (FEMTO_PER_MTOK * factor if kind in TOKENS else _UNITS.get(name, _FEMTO_PER_K)))
    return rates
