"""Stored keys of providers, one gateway's each. A secret is sealed; what opens it is not here."""

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Update, func, insert, or_, select, update
from sqlalchemy import delete as remove

from penstock.core import codec
from penstock.storage.engine import Handle
from penstock.storage.errors import Taken
from penstock.storage.gateways import store_of
from penstock.storage.tables import gateways, provider_keys

_c = provider_keys.c


class KeyRow(msgspec.Struct, frozen=True):
    """A stored key. Times are milliseconds since the epoch; ``rate_limit_period`` is seconds."""

    id: str
    gateway: int
    provider: str
    alias: str
    default_config: bool
    secret: str | None  # sealed
    secret_id: str
    secret_preview: str
    rate_limit: int | None
    rate_limit_period: int | None
    generation: int  # of the secret
    created_at: int
    modified_at: int
    used_at: int | None = None
    refused_at: int | None = None
    refused_status: int | None = None


_settings = codec.decoder(dict[str, Any]).decode
_COLUMNS = [_c[name] for name in KeyRow.__struct_fields__]


async def add(connection: Handle, key: KeyRow) -> None:
    """A new key; one that is the default takes that from the others of its provider. Raises Taken for its alias."""
    await _only_default(connection, key)
    there = await connection.execute(select(_c.id).where(*_place(key.gateway, key.provider, key.alias)))
    if there.one_or_none() is not None:  # whoever writes is alone
        raise Taken(key.alias)
    await connection.execute(insert(provider_keys).values(_values(key)))


async def change(connection: Handle, key: KeyRow) -> None:
    """The key as it is now. Raises Taken where another one has its alias."""
    await _only_default(connection, key)
    there = await connection.execute(
        select(_c.id).where(*_place(key.gateway, key.provider, key.alias), _c.id != key.id)
    )
    if there.one_or_none() is not None:
        raise Taken(key.alias)
    await connection.execute(update(provider_keys).where(_c.id == key.id).values(_values(key)))


async def get(connection: Handle, gateway: int, key_id: str) -> KeyRow | None:
    found = await connection.execute(select(*_COLUMNS).where(_c.gateway == gateway, _c.id == key_id))
    row = found.one_or_none()
    return None if row is None else _row(row)


async def page(connection: Handle, gateway: int, limit: int, offset: int) -> tuple[list[KeyRow], int]:
    """A gateway's keys, oldest first, and how many there are in all."""
    total = await connection.execute(select(func.count()).select_from(provider_keys).where(_c.gateway == gateway))
    wanted = select(*_COLUMNS).where(_c.gateway == gateway).order_by(_c.created_at, _c.id)
    rows = await connection.execute(wanted.limit(limit).offset(offset))
    return [_row(row) for row in rows], total.scalar_one()


async def of(connection: Handle, gateway: int) -> list[KeyRow]:
    """All of a gateway, oldest first."""
    wanted = select(*_COLUMNS).where(_c.gateway == gateway).order_by(_c.created_at, _c.id)
    return [_row(row) for row in await connection.execute(wanted)]


async def of_changed(connection: Handle, version: int) -> dict[int, list[KeyRow]]:
    """All keys of the live gateways that are newer than ``version``, by gateway."""
    found: dict[int, list[KeyRow]] = {}
    newer = (gateways.c.version > version) & gateways.c.deleted_at.is_(None)
    wanted = select(*_COLUMNS).join(gateways, gateways.c.number == _c.gateway).where(newer)
    for row in map(_row, await connection.execute(wanted.order_by(_c.created_at, _c.id))):
        found.setdefault(row.gateway, []).append(row)
    return found


async def of_stores(connection: Handle, version: int) -> dict[tuple[str, str], list[KeyRow]]:
    """The keys of each store, by account and ``store_id``, of accounts that have a live gateway newer than ``version``:
    for each provider those of the oldest gateway in the store that has some.
    """
    newer = (gateways.c.version > version) & gateways.c.deleted_at.is_(None)
    there = gateways.c.deleted_at.is_(None) & gateways.c.settings.contains('"store_id":"')
    wanted = (
        select(gateways.c.account, gateways.c.settings, *_COLUMNS)
        .join(gateways, gateways.c.number == _c.gateway)
        .where(there, gateways.c.account.in_(select(gateways.c.account).where(newer)))
        .order_by(gateways.c.created_at, gateways.c.number, _c.created_at, _c.id)
    )
    found: dict[tuple[str, str], list[KeyRow]] = {}
    whose: dict[tuple[str, str, str], int] = {}
    for account, store, key in map(_stored, await connection.execute(wanted)):
        if store and whose.setdefault((account, store, key.provider), key.gateway) == key.gateway:
            found.setdefault((account, store), []).append(key)
    return found


