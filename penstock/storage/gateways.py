"""Gateways. A deleted one keeps its row until all that it owned is gone; nobody but the reaper sees it."""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import delete as remove
from sqlalchemy import func, select, update

from penstock.core import codec
from penstock.storage.engine import Handle
from penstock.storage.errors import Taken
from penstock.storage.tables import gateways


class GatewayRow(msgspec.Struct, frozen=True):
    """A gateway. Times are milliseconds since the epoch; ``number`` is never given to another one."""

    number: int
    account: str
    id: str
    settings: dict[str, Any]  # as they were sent, secrets sealed
    created_at: int
    modified_at: int
    deleted_at: int | None
    version: int  # of the configuration, at the last change
    generation: int = 0  # of its cache


def store_of(settings: Mapping[str, Any]) -> str:
    """Gateways of an account with the same store use one another's keys; empty: it has none."""
    return settings.get("store_id") or ""


_COLUMNS = [gateways.c[name] for name in GatewayRow.__struct_fields__]
_settings = codec.decoder(dict[str, Any]).decode


async def insert(
    connection: Handle, account: str, gateway_id: str, settings: dict[str, Any], now: int, version: int
) -> GatewayRow:
    """A new gateway. ``version`` as ``configuration.raise_version`` gave it in this transaction, here and below.

    Raises Taken if the account has a live one of that id.
    """
    if await get(connection, account, gateway_id) is not None:  # whoever writes is alone
        raise Taken(gateway_id)
    values = {"account": account, "id": gateway_id, "settings": codec.encode(settings).decode()}
    values |= {"created_at": now, "modified_at": now, "version": version}
    made = await connection.execute(gateways.insert().values(values).returning(gateways.c.number))
    return GatewayRow(made.scalar_one(), account, gateway_id, settings, now, now, None, version)


async def get(connection: Handle, account: str, gateway_id: str) -> GatewayRow | None:
    """The live one."""
    found = await connection.execute(select(*_COLUMNS).where(_live(account), gateways.c.id == gateway_id))
    row = found.one_or_none()
    return None if row is None else _row(row)


async def page(
    connection: Handle,
    account: str,
    *,
    search: str = "",
    among: frozenset[str] | None = None,
    having: str = "",
    limit: int,
    offset: int,
) -> tuple[list[GatewayRow], int]:
    """Live ones, oldest first, and how many there are in all: those whose id contains ``search`` and is ``among``, and
    that have the setting ``having``.
    """
    wanted = _live(account)
    if having:
        named = f'"{having}":'
        wanted &= gateways.c.settings.contains(named, autoescape=True)
        wanted &= ~gateways.c.settings.contains(f"{named}null", autoescape=True)
    if search:
        wanted &= gateways.c.id.contains(search, autoescape=True)
    if among is not None:
        wanted &= gateways.c.id.in_(sorted(among))
    total = await connection.execute(select(func.count()).select_from(gateways).where(wanted))
    oldest = select(*_COLUMNS).where(wanted).order_by(gateways.c.created_at, gateways.c.number)
    rows = await connection.execute(oldest.limit(limit).offset(offset))
    return [_row(row) for row in rows], total.scalar_one()


async def any_names(
    connection: Handle, account: str, setting: str, text: str, *, among: frozenset[str] | None = None
) -> bool:
    """Whether a live one, of those ``among``, has the text in the list that a setting of it is."""
    wanted = _live(account) & gateways.c.settings.contains(codec.encode(setting).decode(), autoescape=True)
    wanted &= gateways.c.settings.contains(codec.encode(text).decode(), autoescape=True)
    if among is not None:
        wanted &= gateways.c.id.in_(sorted(among))
    rows = await connection.execute(select(gateways.c.settings).where(wanted))
    return any(text in (_settings(settings).get(setting) or ()) for (settings,) in rows)


async def change(
    connection: Handle, account: str, number: int, settings: dict[str, Any], now: int, version: int
) -> bool:
    """False: there is no such gateway, or it was deleted."""
    values = {"settings": codec.encode(settings).decode(), "modified_at": now, "version": version}
    done = await connection.execute(update(gateways).where(_live(account), gateways.c.number == number).values(values))
    return done.rowcount > 0


async def touch(connection: Handle, number: int, version: int) -> None:
    """Something that belongs to it has changed: whoever serves reads it anew."""
    await connection.execute(update(gateways).where(gateways.c.number == number).values(version=version))


async def touch_all(connection: Handle, account: str, version: int) -> None:
    """The same of all live gateways of an account."""
    await connection.execute(update(gateways).where(_live(account)).values(version=version))


async def raise_generation(connection: Handle, account: str, number: int, version: int) -> None:
    """What it has cached is not found any more."""
    values = {"generation": gateways.c.generation + 1, "version": version}
    await connection.execute(update(gateways).where(_live(account), gateways.c.number == number).values(values))


async def raise_generations(connection: Handle, account: str, version: int) -> None:
    """The same of all live gateways of an account."""
    values = {"generation": gateways.c.generation + 1, "version": version}
    await connection.execute(update(gateways).where(_live(account)).values(values))


async def delete(connection: Handle, account: str, number: int, now: int, version: int) -> bool:
    """Hides it. False: there is no such gateway, or it was deleted before."""
    values = {"deleted_at": now, "version": version}
    done = await connection.execute(update(gateways).where(_live(account), gateways.c.number == number).values(values))
    return done.rowcount > 0


async def changed_since(connection: Handle, version: int) -> list[GatewayRow]:
    """What is newer than ``version``, of all accounts, deleted ones too, in order of the changes."""
    newer = select(*_COLUMNS).where(gateways.c.version > version).order_by(gateways.c.version, gateways.c.number)
    return [_row(row) for row in await connection.execute(newer)]


async def deleted(connection: Handle, limit: int) -> list[GatewayRow]:
    """Deleted ones that something may still be left of, the longest gone first."""
    gone = select(*_COLUMNS).where(gateways.c.deleted_at.is_not(None))
    rows = await connection.execute(gone.order_by(gateways.c.deleted_at, gateways.c.number).limit(limit))
    return [_row(row) for row in rows]


async def forget(connection: Handle, number: int) -> None:
    """Removes the row of a deleted gateway, of which nothing is left."""
    await connection.execute(remove(gateways).where(gateways.c.number == number, gateways.c.deleted_at.is_not(None)))


def _live(account: str) -> Any:
    return (gateways.c.account == account) & gateways.c.deleted_at.is_(None)


def _row(row: Any) -> GatewayRow:
    number, account, gateway_id, settings, *rest = row
    return GatewayRow(number, account, gateway_id, _settings(settings), *rest)
