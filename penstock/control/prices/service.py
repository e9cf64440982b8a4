"""What models cost, as calls are charged."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from penstock.control.context import Control
from penstock.core import instants
from penstock.providers.price_lines import Line, lines
from penstock.providers.prices import PriceBook
from penstock.providers.upstream import Upstream


class Wanted(NamedTuple):
    """Of which models. Empty: of every provider; of any name. ``search``: a part of it."""

    provider: str = ""
    search: str = ""


class Priced(NamedTuple):
    """A model of a provider. ``percent``: the operator's mark-up of calls on the operator's keys."""

    provider: str
    model: str
    lines: tuple[Line, ...]
    percent: float

    @property
    def own(self) -> bool:
        """Whether the operator's file has a part in it."""
        return any(line.entry for line in self.lines)


async def page(control: Control, wanted: Wanted, offset: int, limit: int) -> tuple[list[Priced], int]:
    """By provider and name, and how many there are in all."""
    assert control.parts is not None
    book, upstreams = control.parts.prices, control.parts.upstreams
    await asyncio.to_thread(book.load)
    found = list(_named(book, upstreams, wanted))
    now = instants.now()
    shown = found[offset : offset + limit]
    return [_priced(book, upstreams[provider], model, now) for provider, model in shown], len(found)


def sources(control: Control) -> dict[str, Any]:
    """The list that prices come from, and the operator's file."""
    assert control.parts is not None
    return {"list": control.parts.prices.version.partition(" + ")[0], "file": Path(control.parts.prices.file).name}


def _named(book: PriceBook, upstreams: Mapping[str, Upstream], wanted: Wanted) -> Iterator[tuple[str, str]]:
    """Models that are listed; where none is, the name itself may still have a price, by a pattern or another list."""
    search, nothing = wanted.search.lower(), True
    for provider in sorted({upstream.provider.id for upstream in upstreams.values()}):
        if wanted.provider in ("", provider):
            for model in sorted(book.models(provider)):
                if search in model.lower():
                    nothing = False
                    yield provider, model
    if nothing and search and wanted.provider in upstreams:
        provider = upstreams[wanted.provider].provider.id
        if book.find(provider, wanted.search, instants.now()).vector is not None:
            yield provider, wanted.search


def _priced(book: PriceBook, upstream: Upstream, model: str, now: int) -> Priced:
    row = upstream.provider
    price = book.find(row.id, model, now)
    found = () if price.vector is None else tuple(lines(price, row.usage.like))
    return Priced(row.id, model, found, upstream.markups.percent(model))
