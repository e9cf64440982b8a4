"""The rules of gateways."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from penstock.control.context import Control
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
from penstock.control.recheck import recheck_token
from penstock.control.values import uncallable
from penstock.core import instants
from penstock.core.errors import Conflict, Invalid, NotFound, NotPermitted
from penstock.model.token import Token
from penstock.storage import audit, gateways, provider_keys, tokens
from penstock.storage.configuration import raise_version
from penstock.storage.engine import Handle
from penstock.storage.errors import Taken
from penstock.storage.gateways import GatewayRow

LIMITED = 7101  # code of the message that tokens are limited to a gateway that is gone
MOST_LISTED = 20  # of those tokens


async def page(control: Control, caller: Token, account: str, asked: GatewayPaging) -> tuple[list[dict[str, Any]], int]:
    """The gateways that the caller's token opens, oldest first, and how many there are in all."""
    async with control.database.reading() as connection:
        rows, total = await gateways.page(
            connection,
            account,
            search=asked.search.lower(),
            among=caller.gateways,
            limit=asked.per_page,
            offset=asked.offset,
        )
    return [shown(row) for row in rows], total


async def get(control: Control, account: str, gateway_id: str) -> dict[str, Any]:
    """Raises NotFound."""
    async with control.database.reading() as connection:
        return shown(await _live(connection, account, gateway_id))


async def create(control: Control, caller: Token, account: str, body: GatewayCreate) -> dict[str, Any]:
    """Raises NotPermitted, Conflict and Invalid."""
    if not caller.opens(body.id):
        raise NotPermitted(f"Authentication error: the token is limited to gateways, and {body.id} is not one of them.")
    _refuse_uncallable(control, body.sent)
    settings = sealed(control.vault, (account, body.id), body.sent, {})
    _refuse_sharing(caller, {}, settings)
    try:
        made = await _insert(control, caller, account, body.id, settings)
    except Taken:
        raise Conflict(f"id: there is a gateway {body.id} already", path=("body", "id")) from None
    await control.refresh()
    return shown(made)


async def update(control: Control, caller: Token, account: str, gateway_id: str, body: GatewayUpdate) -> dict[str, Any]:
    """Settings that were not sent stay as they are. What changes nothing leaves no trace, but that the gateway's cache
    is dropped where each update does that. Raises NotFound, Invalid.
    """
    async with control.database.writing() as connection:
        await recheck_token(connection, caller)
        row = await _live(connection, account, gateway_id)
        _refuse_another(body, told(row, {}))
        _refuse_uncallable(control, body.sent)
        settings = row.settings | sealed(control.vault, (account, row.id), body.sent, row.settings)
        _refuse_sharing(caller, row.settings, settings)
        drops = bool(settings.get("cache_invalidate_on_update"))
        changed = settings != row.settings  # SDKs send members in an order of their own, and 5 as 5.0: that is the same
        if not changed and not drops:
            return shown(row)
        version = await raise_version(connection)
        if changed:
            row = await _change(control, connection, caller, row, settings, version)
        if drops:
            await gateways.raise_generation(connection, account, row.number, version)
    await control.refresh()
    if drops:
        await control.cache.purge(row.number)
    return shown(row)


async def delete(
    control: Control, caller: Token, account: str, gateway_id: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Hides it and all it owns at once; rows are reaped later. Answers what it was, and what its owner must know.

    Raises NotFound.
    """
    async with control.database.writing() as connection:
        await recheck_token(connection, caller)
        row = await _live(connection, account, gateway_id)
        version = await raise_version(connection)
        await gateways.delete(connection, account, row.number, _now(row), version)
        await provider_keys.delete_all(connection, row.number)
        if gateways.store_of(row.settings):
            await gateways.touch_all(connection, account, version)
        await audit.add(connection, account, caller, "gateway.delete", row.id, masked(row.settings), None)
        limited = await tokens.limited_to(connection, account, row.id)
    await control.refresh()
    await control.cache.purge(row.number)
    return shown(row), still_limited(row.id, limited, listed=caller.gateways is None)


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


async def ensure_default(control: Control, account: str, actor: Token) -> None:
    """Makes the gateway ``default`` where there is none, and publishes it; whoever comes first makes it."""
    async with control.database.reading() as connection:
        there = await gateways.get(connection, account, DEFAULT) is not None
    if not there:
        with suppress(Taken):
            await _insert(control, actor, account, DEFAULT, DEFAULT_GATEWAY)
    await control.refresh()


def shown(row: GatewayRow) -> dict[str, Any]:
    """A gateway as it is answered."""
    return told(row, masked(row.settings))


async def _insert(
    control: Control, actor: Token, account: str, gateway_id: str, settings: dict[str, Any]
) -> GatewayRow:
    """Raises Taken."""
    async with control.database.writing() as connection:
        await recheck_token(connection, actor)
        version = await raise_version(connection)
        row = await gateways.insert(connection, account, gateway_id, settings, instants.now(), version)
        await audit.add(connection, account, actor, "gateway.create", gateway_id, None, masked(settings))
    return row


async def _change(
    control: Control, connection: Handle, actor: Token, row: GatewayRow, settings: dict[str, Any], version: int
) -> GatewayRow:
    now = _now(row)
    await gateways.change(connection, row.account, row.number, settings, now, version)
    if gateways.store_of(row.settings) != gateways.store_of(settings):
        await gateways.touch_all(connection, row.account, version)
    before, after = audited(control.vault, (row.account, row.id), row.settings, settings)
    await audit.add(connection, row.account, actor, "gateway.update", row.id, before, after)
    return msgspec.structs.replace(row, settings=settings, modified_at=now, version=version)


async def _live(connection: Handle, account: str, gateway_id: str) -> GatewayRow:
    row = await gateways.get(connection, account, gateway_id)
    if row is None:
        raise NotFound
    return row


def _refuse_another(body: GatewayUpdate, known: dict[str, Any]) -> None:
    """Raises Invalid for fields that can only be read and are not as they are."""
    for name in ("id", "account_id", "is_default"):
        value = getattr(body, name)
        if value is not None and value != known[name]:
            raise Invalid(f"{name}: cannot be changed", path=("body", name))


def _refuse_sharing(caller: Token, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Raises NotPermitted for a token that is limited to gateways and would change whose keys a gateway may use."""
    if caller.gateways is not None and gateways.store_of(before) != gateways.store_of(after):
        raise NotPermitted("Authentication error: a token that is limited to gateways cannot change store_id.")


def _refuse_uncallable(control: Control, settings: dict[str, Any]) -> None:
    """Raises Invalid for an address that would never be called."""
    for path, url in urls(settings):
        if sentence := uncallable(url, control.rules):
            raise Invalid(f"{'.'.join(map(str, path))}: {sentence}", path=("body", *path))


def _now(row: GatewayRow) -> int:
    """The time of a change; never before the last one, whatever the clock says."""
    return max(instants.now(), row.modified_at)
