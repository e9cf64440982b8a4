"""The rules of gateways."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from penstock.control.context import Change, Context, Control, changing, found, refuse_another, refuse_limited
from penstock.control.gateways.masking import audited, masked, sealed
from penstock.control.gateways.schema import (
    DEFAULT,
    DEFAULT_GATEWAY,
    GatewayCreate,
    GatewayPaging,
    GatewayUpdate,
    told,
    urls,
)
from penstock.control.values import uncallable
from penstock.core import instants
from penstock.core.errors import Conflict, Invalid, NotPermitted
from penstock.storage import alerts, gateways, provider_keys, tokens
from penstock.storage.errors import Taken
from penstock.storage.gateways import GatewayRow

LIMITED = 7101  # code of the message that tokens are limited to a gateway that is gone
MOST_LISTED = 20  # of those tokens


async def page(context: Context, asked: GatewayPaging) -> tuple[list[dict[str, Any]], int]:
    """The gateways that the caller's token opens, oldest first, and how many there are in all."""
    async with context.control.database.reading() as connection:
        rows, total = await gateways.page(
            connection,
            context.account,
            search=asked.search.lower(),
            among=context.limited_to,
            limit=asked.per_page,
            offset=asked.offset,
        )
    return [shown(row) for row in rows], total


async def get(context: Context, gateway_id: str) -> dict[str, Any]:
    """Raises NotFound."""
    async with context.control.database.reading() as connection:
        return shown(found(await gateways.get(connection, context.account, gateway_id)))


async def create(context: Context, body: GatewayCreate) -> dict[str, Any]:
    """Raises NotPermitted, Conflict and Invalid."""
    if context.limited_to is not None and body.id not in context.limited_to:
        raise NotPermitted(f"Authentication error: the token is limited to gateways, and {body.id} is not one of them.")
    _refuse_uncallable(context.control, body.sent)
    settings = sealed(context.control.vault, (context.account, body.id), body.sent, {})
    _refuse_sharing(context, {}, settings)
    try:
        return shown(await _insert(context, body.id, settings))
    except Taken:
        raise Conflict(f"id: there is a gateway {body.id} already", path=("body", "id")) from None


async def update(context: Context, gateway_id: str, body: GatewayUpdate) -> dict[str, Any]:
    """Settings that were not sent stay as they are. What changes nothing leaves no trace, but that the gateway's cache
    is dropped where each update does that. Raises NotFound, Invalid.
    """
    control, account = context.control, context.account
    async with changing(context) as change:
        row = found(await gateways.get(change.connection, account, gateway_id))
        known = told(row, {})
        refuse_another({name: getattr(body, name) for name in ("id", "account_id", "is_default")}, known)
        _refuse_uncallable(control, body.sent)
        settings = row.settings | sealed(control.vault, (account, row.id), body.sent, row.settings)
        _refuse_sharing(context, row.settings, settings)
        drops = bool(settings.get("cache_invalidate_on_update"))
        if settings != row.settings:  # SDKs send members in an order of their own, and 5 as 5.0: that is the same
            row = await _change(change, row, settings)
        if drops:
            await gateways.raise_generation(change.connection, account, row.number, await change.raise_version())
    if drops:
        await control.cache.purge(row.number)
    return shown(row)


async def delete(context: Context, gateway_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Hides it and all it owns at once; rows are reaped later. Answers what it was, and what its owner must know.

    Raises NotFound.
    """
    async with changing(context) as change:
        connection, account = change.connection, context.account
        row = found(await gateways.get(connection, account, gateway_id))
        version = await change.record("gateway.delete", row.id, masked(row.settings), None)
        await gateways.delete(connection, account, row.number, _now(row), version)
        await provider_keys.delete_all(connection, row.number)
        await alerts.delete_of(connection, row.number)
        if gateways.store_of(row.settings):
            await gateways.touch_all(connection, account, version)
        limited = await tokens.limited_to(connection, account, row.id)
    await context.control.cache.purge(row.number)
    return shown(row), still_limited(row.id, limited, listed=context.limited_to is None)


def still_limited(gateway_id: str, tokens: Sequence[str], *, listed: bool) -> list[dict[str, Any]]:
    """What one must know who deletes a gateway: which ``tokens`` (ids) open any later one of its name.

    ``listed``: with their ids, which are not for a caller who sees no tokens.
    """
    if not tokens:
        return []
    many = f"{len(tokens)} tokens are" if len(tokens) > 1 else "1 token is"
    more = ", …" if len(tokens) > MOST_LISTED else ""
    which = f" ({', '.join(tokens[:MOST_LISTED])}{more})" if listed else ""
    told = f"{many} limited to {gateway_id}{which} and will open a gateway that is made with that id again: revoke "
    return [{"code": LIMITED, "message": told + ("them" if len(tokens) > 1 else "it") + " unless you want that."}]


async def ensure_default(context: Context) -> None:
    """Makes the gateway ``default`` where there is none, and publishes it; whoever comes first makes it."""
    async with context.control.database.reading() as connection:
        there = await gateways.get(connection, context.account, DEFAULT) is not None
    with suppress(Taken):
        if not there:
            await _insert(context, DEFAULT, DEFAULT_GATEWAY)
            return
    await context.control.refresh()  # somebody else has made it


def shown(row: GatewayRow) -> dict[str, Any]:
    """A gateway as it is answered."""
    return told(row, masked(row.settings))


async def _insert(context: Context, gateway_id: str, settings: dict[str, Any]) -> GatewayRow:
    """Raises Taken."""
    async with changing(context) as change:
        version = await change.record("gateway.create", gateway_id, None, masked(settings))
        return await gateways.insert(change.connection, context.account, gateway_id, settings, instants.now(), version)


async def _change(change: Change, row: GatewayRow, settings: dict[str, Any]) -> GatewayRow:
    before, after = audited(change.context.control.vault, (row.account, row.id), row.settings, settings)
    now, version = _now(row), await change.record("gateway.update", row.id, before, after)
    await gateways.change(change.connection, row.account, row.number, settings, now, version)
    if gateways.store_of(row.settings) != gateways.store_of(settings):
        await gateways.touch_all(change.connection, row.account, version)
    return msgspec.structs.replace(row, settings=settings, modified_at=now, version=version)


def _refuse_sharing(context: Context, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Raises NotPermitted for a token that is limited to gateways and would change whose keys a gateway may use."""
    if gateways.store_of(before) != gateways.store_of(after):
        refuse_limited(context, "change store_id")


def _refuse_uncallable(control: Control, settings: dict[str, Any]) -> None:
    """Raises Invalid for an address that would never be called."""
    for path, url in urls(settings):
        if sentence := uncallable(url, control.rules):
            raise Invalid(f"{'.'.join(map(str, path))}: {sentence}", path=("body", *path))


def _now(row: GatewayRow) -> int:
    """The time of a change; never before the last one, whatever the clock says."""
    return max(instants.now(), row.modified_at)
