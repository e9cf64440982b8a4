"""What the parent gives each worker process: the settings as they were read at the start, secrets included.

It goes over the socket between the two, so that no secret shows in a list of processes, and a configuration file that
has changed meanwhile does not give the workers different settings.
"""

from pathlib import Path
from typing import Any, cast

from penstock.core.codec import Struct
from penstock.core.options import Setting
from penstock.core.settings import SETTINGS, Settings
from penstock.core.settings_sections import OidcGrant


class Handover(Struct, frozen=True):
    """``settings`` have paths as text and tuples as lists of text; ``first``: the server has not been up yet."""

    settings: dict[str, Any]
    providers: dict[str, str]
    provider_keys: dict[str, str]
    markups: tuple[tuple[str, str, float], ...]
    oidc_grants: tuple[OidcGrant, ...]
    prices: str
    url: str
    master_keys: tuple[bytes, ...]
    first: bool = True

    @classmethod
    def of(cls, settings: Settings, url: str, master_keys: tuple[bytes, ...]) -> "Handover":
        """``url`` and ``master_keys`` as in ``app.Place``."""
        spelt = {row.name: _spelt(getattr(settings, row.name)) for row in SETTINGS}
        tables = {name: getattr(settings, name) for name in _TABLES}
        return cls(spelt, **tables, url=url, master_keys=master_keys)

    def read(self) -> Settings:
        """The settings again."""
        values = {row.name: _read(row, self.settings[row.name]) for row in SETTINGS}
        return Settings(**values, **{name: getattr(self, name) for name in _TABLES})


_TABLES = ("providers", "provider_keys", "markups", "oidc_grants", "prices")  # what is no row of ``SETTINGS``


def _spelt(value: object) -> Any:
    if isinstance(value, tuple):
        return list(map(str, cast("tuple[object, ...]", value)))
    return str(value) if isinstance(value, Path) else value


def _read(row: Setting, value: Any) -> Any:
    if isinstance(row.default, tuple):
        return row.kind.parse(value)
    return Path(value) if isinstance(row.default, Path) else value