async def used(connection: Handle, key_id: str, generation: int, at: int) -> None:
    """Its secret of that ``generation`` was used ``at`` that time; an earlier one than is known changes nothing."""
    await connection.execute(_seen(key_id, generation).where(_later(_c.used_at, at)).values(used_at=at))


async def refused(connection: Handle, key_id: str, generation: int, at: int, status: int) -> None:
    """Its provider refused it; as ``used``."""
    values = {"refused_at": at, "refused_status": status}
    await connection.execute(_seen(key_id, generation).where(_later(_c.refused_at, at)).values(values))


async def refused_ones(connection: Handle, account: str, gateway: int | None) -> list[tuple[str, KeyRow]]:
    """Keys whose last use was refused, of an account or of one of its gateways; each after that gateway's id."""
    whose = (gateways.c.account == account) & gateways.c.deleted_at.is_(None)
    if gateway is not None:
        whose &= _c.gateway == gateway
    last = _c.refused_at.is_not(None) & or_(_c.used_at.is_(None), _c.used_at <= _c.refused_at)
    wanted = select(gateways.c.id, *_COLUMNS).join(gateways, gateways.c.number == _c.gateway).where(whose, last)
    rows = map(tuple[Any, ...], await connection.execute(wanted.order_by(_c.refused_at, _c.id)))
    return [(row[0], _row(row[1:])) for row in rows]


async def delete(connection: Handle, gateway: int, key_id: str) -> None:
    await connection.execute(remove(provider_keys).where(_c.gateway == gateway, _c.id == key_id))


async def delete_all(connection: Handle, gateway: int, provider: str | None = None) -> None:
    """All of a gateway, or those of one provider."""
    wanted = _c.gateway == gateway if provider is None else (_c.gateway == gateway) & (_c.provider == provider)
    await connection.execute(remove(provider_keys).where(wanted))


async def there_are(connection: Handle, account: str, provider: str) -> bool:
    """Whether a gateway of the account has a key for that provider."""
    found = await connection.execute(select(_c.id).where(*_of_account(account, provider)).limit(1))
    return found.one_or_none() is not None


async def delete_of(connection: Handle, account: str, provider: str) -> None:
    """Those of all gateways of an account for that provider."""
    await connection.execute(remove(provider_keys).where(*_of_account(account, provider)))


def _of_account(account: str, provider: str) -> tuple[Any, Any]:
    return _c.provider == provider, _c.gateway.in_(select(gateways.c.number).where(gateways.c.account == account))


async def _only_default(connection: Handle, key: KeyRow) -> None:
    if key.default_config:
        others = (_c.gateway == key.gateway) & (_c.provider == key.provider) & (_c.id != key.id)
        await connection.execute(update(provider_keys).where(others).values(default_config=0))


def _seen(key_id: str, generation: int) -> Update:
    return update(provider_keys).where(_c.id == key_id, _c.generation == generation)


def _later(column: ColumnElement[Any], at: int) -> ColumnElement[bool]:
    return or_(column.is_(None), column < at)


def _place(gateway: int, provider: str, alias: str) -> tuple[Any, ...]:
    return _c.gateway == gateway, _c.provider == provider, _c.alias == alias


def _values(key: KeyRow) -> dict[str, Any]:
    return msgspec.structs.asdict(key) | {"default_config": int(key.default_config)}


def _stored(row: Any) -> tuple[str, str, KeyRow]:
    account, settings, *values = row
    return account, store_of(_settings(settings)), _row(values)


def _row(row: Any) -> KeyRow:
    values = list(row)
    values[4] = bool(values[4])
    return KeyRow(*values)
