"""Writes down when stored keys were used, now and then, so that no call waits for it."""

import asyncio

from penstock.core.key_uses import KeyUses
from penstock.core.logs import log
from penstock.storage import provider_keys
from penstock.storage.engine import Database

PAUSE = 60.0  # seconds; what a process has seen since is lost with it


async def write_again_and_again(database: Database, uses: KeyUses, pause: float = PAUSE) -> None:
    """Until it is cancelled. While the store is away, nothing is written down."""
    while True:
        await asyncio.sleep(pause)
        try:
            await write(database, uses)
        except Exception as error:  # noqa: BLE001  whatever it is, calls go on, and a later one may be written
            log.warning("the last use of stored keys could not be written down: %r", error)


async def write(database: Database, uses: KeyUses) -> None:
    """All of it in one transaction. Raises StoreUnavailable."""
    if taken := uses.take():
        async with database.writing() as connection:
            for (key_id, generation), use in taken.items():
                await provider_keys.used(connection, key_id, generation, use.used_at)
                if use.refused_at:
                    await provider_keys.refused(connection, key_id, generation, use.refused_at, use.refused_status)
