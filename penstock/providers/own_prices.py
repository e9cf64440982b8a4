"""The operator's own prices, which go over the list's: a file in TOML (docs/prices.md), compiled at the start."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from difflib import get_close_matches
from hashlib import sha256
from typing import Annotated, Any, NamedTuple, cast

import msgspec
from msgspec import Meta

from penstock.providers.catalog import Provider
from penstock.providers.kinds import FEES, TOKENS
from penstock.providers.pricing import Rates, Vector

LARGEST = 1_000_000  # dollars of one rate
_PER_MILLION, _EACH = Decimal(10**9), Decimal(10**15)  # femto-dollars, for a dollar a million tokens and for one a unit
_STARS = 2  # in a pattern: more could be slow, on names that callers choose
_CUSTOM = "custom-"  # begins the id of a provider that is not in the catalogue

_Name = Annotated[str, Meta(min_length=1, max_length=256)]
_Term = Annotated[str, Meta(min_length=1, max_length=64)]
_Dollars = dict[str, object]  # judged one by one, so that what is wrong can be named


class _Above(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rates of a call with more input than so many tokens."""

    input: Annotated[int, Meta(ge=1)]
    tokens: _Dollars


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Dollars: for a million ``tokens`` of a kind, and for one of a kind of ``units``."""

    provider: _Name
    model: _Name  # ``*`` stands for any text
    valid_from: date | None = None
    when: dict[_Term, _Term] = {}
    tokens: _Dollars = {}
    units: _Dollars = {}
    above: tuple[_Above, ...] = ()


class OwnPrice(NamedTuple):
    """One entry, compiled. ``vector`` has the rates that the entry gives and no others."""

    number: int  # of the entry, from 1
    fits: re.Pattern[str]
    exact: tuple[bool, int]  # of two entries that fit, the one with the larger counts
    since: int  # milliseconds since the epoch
    when: frozenset[str]  # terms of the answer, ``name=value``
    vector: Vector
    model: str  # empty: a pattern of many


class OwnPrices:
    """The entries of a file by the provider's id. ``file``: what it is called."""

    def __init__(self, entries: Mapping[str, list[OwnPrice]], file: str = "") -> None:
        self._entries = entries
        self.file = file

    @property
    def version(self) -> str:
        """`` + `` and a digest of the entries; empty: there are none."""
        said = [
            (provider, entry.model, entry.fits.pattern, sorted(entry.when), entry.since, entry.vector)
            for provider, entries in sorted(self._entries.items())
            for entry in entries
        ]
        return f" + {sha256(repr(said).encode()).hexdigest()[:8]}" if said else ""

    def models(self, provider: str) -> list[str]:
        """The models that entries name."""
        return [entry.model for entry in self._entries.get(provider, ()) if entry.model]

    def find(self, provider: str, model: str, terms: frozenset[str], factors: frozenset[str]) -> list[OwnPrice]:
        """The entries of the most exact pattern that fits, the oldest first.

        ``terms``: what may set another price; each must be in the entry's ``when``, but for those of ``factors``.
        """
        fitting = [
            entry
            for entry in self._entries.get(provider, ())
            if entry.when <= terms and terms - entry.when <= factors and entry.fits.fullmatch(model)
        ]
        most = max((len(entry.when), entry.exact) for entry in fitting) if fitting else None
        return sorted(
            (entry for entry in fitting if (len(entry.when), entry.exact) == most), key=lambda entry: entry.since
        )


NONE = OwnPrices({})


