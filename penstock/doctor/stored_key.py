"""Whether providers accept stored keys, asked from here."""

import asyncio
from collections.abc import Mapping, Sequence

from penstock.control.provider_configs.asking import PATIENCE, Asker, Tested
from penstock.core.settings import Settings
from penstock.doctor.outside import outside
from penstock.gateway.compile import upstreams
from penstock.model.credential import StoredKey
from penstock.providers import custom
from penstock.providers.custom import Custom


async def examine(
    keys: Sequence[StoredKey],
    customs: tuple[Custom, ...],
    settings: Settings,
    environ: Mapping[str, str],
    *,
    path: str | None = None,
    patience: float = PATIENCE,
) -> list[Tested]:
    """All at the same time; ``path``: below the provider, to ask in the place of what its row says.

    Raises ValueError for settings that cannot be used.
    """
    known = upstreams(settings.providers) | custom.upstreams(customs)
    with outside(settings, environ, patience) as (_, transport):
        asker = Asker(transport, patience)
        return await asyncio.gather(*(asker.test(key, known.get(key.provider), path) for key in keys))
