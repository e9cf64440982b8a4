"""A provider's usage object, read as its dialect and its row say: what is to be paid, in disjoint parts. Pure.

A dialect names the two main figures and their usual parts (``Figures``), a row what its provider does otherwise
(``UsageRow``). One odd member loses that member alone. What could not be read, and figures that do not add up, are
said in ``notes``.
"""

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations
from typing import Annotated, Any, NamedTuple, cast

import msgspec
from msgspec import Meta

from penstock.core.codec import DecodeError, Raw, decode, decoder
from penstock.model.usage import Reported, Usage, Used
from penstock.providers.kinds import (
    CACHE_READ,
    CACHE_WRITE,
    CACHE_WRITE_1H,
    CACHED,
    INPUT,
    INPUT_KINDS,
    OUTPUT,
    OUTPUT_KINDS,
    READ_KINDS,
    REASONING,
    TOKENS,
    UNREAD,
    WRITE_KINDS,
)

LARGEST = 1 << 53  # of a count
LARGEST_STATED = 1_000_000  # dollars for one call, as a provider states them

Said = dict[str, Any]  # a usage object, which is short
Counts = dict[str, int]
_Path = Annotated[str, Meta(pattern=r"^\w+(\.\w+)?$")]
_Term = Annotated[str, Meta(pattern=r"^\w+=\w+$")]
_Factor = Annotated[str, Meta(pattern=r"^\d+\.\d+$")]


class Figures(NamedTuple):
    """What a dialect calls its figures. Members are paths: a name, or two with a dot between.

    ``tokens_in`` and ``tokens_out``: of several names, the first that is told counts. ``total``: what all tokens make
    together. ``beside``: kinds that stand beside the main figures, not inside them. ``terms``: members that may set
    another price. ``more`` may complete an object in place, and returns what else was used.
    """

    tokens_in: tuple[str, ...]
    tokens_out: tuple[str, ...]
    total: str
    members: Mapping[str, str]
    beside: frozenset[str] = frozenset()
    terms: tuple[str, ...] = ()
    more: Callable[[Said], list[Used]] | None = None


class UsageRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Section ``[usage]`` of a row: what its provider tells otherwise than the dialect has it."""

    members: dict[_Path, str] = {}  # and their kinds; "": a part that has its main figure's price
    beside: list[str] = []  # kinds that stand beside the main figures and are counted in the total,
    apart: list[str] = []  # or are not counted there
    rest: str = ""  # the kind of what the total has more than all figures told
    terms: list[_Path] = []  # members that may set another price
    standard: list[_Term] = []  # terms that do not, beside those of ``prices.STANDARD``
    factors: dict[_Term, _Factor] = {}  # terms that multiply the prices of tokens
    publisher: str = ""  # what names of models may begin with, and the price list leaves out
    like: dict[str, str] = {}  # kinds that cost what another one does, where the list has no price of their own
    each_call: dict[str, str] = {}  # a part of a model's name: the fee that each call of such a model is
    least: dict[str, Annotated[int, Meta(ge=1)]] = {}  # kinds of which so many are paid where fewer were used
    cost: _Path | None = None  # what the call cost, as the provider states it,
    cost_units: int = 1  # so many of them to a US dollar
    currency: _Path | None = None  # where it is told, for only USD is read
    own_key: _Path | None = None  # true: the caller's own key paid the model,
    own_key_cost: _Path | None = None  # so much beside ``cost``


_UNREAD = Used(UNREAD, 1)
_CHEAPER = (CACHE_READ, REASONING)  # parts of a main figure that do not cost more than the rest of it


class Accounting:
    """One provider's way of telling usage in one dialect, compiled."""

    __slots__ = ("_apart", "_beside", "_figures", "_mains", "_row", "_sections", "_terms")

    def __init__(self, figures: Figures, row: UsageRow) -> None:
        self._figures = figures
        self._row = row
        self._mains = figures.tokens_in, figures.tokens_out
        self._beside = figures.beside | frozenset(row.beside)
        self._apart = frozenset(row.apart)
        self._terms = [*figures.terms, *row.terms]
        sections: dict[str, list[tuple[str, str]]] = {}
        for path, kind in {**figures.members, **row.members}.items():
            if kind:
                section, _, name = path.rpartition(".")
                sections.setdefault(section, []).append((name, kind))
        self._sections = list(sections.items())

    def read(self, reported: Reported, notes: list[str]) -> Usage | None:  # noqa: C901, PLR0912  calls cost too much here
        """What was used; None: nothing that could be read."""
        if not reported.raw:
            if reported.unread:
                notes.append(f"usage not read: {reported.unread}")
            return Usage(used=reported.fees) if reported.fees else None
        said, raw = _object(reported.raw)
        if said is None:
            notes.append("usage not read: it is no JSON object")
            return Usage(used=reported.fees) if reported.fees else None
        usage = Usage(raw=raw, used=list(reported.fees))
        if self._figures.more is not None:
            usage.used += self._figures.more(said)
        odd: list[str] = []
        counts = self._counts(said, odd)
        into, out = _main(said, self._mains[0], odd), _main(said, self._mains[1], odd)
        total = said.get(self._figures.total)
        if type(total) is not int or total <= 0:
            total = None
        if odd:
            into, out = _made_up(usage, into, out, total, said, self._mains)
        usage.tokens_in, usage.tokens_out = into, out
        if counts or into is None or out is None or (total is not None and total != into + out):
            self._add_parts(usage, counts, total, notes)
        else:  # most answers
            if into:
                usage.used.append(Used(INPUT, into))
            if out:
                usage.used.append(Used(OUTPUT, out))
        if (usage.tokens_in is None) is not (usage.tokens_out is None):
            usage.tokens_in, usage.tokens_out = usage.tokens_in or 0, usage.tokens_out or 0
        if self._terms or reported.tier or reported.terms:
            usage.terms = self._terms_of(said, reported.tier) + reported.terms
        if self._row.cost is not None:
            usage.cost = self._stated(said, odd)
        if odd:
            notes.append(f"usage not read: {', '.join(odd)} told as no figure")
        if usage.tokens_in is usage.tokens_out is usage.cost is None and all(part == _UNREAD for part in usage.used):
            if not odd:
                notes.append("usage not read: there is no figure in it that is known")
            return None
        return usage

    def charged(self, used: list[Used], model: str) -> list[Used]:
        """What is paid: the least of a kind where fewer were used, and the fees that a call of this model always is."""
        least, fees = self._row.least, self._row.each_call
        if least:
            used = [part._replace(amount=max(part.amount, least.get(part.kind, 0))) for part in used]
        if fees:
            used = used + [Used(kind, 1) for part, kind in fees.items() if part in model]
        return used

    def _counts(self, said: Said, odd: list[str]) -> Counts:
        """The parts of the main figures, and what stands beside them. Two members of one kind say the same."""
        counts: Counts = {}
        for section, parts in self._sections:
            told = said.get(section) if section else said
            if not told:
                continue
            members = members_of(told)
            if not members:
                odd.append(section)
            for name, kind in parts:
                if value := members.get(name):
                    if count := _count(value, section, name, odd):
                        counts[kind] = max(count, counts.get(kind, 0))
                    elif count is None and (kind not in _CHEAPER or kind in self._beside or kind in self._apart):
                        counts[UNREAD] = 1  # without it the whole would be priced too low
        return counts

    def _add_parts(self, usage: Usage, counts: Counts, total: int | None, notes: list[str]) -> None:
        into, out, used = usage.tokens_in or 0, usage.tokens_out or 0, usage.used
        hour = min(counts.pop(CACHE_WRITE_1H, 0), counts.get(CACHE_WRITE, 0))  # a part of the writes
        beside = {kind for kind in counts if kind in self._beside or kind in self._apart or kind not in TOKENS}
        settled = ""  # the total, where it leaves no room for more
        if total is not None:
            more = self._reconciled(into, out, counts, beside, total, notes)
            if more:
                used.append(Used(INPUT if usage.tokens_out is None else OUTPUT, more))
            counted = [kind for kind in beside if kind in TOKENS and kind not in self._apart]
            if total == into + out + more + sum(counts[kind] for kind in counted):
                settled = self._figures.total
        _unpack(INPUT_KINDS & (READ_KINDS | WRITE_KINDS), into, counts, beside, "input", notes, settled=settled)
        _unpack(OUTPUT_KINDS, out, counts, beside, "output", notes, settled=settled)
        inside = {kind: counts.pop(kind) for kind in list(counts) if kind not in beside}
        fresh = into - sum(count for kind, count in inside.items() if kind in READ_KINDS or kind in WRITE_KINDS)
        plain = out - sum(count for kind, count in inside.items() if kind in OUTPUT_KINDS)
        fresh -= _apart_from_text(inside, fresh)
        for kind, count in ((INPUT, fresh), (OUTPUT, plain), *inside.items(), *counts.items()):
            if kind == CACHE_WRITE and (long := min(hour, count)):
                used.append(Used(CACHE_WRITE_1H, long))
                count -= long  # noqa: PLW2901
            if count > 0:
                used.append(Used(kind, count))

    def _reconciled(self, into: int, out: int, counts: Counts, beside: set[str], total: int, notes: list[str]) -> int:
        """Changes ``beside`` to what makes ``total``; returns how many tokens are told nowhere but in that."""
        counted = [kind for kind in beside if kind in TOKENS and kind not in self._apart]
        told = into + out + sum(counts[kind] for kind in counted)
        if total == told:
            return 0
        says = f"{self._figures.total} is {total}"
        inside = [kind for kind in counts if kind not in beside]
        if found := _summing(inside, counts, total - told):
            beside.update(found)
            if found != (self._row.rest,):
                notes.append(f"{says}: {' and '.join(found)} taken to stand beside the main figures")
            return 0
        if total > told and self._row.rest:
            beside.add(self._row.rest)
            counts[self._row.rest] = counts.get(self._row.rest, 0) + total - told
            return 0
        if found := _summing(counted, counts, told - total):
            beside.difference_update(found)
            notes.append(f"{says}: {' and '.join(found)} taken to be part of the main figures")
            return 0
        if total < told:
            notes.append(f"{says}, less than the {told} that its parts make; these are priced")
            return 0
        notes.append(f"{says}, more than the {told} that its parts make; the rest is priced too")
        return total - told

    def _terms_of(self, said: Said, tier: str) -> tuple[str, ...]:
        told = [(path.rpartition(".")[2], _at(said, path)) for path in self._terms]
        named = [f"{name}={value[:64]}" for name, value in told if isinstance(value, str) and value]
        return (*named, f"service_tier={tier}") if tier else tuple(named)

    def _stated(self, said: Said, odd: list[str]) -> int | None:
        """Nano-dollars that the call cost by the provider's word."""
        row = self._row
        if row.cost is None or (stated := _at(said, row.cost)) is None:
            return None
        if row.currency is not None and _at(said, row.currency) not in (None, "USD"):
            odd.append(row.currency)
            return None
        whole = Decimal(0)
        amounts = [(row.cost, stated)]
        if row.own_key is not None and row.own_key_cost is not None and _at(said, row.own_key) is True:
            if (own := _at(said, row.own_key_cost)) is None:
                return None  # what the caller's own key paid is not told
            amounts.append((row.own_key_cost, own))
        for path, amount in amounts:
            if type(amount) not in (int, float) or not 0 <= amount <= LARGEST_STATED * row.cost_units:
                odd.append(path)
                return None
            whole += Decimal(repr(amount))
        return int((whole * 10**9 / row.cost_units).quantize(Decimal(1), ROUND_HALF_UP))


