"""The providers that Penstock knows, as this installation calls them."""

from datetime import date
from typing import NamedTuple

from penstock.control.context import Control


class Known(NamedTuple):
    """A provider. ``moved``: the address is the operator's; ``unconfigured``: why it cannot be called yet."""

    id: str
    aliases: list[str]
    dialects: list[str]
    base_url: str
    moved: bool
    keyed: bool  # whether the operator has a key for it
    unconfigured: str
    docs: str
    checked: date


def providers(control: Control) -> list[Known]:
    """By id."""
    assert control.parts is not None
    rows = {upstream.provider.id: upstream for upstream in control.parts.upstreams.values()}
    return [
        Known(
            id=name,
            aliases=upstream.provider.aliases,
            dialects=sorted({one.dialect for one in upstream.provider.endpoints if one.dialect}),
            base_url=upstream.base_url,
            moved=upstream.moved,
            keyed=name in control.parts.operators,
            unconfigured="" if upstream.moved else upstream.provider.unconfigured,
            docs=upstream.provider.docs,
            checked=upstream.provider.checked,
        )
        for name, upstream in sorted(rows.items())
    ]
