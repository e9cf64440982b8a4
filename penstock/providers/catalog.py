"""The providers, one row each: ``catalog/<id>.toml``.

A row is data only. Its members are those of ``Provider``; anything else in the file is an error. ``request_type`` is
the field's usual name of an operation (that of the official SDKs' resources: ``chat.completions``), ``model_type`` the
usual name of the task (``Text Generation``); both are what the log shows and is filtered by.
"""

import re
import tomllib
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated

import msgspec
from msgspec import Meta

from penstock.providers.dialects import DIALECTS

_Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]*$")]
_HeaderName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]*$")]
_Path = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*$")]
_Name = Annotated[str, Meta(min_length=1)]


class Endpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One operation of a provider, by its exact path below the base URL. Without a dialect its bytes are opaque."""

    path: _Path
    request_type: _Name | None  # None only in OPAQUE: a file cannot say so
    model_type: _Name | None = None
    dialect: str = ""


OPAQUE = Endpoint(path="", request_type=None)  # any operation that no row names


class Provider(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row. ``prices`` is the provider's id in genai-prices; empty: no price is known."""

    id: _Slug
    base_url: _Name
    docs: Annotated[str, Meta(pattern="^https://")]
    checked: date  # when the row was last held against the docs
    credential_headers: Annotated[list[_HeaderName], Meta(min_length=1)]  # the first is the usual one
    aliases: list[_Slug] = []
    prices: str = ""
    endpoints: list[Endpoint] = []


ROWS = files("penstock.providers") / "catalog"


def load(rows: Traversable = ROWS) -> dict[str, Provider]:
    """Every provider under its id and each alias. Raises ValueError naming the file and the member at fault."""
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
    seen: set[str] = set()
    for number, endpoint in enumerate(row.endpoints):
        where = f"{file.name}: endpoints[{number}]"
        if endpoint.path in seen:
            raise ValueError(f"{where}.path: {endpoint.path!r} occurs twice")
        seen.add(endpoint.path)
        if endpoint.dialect and endpoint.dialect not in DIALECTS:
            raise ValueError(f"{where}.dialect: unknown {endpoint.dialect!r}; known are {', '.join(sorted(DIALECTS))}")
    return row


def _readable(message: str) -> str:
    """The checker's message with the member at fault first."""
    if match := re.fullmatch(r"(.*) - at `\$\.?(.*)`", message, re.DOTALL):
        return f"{match[2]}: {match[1]}"
    return message