def read(text: str, providers: Mapping[str, Provider], file: str) -> OwnPrices:
    """The entries of a file. Raises ValueError, a line for each that is wrong, naming entry and field."""
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file}: is not TOML: {error}") from None
    told = document.pop("prices", [])
    if document or not isinstance(told, list):
        raise ValueError(f"{file}: takes [[prices]] alone, not {next(iter(document), 'prices')!r}")
    entries: dict[str, list[OwnPrice]] = {}
    problems: list[str] = []
    for number, members in enumerate(cast("list[Any]", told), 1):
        try:
            entry = msgspec.convert(members, _Entry)
            row = _provider(entry.provider, providers)
            wrong = list(_wrong(entry))
        except ValueError as error:  # the checker's own kind is one
            wrong = [_readable(str(error))]
        else:
            if not wrong:
                entries.setdefault(row, []).append(_compiled(number, entry))
        problems += [f"{file}: prices[{number}]{_shown(members)}: {sentence}" for sentence in wrong]
    if problems:
        raise ValueError("\n".join(problems))
    return OwnPrices(entries, file)


def _provider(name: str, providers: Mapping[str, Provider]) -> str:
    if name.startswith(_CUSTOM):
        return name
    if name not in providers:
        near = get_close_matches(name, providers, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(providers))}"
        raise ValueError(f"provider: there is no {name!r}; {hint}")
    return providers[name].id


def _wrong(entry: _Entry) -> Iterator[str]:
    for place, rates, kinds in (
        ("tokens", entry.tokens, TOKENS),
        ("units", entry.units, FEES),
        *((f"above[{at}].tokens", above.tokens, TOKENS) for at, above in enumerate(entry.above, 1)),
    ):
        for kind, dollars in rates.items():
            if kind not in kinds:
                near = get_close_matches(kind, kinds, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(kinds))}"
                yield f"{place}.{kind}: there is no such kind; {hint}"
            elif not _is_rate(dollars):
                yield f"{place}.{kind}: must be dollars, 0 to {LARGEST}, not {dollars}"
    if entry.model.count("*") > _STARS:
        yield f"model: takes {_STARS} * at most"
    if not (entry.tokens or entry.units):
        yield "tokens, units: one of them must have a rate"
    starts = [above.input for above in entry.above]
    if len(set(starts)) < len(starts):
        yield "above: two have the same input"


def _is_rate(dollars: object) -> bool:
    if not isinstance(dollars, int | Decimal) or isinstance(dollars, bool):
        return False
    return Decimal(dollars).is_finite() and 0 <= dollars <= LARGEST


def _compiled(number: int, entry: _Entry) -> OwnPrice:
    base = _rates(entry.tokens, _PER_MILLION) | _rates(entry.units, _EACH)
    tiers: list[tuple[int, Rates]] = []
    for above in sorted(entry.above, key=lambda above: above.input):
        before = tiers[0][1] if tiers else base
        tiers.insert(0, (above.input, before | _rates(above.tokens, _PER_MILLION)))
    pattern = ".*".join(map(re.escape, entry.model.split("*")))
    since = datetime.combine(entry.valid_from, time(), UTC).timestamp() * 1000 if entry.valid_from else 0
    return OwnPrice(
        number,
        re.compile(pattern, re.IGNORECASE | re.DOTALL),
        ("*" not in entry.model, len(entry.model.replace("*", ""))),
        int(since),
        frozenset(f"{name}={value}" for name, value in entry.when.items()),
        Vector(base, tuple(tiers)),
        "" if "*" in entry.model else entry.model,
    )


def _rates(told: _Dollars, femto: Decimal) -> Rates:
    return {kind: round(Decimal(str(dollars)) * femto) for kind, dollars in told.items()}


def _shown(members: object) -> str:
    """Which entry it is, as far as it says."""
    table = cast("dict[str, Any]", members) if isinstance(members, dict) else {}
    named = [str(table[name])[:64] for name in ("provider", "model") if name in table]
    return f" ({' '.join(named)})" if named else ""


def _readable(message: str) -> str:
    """The checker's message with the field at fault first, and places counted from 1."""
    if match := re.fullmatch(r"(.*) - at `\$\.?(.*)`", message, re.DOTALL):
        place = re.sub(r"\[(\d+)\]", lambda at: f"[{int(at[1]) + 1}]", match[2])
        return f"{place}: {match[1]}"
    return message
