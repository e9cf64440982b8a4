"""The providers, one row each: ``catalog/<id>.toml``.

A row is data only. Its members are those of ``Provider``; anything else in the file is an error. ``request_type`` is
the field's usual name of an operation (that of the official SDKs' resources: ``chat.completions``), ``model_type`` the
usual name of the task (``Text Generation``); both are what the log shows and is filtered by.
"""

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from penstock.model.endpoint import Endpoint, Name, Path
from penstock.providers.accounting import UsageRow
from penstock.providers.credential_json import PARTS
from penstock.providers.dialects import DIALECTS
from penstock.providers.kinds import KINDS
from penstock.providers.templates import names
from penstock.providers.unified import CHAT, Unified

_Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]*$")]
_Https = Annotated[str, Meta(pattern="^https://")]
_HeaderName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]*$")]


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where requests go whose path begins with ``path``, segments that may be parts; without ``path``, all the others.

    What they begin with is taken off, and ``to`` put before the rest; ``rest`` is that where nothing is left. All
    three, and ``base_url``, may name the parts. ``moved_to`` is ``to`` below a base URL of the operator's.
    """

    path: Path | None = None
    base_url: str = ""  # the row's, unless given
    to: str = ""
    moved_to: str | None = None
    rest: str = ""
    service: str = ""  # what signatures are for; the part ``region`` says where


class ZeroRetention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What asks the provider not to keep a request, nor its answer; at the ``operations`` (request types) named."""

    operations: Annotated[frozenset[Name], Meta(min_length=1)]
    headers: dict[_HeaderName, Name] = {}
    query: dict[Name, Name] = {}


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call, where it leads and what its log row says. Only tests and the simulated providers read examples.

    A call to an endpoint with a dialect needs no ``body``. Of the others, only those with a ``body`` are simulated.
    """

    path: Name  # below the provider, as clients send it, perhaps with a query
    url: _Https  # where the provider gets it; ``https://operator.example`` stands for a base URL to be configured
    request_type: Name | None = None  # None: the row does not name the operation
    model: str = ""
    body: str = ""


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The cheapest GET whose answer tells whether a key is accepted (``penstock keys test``).

    Keys that are JSON fill the parts of ``path`` (``credential_json``); another key can be tested only where there are
    none.
    """

    path: Name  # below the provider, as clients send it, perhaps with a query
    headers: dict[_HeaderName, str] = {}  # that the provider asks for
    refused: list[int] = []  # statuses beside 401 and 403 that refuse the key
    known: str = ""  # a text in a refusal which says that the key is right, and may not do this