_decode_members = decoder(dict[str, Raw]).decode


def _object(raw: bytes) -> tuple[Said | None, bytes]:
    """A usage object, and its bytes as they may be kept: empty where it cannot be read again as a whole."""
    try:
        said = decode(raw)
    except DecodeError:
        return _piecewise(raw), b""
    return (cast("Said", said), raw) if isinstance(said, dict) else (None, b"")


def _piecewise(raw: bytes) -> Said | None:
    said: Said = {}
    try:
        members = _decode_members(raw)
    except DecodeError:
        return None
    for name, value in members.items():
        try:
            said[name] = decode(value)
        except DecodeError:
            said[name] = ""  # odd, where it should be a figure
    return said


def _count(value: object, section: str, name: str, odd: list[str]) -> int | None:
    if type(value) is float and value.is_integer():
        value = int(value) if abs(value) <= LARGEST else -1
    if type(value) is int and 0 <= value <= LARGEST:
        return value
    if value not in ({}, [], ""):  # some say so that there is none
        odd.append(f"{section}.{name}" if section else name)
    return None


def _main(said: Said, names: tuple[str, ...], odd: list[str]) -> int | None:
    """The first of these that is told."""
    for name in names:
        if (value := said.get(name)) is not None:
            return value if type(value) is int and 0 <= value <= LARGEST else _count(value, "", name, odd)
    return None


