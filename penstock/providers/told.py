"""Single figures of a usage object that the log kept, whatever its dialect calls them."""

from functools import cache

from penstock.providers import catalog
from penstock.providers.accounting import members_of
from penstock.providers.dialects import DIALECTS


def told(usage: object, kind: str) -> int | None:
    """How much of this kind a decoded usage object tells; None: it does not."""
    said = members_of(usage)
    for section, name in _places(kind):
        value = members_of(said.get(section) if section else said).get(name)
        if type(value) is int:
            return value
    return None


@cache
def _places(kind: str) -> list[tuple[str, str]]:
    """Where dialects and rows of providers have such a figure."""
    named = [dialect.figures.members for dialect in DIALECTS.values()]
    named += [row.usage.members for row in catalog.load().values()]
    paths = dict.fromkeys(path for members in named for path, its in members.items() if its == kind)
    return [(section, name) for section, _, name in (path.rpartition(".") for path in paths)]