class Provider(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row. ``prices`` is the provider's id in genai-prices; empty: no price is known.

    The base path that ``base_url`` ends in is understood, and dropped, where a request repeats it. ``unconfigured`` is
    what callers are told until the operator configures a base URL.
    """

    id: _Slug
    base_url: str
    docs: _Https
    checked: date  # when the row was last held against the docs
    credential_headers: Annotated[list[_HeaderName], Meta(min_length=1)]  # the first is the usual one
    credential_scheme: str = "Bearer"  # before the key in ``authorization``
    credential_forms: dict[_HeaderName, str] = {}  # headers of keys that begin otherwise: a regular expression each
    credential_json: Literal["", "aws", "google"] = ""  # what a key that is JSON holds (``credential_json``)
    aliases: list[_Slug] = []
    prices: str = ""
    listed: str = ".*"  # which names of that list are models of this provider: a regular expression
    credential_parameters: list[Name] = []  # of the query, where the credential may stand instead
    routes: tuple[Route, ...] = (Route(),)  # the first that fits counts
    model: Name = "model"  # the part that names the model, of a route or an endpoint
    target_header: _HeaderName | None = None  # in which a client may name the whole URL instead,
    target_domains: list[str] = []  # in these domains
    unconfigured: str = ""
    check: Check | None = None  # None: no cheap request is known that asks for the key
    zero_retention: ZeroRetention | None = None  # None: no header or parameter asks for it
    usage: UsageRow = UsageRow()
    unified: tuple[Unified, ...] = ()  # what the unified API calls
    endpoints: list[Endpoint] = []
    examples: list[Example] = []


ROWS = files("penstock.providers") / "catalog"


@cache
def load(rows: Traversable = ROWS) -> Mapping[str, Provider]:
    """Every provider under its id and each alias; read once a process. Raises ValueError naming file and member."""
    providers: dict[str, Provider] = {}
    for file in sorted(rows.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".toml"):
            continue
        provider = _row(file)
        for slug in (provider.id, *provider.aliases):
            if slug in providers:
                raise ValueError(f"{file.name}: the name {slug!r} is taken by {providers[slug].id}")
            providers[slug] = provider
    return providers


def _row(file: Traversable) -> Provider:
    try:
        row = msgspec.convert(tomllib.loads(file.read_text("utf-8")), Provider)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ValueError(f"{file.name}: {_readable(str(error))}") from error
    if file.name != f"{row.id}.toml":
        raise ValueError(f"{file.name}: id: {row.id!r} belongs into {row.id}.toml")
    if not row.base_url and not row.unconfigured:
        raise ValueError(f"{file.name}: base_url: is empty, so unconfigured must say what to do")
    _check_forms(file.name, row)
    _check_routes(file.name, row)
    _check_endpoints(file.name, row)
    _check_unified(file.name, row)
    _check_usage(file.name, row.usage)
    return row


def _check_forms(file: str, row: Provider) -> None:
    for name, form in row.credential_forms.items():
        where = f"{file}: credential_forms.{name}"
        if name not in row.credential_headers:
            raise ValueError(f"{where}: is none of credential_headers")
        try:
            re.compile(form)
        except re.error as error:
            raise ValueError(f"{where}: {error}") from None


def _check_routes(file: str, row: Provider) -> None:
    seen: set[str | None] = set()
    for number, route in enumerate(row.routes):
        where = f"{file}: routes[{number}]"
        if route.path in seen:
            raise ValueError(f"{where}.path: {route.path!r} occurs twice")
        seen.add(route.path)
        has = names(route.path or "")
        for member in ("to", "moved_to", "rest"):
            if lacks := names(getattr(route, member) or "") - has:
                raise ValueError(f"{where}.{member}: the path has no part {{{min(lacks)}}}")
    if (row.target_header is None) is not (not row.target_domains):
        raise ValueError(f"{file}: target_domains: go together with target_header")


def _check_endpoints(file: str, row: Provider) -> None:
    seen: set[str] = set()
    for number, endpoint in enumerate(row.endpoints):
        where = f"{file}: endpoints[{number}]"
        if endpoint.path in seen:
            raise ValueError(f"{where}.path: {endpoint.path!r} occurs twice")
        seen.add(endpoint.path)
        if endpoint.dialect and endpoint.dialect not in DIALECTS:
            raise ValueError(f"{where}.dialect: unknown {endpoint.dialect!r}; known are {', '.join(sorted(DIALECTS))}")


def _check_unified(file: str, row: Provider) -> None:
    for number, one in enumerate(row.unified):
        where = f"{file}: unified[{number}].dialect"
        if one.kind != CHAT:
            continue
        if one.dialect not in DIALECTS:
            raise ValueError(f"{where}: unknown {one.dialect!r}; known are {', '.join(sorted(DIALECTS))}")
        if unknown := names(one.keyed) - PARTS:
            raise ValueError(f"{file}: unified[{number}].keyed: no key tells {{{min(unknown)}}}")


def _check_usage(file: str, usage: UsageRow) -> None:
    named = {
        *usage.members.values(),
        *usage.beside,
        *usage.apart,
        *usage.each_call.values(),
        *usage.least,
        usage.rest,
        *usage.like,
        *usage.like.values(),
    }
    if unknown := named - KINDS - {""}:
        raise ValueError(f"{file}: usage: unknown kind {min(unknown)!r}; known are {', '.join(sorted(KINDS))}")


def _readable(message: str) -> str:
    """The checker's message with the member at fault first."""
    if match := re.fullmatch(r"(.*) - at `\$\.?(.*)`", message, re.DOTALL):
        return f"{match[2]}: {match[1]}"
    return message
