"""The pages that every page leads to, in groups."""

from collections.abc import Callable
from itertools import groupby
from typing import NamedTuple

from penstock.model.token import Scope


class Place(NamedTuple):
    """A page. ``scopes``: permissions, of which one is needed to see it; none named: any token will do.

    ``whole``: it is about the whole account, so that a token that is limited to gateways does not see it.
    """

    group: str
    title: str
    address: str
    scopes: tuple[str, ...]
    whole: bool = False


class Shown(NamedTuple):
    """A place, and whether the page is it, or one below it."""

    title: str
    address: str
    current: bool


_SEES = (Scope.READ, Scope.METADATA)

PLACES: tuple[Place, ...] = (
    Place("", "Overview", "/", _SEES),
    Place("", "Logs", "/ui/logs", _SEES),
    Place("", "Playground", "/ui/playground", (Scope.RUN,)),
    Place("Build", "Gateways", "/ui/gateways", (Scope.READ,)),
    Place("Build", "Routes", "/ui/routes", (Scope.READ,)),
    Place("Build", "Provider keys", "/ui/keys", (Scope.READ,)),
    Place("Build", "Providers", "/ui/providers", (Scope.READ,)),
    Place("Build", "Prices", "/ui/prices", (Scope.READ,)),
    Place("Money", "Spend", "/ui/spend", _SEES),
    Place("Money", "Limits", "/ui/limits", _SEES),
    Place("Money", "Credit", "/ui/credit", (Scope.READ,), whole=True),
    Place("Money", "Invoices", "/ui/invoices", (Scope.READ,), whole=True),
    Place("Account", "Tokens", "/ui/tokens", (Scope.READ,), whole=True),
    Place("Account", "Alerts", "/ui/alerts", (Scope.READ,), whole=True),
    Place("Account", "Audit trail", "/ui/audit", (Scope.READ,), whole=True),
)


def shown(path: str, may: Callable[..., bool], *, limited: bool) -> list[tuple[str, list[Shown]]]:
    """The places that a token may see, by their groups."""
    seen = [place for place in PLACES if may(*place.scopes) and not (limited and place.whole)]
    return [
        (group, [Shown(place.title, place.address, _is_at(path, place.address)) for place in places])
        for group, places in groupby(seen, key=lambda place: place.group)
    ]


def _is_at(path: str, address: str) -> bool:
    return path == address or (address != "/" and path.startswith(f"{address}/"))