def _made_up(
    usage: Usage, into: int | None, out: int | None, total: int | None, said: Said, mains: tuple[tuple[str, ...], ...]
) -> tuple[int | None, int | None]:
    """A main figure that cannot be read is what the total leaves for it."""
    told = [any(said.get(name) is not None for name in names) for names in mains]
    if (into is not None or not told[0]) and (out is not None or not told[1]):
        return into, out
    known = out if into is None else into
    if known is None or total is None or total < known:
        usage.used.append(_UNREAD)
        return into, out
    return (total - known, out) if into is None else (into, total - known)


def _at(said: Said, path: str) -> Any:
    section, _, name = path.rpartition(".")
    return members_of(said.get(section) if section else said).get(name)


def members_of(value: object) -> Said:
    """A JSON object's members; none where it is no object."""
    return cast("Said", value) if isinstance(value, dict) else {}


def _summing(kinds: list[str], counts: Counts, total: int) -> tuple[str, ...]:
    """The fewest of these kinds that make so many; there are never more than a handful."""
    if total > 0:
        for size in range(1, len(kinds) + 1):
            for some in combinations(kinds, size):
                if sum(counts[kind] for kind in some) == total:
                    return some
    return ()


def _apart_from_text(inside: Counts, fresh: int) -> int:
    """How much of the fresh input is audio, images or video; what is more of them came from the cache."""
    media = 0
    for kind in [kind for kind in inside if kind in CACHED]:
        count = inside[kind]
        inside[kind] = direct = min(count, fresh - media)
        media += direct
        if cached := min(count - direct, inside.get(CACHE_READ, 0)):
            inside[CACHE_READ] -= cached
            inside[CACHED[kind]] = cached
    return media


def _unpack(
    kinds: frozenset[str],
    main: int,
    counts: Counts,
    beside: set[str],
    name: str,
    notes: list[str],
    *,
    settled: str,
) -> None:
    """Parts that are more than the whole cannot be in it: the largest stand beside it, then, which is dearer.

    Not where that is ``settled`` by the member of this name, which has no room for them: then the largest are cut.
    """
    inside = sorted((counts[kind], kind) for kind in counts if kind in kinds and kind not in beside)
    while inside and sum(count for count, _ in inside) > main:
        count, kind = inside.pop()
        more = f"{count} tokens of {kind} are more than the {main} of {name}"
        if settled:
            counts[kind] = max(0, main - sum(count for count, _ in inside))
            notes.append(f"{more}, and {settled} has no room for them: {counts[kind]} are priced")
        else:
            beside.add(kind)
            notes.append(f"{more}: taken to stand beside them")
