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
from penstock.providers import catalog

DOCS = Path(__file__).resolve().parent.parent / "docs"
PLACE = re.compile(r"(<!-- table: ([a-z_]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rows(head: str, lines: Iterable[Iterable[str]]) -> str:
    """A Markdown table; ``head`` holds the column names, separated by ``|``."""
    names = head.split("|")
    return "".join(f"| {' | '.join(line)} |\n" for line in [names, ["---"] * len(names), *lines])


def settings() -> str:
    return rows("setting|kind|default|what it does", map(_setting, SETTINGS))


def metrics() -> str:
    lines = ([f"`{row.name}`", row.kind, ", ".join(row.labels) or "–", row.help] for row in METRICS)
    return rows("metric|kind|labels|what it says", lines)


def providers() -> str:
    known = catalog.load()
    lines = (
        [f"`{row.id}`", f"`{row.base_url}`", ", ".join(f"`{name}`" for name in row.credential_headers), row.docs]
        for slug, row in sorted(known.items())
        if slug == row.id
    )
    return rows("slug|calls go to|the provider's key travels in|its documentation", lines)


def endpoints() -> str:
    known = catalog.load()
    lines = (
        [f"`{row.id}`", f"`{endpoint.path}`", endpoint.request_type or "", "yes" if endpoint.dialect else "no"]
        for slug, row in sorted(known.items())
        if slug == row.id
        for endpoint in row.endpoints
    )
    return rows("provider|path|request type in the log|tokens and cost", lines)


TABLES: dict[str, Callable[[], str]] = {
    "settings": settings,
    "metrics": metrics,
    "providers": providers,
    "endpoints": endpoints,
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
