"""An account's own providers."""

from typing import Any

import msgspec
from sqlalchemy import delete as remove
from sqlalchemy import insert, select, update

from penstock.core import codec
from penstock.storage.engine import Handle
from penstock.storage.errors import Taken
from penstock.storage.tables import custom_providers, gateways

_c = custom_providers.c
_settings = codec.decoder(dict[str, Any]).decode


class CustomRow(msgspec.Struct, frozen=True):
    """A custom provider. Times are milliseconds since the epoch."""

    id: str
    account: str
    slug: str  # without ``custom-``
    settings: dict[str, Any]  # as they were sent, secrets sealed
    generation: int
    created_at: int
    modified_at: int


_COLUMNS = [_c[name] for name in CustomRow.__struct_fields__]


async def add(connection: Handle, row: CustomRow) -> None:
    """Raises Taken where the account has one of that slug."""
    there = await connection.execute(select(_c.id).where(_c.account == row.account, _c.slug == row.slug))
    if there.one_or_none() is not None:  # whoever writes is alone
        raise Taken(row.slug)
    await connection.execute(insert(custom_providers).values(_values(row)))


async def change(connection: Handle, row: CustomRow) -> None:
    """The provider as it is now. Raises Taken where another one has its slug."""
    same = (_c.account == row.account) & (_c.slug == row.slug) & (_c.id != row.id)
    if (await connection.execute(select(_c.id).where(same))).one_or_none() is not None:
        raise Taken(row.slug)
    await connection.execute(update(custom_providers).where(_c.id == row.id).values(_values(row)))


async def get(connection: Handle, account: str, provider_id: str) -> CustomRow | None:
    found = await connection.execute(select(*_COLUMNS).where(_c.account == account, _c.id == provider_id))
    row = found.one_or_none()
    return None if row is None else _row(row)


async def of(connection: Handle, account: str) -> list[CustomRow]:
    """All of an account, oldest first."""
    wanted = select(*_COLUMNS).where(_c.account == account).order_by(_c.created_at, _c.id)
    return [_row(row) for row in await connection.execute(wanted)]


async def of_changed(connection: Handle, version: int) -> dict[str, list[CustomRow]]:
    """Those of every account that has a live gateway newer than ``version``, by account, oldest first."""
    found: dict[str, list[CustomRow]] = {}
    newer = (gateways.c.version > version) & gateways.c.deleted_at.is_(None)
    wanted = select(*_COLUMNS).where(_c.account.in_(select(gateways.c.account).where(newer)))
    for row in map(_row, await connection.execute(wanted.order_by(_c.created_at, _c.id))):
        found.setdefault(row.account, []).append(row)
    return found


async def delete(connection: Handle, account: str, provider_id: str) -> None:
    await connection.execute(remove(custom_providers).where(_c.account == account, _c.id == provider_id))


def _values(row: CustomRow) -> dict[str, Any]:
    return msgspec.structs.asdict(row) | {"settings": codec.encode(row.settings).decode()}


def _row(row: Any) -> CustomRow:
    values = list(row)
    values[3] = _settings(values[3])
    return CustomRow(*values)
