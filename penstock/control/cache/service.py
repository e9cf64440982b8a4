"""The rules of cached answers."""

from collections.abc import Iterator
from contextlib import suppress

from penstock.control.cache.schema import Purge
from penstock.control.context import Context, changing, found
from penstock.storage import audit, gateways
from penstock.wire.cache_key import own_key

_AROUND = " \t"  # a header's value, which such a key is


async def purge(context: Context, gateway_id: str, body: Purge) -> int:
    """How many were dropped here. Raises NotFound.

    All of a gateway's are dropped by raising its generation, which every process heeds. Of single ones, processes that
    keep answers each in their own memory hear nothing, and others not while their store is away: there all are dropped.
    """
    control, account, actor = context
    key, age = body.cache_key, body.older_than
    apart = control.shared and not control.cache.shared
    everything = (key is None and age is None) or apart
    async with changing(context) as change:
        row = found(await gateways.get(change.connection, account, gateway_id))
        if everything:
            await gateways.raise_generation(change.connection, account, row.number, await change.raise_version())
        asked = body.model_dump(exclude_none=True)
        await audit.add(change.connection, account, actor, "gateway.purge_cache", row.id, None, asked)
    if not everything:
        spellings: set[bytes | None] = {None} if key is None else {*_spellings(key.strip(_AROUND))}
        named = [one if one is None else own_key(row.number, row.generation, one) for one in spellings]
        purged = [await control.cache.purge(row.number, one, age or 0) for one in named]
        if all(one.everywhere for one in purged):
            return sum(one.answers for one in purged)
        async with changing(context) as change:
            await gateways.raise_generation(change.connection, account, row.number, await change.raise_version())
    return (await control.cache.purge(row.number)).answers


def _spellings(key: str) -> Iterator[bytes]:
    """What a client may have sent: UTF-8, or Latin-1 as browsers and Node do where they can."""
    yield key.encode()
    with suppress(UnicodeEncodeError):
        yield key.encode("latin-1")
