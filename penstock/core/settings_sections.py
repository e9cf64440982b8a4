"""Settings that are tables of the configuration file: ``[providers.<slug>]``, ``[[markups]]``, ``[[oidc_grants]]``."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, cast

from penstock.core.options import WORDS, Kind, Setting, decimal, pattern, url

BASE_URL = Kind("address", url)
SLUG = re.compile(r"[a-z0-9_-]{1,64}", re.ASCII)
KEY = pattern(r"[!-~]([ -~]*[!-~])?", "visible ASCII, as the value of a header")
PROVIDER = {
    "base_url": Setting("base_url", BASE_URL, "", "Address that replaces the provider's own.", secret=False),
    "api_key": Setting("api_key", KEY, "", "Key for calls that bring none and have none stored.", secret=True),
}
_MARKUP = {
    "provider": Setting("provider", pattern(r".+", "a provider, or * for all"), "*", "Whose calls.", secret=False),
    "model": Setting("model", pattern(r".+", "the name of a model, with *"), "*", "Of which models.", secret=False),
    "percent": Setting("percent", decimal(-100, 10_000), 0.0, "What is added to the cost.", secret=False),
}
_TEXT = pattern(r".+", "text")
_GRANT = {
    "claim": Setting("claim", _TEXT, "", "What the identity provider says of somebody.", secret=False),
    "value": Setting("value", _TEXT, "", "What that must be, or have among it; * for anything.", secret=False),
    "scopes": Setting("scopes", WORDS, (), "Permissions.", secret=False),
    "gateways": Setting("gateways", WORDS, (), "Ids of the only gateways.", secret=False),
}


class OidcGrant(NamedTuple):
    """What somebody may do of whom the identity provider says so. ``gateways``: the only ones; None: all."""

    claim: str
    value: str
    scopes: tuple[str, ...]
    gateways: tuple[str, ...] | None


class Reader(Protocol):
    """Reads one table, and collects what is wrong."""

    @property
    def problems(self) -> list[str]: ...

    def members(self, section: Mapping[str, Any], known: Mapping[str, Setting], place: str) -> dict[str, Any]: ...


def providers(section: object, place: str, reader: Reader) -> dict[str, dict[str, Any]]:
    """``[providers.<slug>]``."""
    read: dict[str, dict[str, Any]] = {}
    items = cast("dict[str, object]", section).items() if isinstance(section, dict) else [("", section)]
    for name, members in items:
        if not isinstance(members, dict):
            reader.problems.append(f"{place}.<id>]: must be a table, not {members!r}")
        elif not SLUG.fullmatch(name):
            reader.problems.append(f"{place}.{name}]: an id is 1 to 64 of a-z, 0-9, _ and -")
        else:
            at = f"{place}.{name}]"
            if not members:
                reader.problems.append(f"{at}: is empty; it takes base_url and api_key")
            read[name] = reader.members(cast("dict[str, Any]", members), PROVIDER, at)
    return read


def markups(section: object, place: str, reader: Reader) -> tuple[tuple[str, str, float], ...]:
    """``[[markups]]``, in their order."""
    read: list[tuple[str, str, float]] = []
    for members in cast("list[object]", section) if isinstance(section, list) else [section]:
        if not isinstance(members, dict) or "percent" not in members:
            reader.problems.append(f"{place}: each is a table with percent, and provider and model where they matter")
        else:
            given = reader.members(cast("dict[str, Any]", members), _MARKUP, place)
            read.append((given.get("provider") or "*", given.get("model") or "*", given.get("percent", 0.0)))
    return tuple(read)


def oidc_grants(section: object, place: str, reader: Reader) -> tuple[OidcGrant, ...]:
    """``[[oidc_grants]]``, in their order."""
    read: list[OidcGrant] = []
    for members in cast("list[object]", section) if isinstance(section, list) else [section]:
        if not isinstance(members, dict) or not {"claim", "value", "scopes"} <= members.keys():
            reader.problems.append(
                f"{place}: each is a table with claim, value and scopes, and gateways where it is so"
            )
            continue
        given = reader.members(cast("dict[str, Any]", members), _GRANT, place)
        empty = [name for name in ("claim", "value", "scopes", "gateways") if name in given and not given[name]]
        if empty:
            reader.problems.append(f"{place}: {empty[0]} is empty")
        elif given.keys() >= {"claim", "value", "scopes"}:
            read.append(OidcGrant(given["claim"], given["value"], given["scopes"], given.get("gateways")))
    return tuple(read)
