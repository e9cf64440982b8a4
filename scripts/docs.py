"""Writes the tables in ``docs/`` that the code already knows; ``--check`` only says whether they are as they should be.

A table stands between ``<!-- table: name -->`` and ``<!-- end -->``; the rest of the page is written by hand.
"""

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from penstock.core.options import Setting
from penstock.core.settings import SETTINGS
from penstock.core.telemetry import METRICS
from penstock.mock.providers import PROVIDERS, WRITTEN
from penstock.model.endpoint import Endpoint
from penstock.providers import catalog
from penstock.providers.kinds import FEES
from penstock.wire.cache_key import NOISE, NOISE_PREFIXES
from tests.kit.pairs import page as compatibility

DOCS = Path(__file__).resolve().parent.parent / "docs"
PLACE = re.compile(r"(<!-- table: ([a-z_]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rows(head: str, lines: Iterable[Iterable[str]]) -> str:
    """A Markdown table; ``head`` holds the column names, separated by ``|``."""
    names = head.split("|")
    return "".join(f"| {' | '.join(line)} |\n" for line in [names, ["---"] * len(names), *lines])


def settings() -> str:
    return rows("setting|kind|default|what it does", map(_setting, SETTINGS))


def retention() -> str:
    lines = (
        [f"`{row.id}`", _parameters(asks.headers, ": "), _parameters(asks.query, "="), quoted(*sorted(asks.operations))]
        for row in known()
        if (asks := row.zero_retention) is not None
    )
    return rows("provider|header|parameter|operations", lines)


def units() -> str:
    return quoted(*sorted(FEES)) + ".\n"


def metrics() -> str:
    lines = ([f"`{row.name}`", row.kind, ", ".join(row.labels) or "–", row.help] for row in METRICS)
    return rows("metric|kind|labels|what it says", lines)


def providers() -> str:
    lines = (
        [
            quoted(row.id, *row.aliases),
            quoted(*dict.fromkeys(route.base_url or row.base_url for route in row.routes)) or "where you say",
            quoted(*row.credential_headers, *(f"?{name}=" for name in row.credential_parameters)),
            row.docs,
        ]
        for row in known()
    )
    return rows("slug, aliases|calls go to|the provider's key travels in|its documentation", lines)


def routes() -> str:
    lines = (
        [f"`{row.id}`", f"`{route.path}/…`" if route.path else "any other", _address(row, route)]
        for row in known()
        if len(row.routes) > 1
        for route in row.routes
    )
    return rows("provider|path below it|leads to", lines)


def endpoints() -> str:
    lines = (
        [f"`{row.id}`", quoted(*(one.path for one in found)), kind, *map(_yes, (found[0].dialect, found[0].cacheable))]
        for row in known()
        for (kind, *_), found in _by_kind(row).items()
    )
    return rows("provider|path|request type in the log|tokens and cost|cached", lines)


def simulated() -> str:
    lines = ([f"`/{name}/`", quoted(*PROVIDERS[name].routes)] for name in sorted(PROVIDERS.keys() - WRITTEN.keys()))
    return rows("provider|paths below it", lines)


def noise() -> str:
    prefixes = [f"{prefix.decode()}…" for prefix in NOISE_PREFIXES]
    return quoted(*sorted([*map(bytes.decode, NOISE), *prefixes])) + "\n"


def asked() -> str:
    return rows("|".join(["a client asks for", "in", *compatibility.PROVIDER_NAMES]), compatibility.asked_rows())


def told() -> str:
    return rows("|".join(["a provider tells", *compatibility.CLIENT_NAMES]), compatibility.told_rows())


def known() -> list[catalog.Provider]:
    """The rows, each once."""
    return [row for slug, row in sorted(catalog.load().items()) if slug == row.id]


def quoted(*words: str) -> str:
    return ", ".join(f"`{word}`" for word in words if word)


def _parameters(told: dict[str, str], between: str) -> str:
    return quoted(*(f"{name}{between}{value}" for name, value in told.items()))


def _address(row: catalog.Provider, route: catalog.Route) -> str:
    address = "/".join(filter(None, (route.base_url or row.base_url, route.to, "…")))
    return f"`{address}`" + (f"; where nothing is left, `…/{route.rest}`" if route.rest else "")


def _by_kind(row: catalog.Provider) -> dict[tuple[str, bool, bool], list[Endpoint]]:
    found: dict[tuple[str, bool, bool], list[Endpoint]] = {}
    for one in row.endpoints:
        found.setdefault((one.request_type or "", bool(one.dialect), one.cacheable), []).append(one)
    return found


def _yes(value: object) -> str:
    return "yes" if value else "no"


TABLES: dict[str, Callable[[], str]] = {
    "settings": settings,
    "metrics": metrics,
    "retention": retention,
    "units": units,
    "providers": providers,
    "routes": routes,
    "endpoints": endpoints,
    "simulated": simulated,
    "noise": noise,
    "asked": asked,
    "told": told,
}


def main(*, check: bool) -> int:
    """1 if ``check`` found a table that is not as it should be."""
    stale = [page for page in sorted(DOCS.glob("*.md")) if _page(page) != page.read_text("utf-8")]
    for page in stale:
        if check:
            print(f"{page.relative_to(DOCS.parent)} is out of date; `make docs` writes it anew", file=sys.stderr)
        else:
            page.write_text(_page(page), "utf-8")
    return int(check and bool(stale))


def _page(page: Path) -> str:
    return PLACE.sub(lambda found: found[1] + TABLES[found[2]]() + found[3], page.read_text("utf-8"))


def _setting(row: Setting) -> list[str]:
    default = row.kind.spell(row.default)
    return [f"`{row.name}`", row.kind.name, f"`{default}`" if default else "–", row.sentence]


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
