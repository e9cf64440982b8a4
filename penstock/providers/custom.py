"""Providers of an account's own: what the settings of one become.

Paths are those of the client below the base URL, as they are. Operations that are spelt as OpenAI's or Anthropic's,
with or without ``v1/``, are read as theirs. Pure.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import cache

import msgspec

from penstock.model.endpoint import Endpoint
from penstock.providers import catalog
from penstock.providers.catalog import Check, Provider, Route
from penstock.providers.kinds import INPUT, INPUT_KINDS, OUTPUT, OUTPUT_KINDS
from penstock.providers.prices import FEMTO_PER_MTOK
from penstock.providers.pricing import Rates, Vector
from penstock.providers.unified import CHAT, Unified
from penstock.providers.upstream import Upstream

PREFIX = "custom-"  # of the slug, wherever the provider is named
_CREDENTIALS = ["authorization", "x-api-key", "api-key"]
_VERSION = "v1/"
_LACKS = frozenset({"developer", "max_completion_tokens"})  # the older names are known to all
_VERSIONED = re.compile(r"/v\d+\w*/?$")  # base URLs that end in a version need none before a path


class Custom(msgspec.Struct, frozen=True, cache_hash=True):
    """A custom provider. ``refusal``: why it cannot be called; empty: it can."""

    id: str
    generation: int  # raised when what was cached would be answered otherwise
    slug: str
    base_url: str
    refusal: str = ""
    headers: tuple[tuple[bytes, bytes], ...] = ()  # that go with its calls; names in lower case
    prices: tuple[tuple[str, str], ...] = ()  # kinds, and US dollars for a million tokens


def upstreams(customs: tuple[Custom, ...]) -> dict[str, Upstream]:
    """By the name that calls have for each."""
    return {PREFIX + custom.slug: upstream(custom) for custom in customs}


def upstream(custom: Custom) -> Upstream:
    """Raises ValueError for a base URL that cannot be used."""
    provider = Provider(
        id=PREFIX + custom.slug,
        base_url="",  # what a path begins with is never taken for the base URL's own path
        docs="",
        checked=date.min,
        credential_headers=_CREDENTIALS,
        routes=(Route(base_url=custom.base_url),),
        unconfigured=custom.refusal,
        check=Check(path="models"),  # as servers with OpenAI's interface have it
        endpoints=_endpoints(),
        unified=_unified("" if _VERSIONED.search(custom.base_url) else _VERSION),
    )
    made = Upstream(provider)
    made.added = custom.headers
    made.mark = f"{custom.id}:{custom.generation}".encode()
    made.vector = _vector(dict(custom.prices)) if custom.prices else None
    return made


@cache
def _endpoints() -> list[Endpoint]:
    return list({endpoint.path: endpoint for endpoint in _spelt()}.values())


@cache
def _unified(version: str) -> tuple[Unified, ...]:
    """The unified API calls what is spelt as OpenAI's; its chats are OpenAI chat."""
    return tuple(
        msgspec.structs.replace(one, path=version + one.path, lacks=_LACKS)
        for one in catalog.load()["openai"].unified
        if one.kind != CHAT or one.dialect == "openai_chat"
    )


def _spelt() -> Iterator[Endpoint]:
    rows = catalog.load()
    claude = [one for one in rows["anthropic"].endpoints if one.path.startswith(f"{_VERSION}messages")]
    for endpoint in (*rows["openai"].endpoints, *claude):
        path = endpoint.path.removeprefix(_VERSION)
        yield msgspec.structs.replace(endpoint, path=path)
        yield msgspec.structs.replace(endpoint, path=_VERSION + path)


def _vector(prices: Mapping[str, str]) -> Vector:
    """Kinds of input without a price cost what ``input`` does, those of output what ``output`` does."""
    rates: Rates = {kind: round(Decimal(price) * FEMTO_PER_MTOK) for kind, price in prices.items()}
    for main, kinds in ((INPUT, INPUT_KINDS), (OUTPUT, OUTPUT_KINDS)):
        if main in rates:
            for kind in kinds:
                rates.setdefault(kind, rates[main])
    return Vector(rates)
