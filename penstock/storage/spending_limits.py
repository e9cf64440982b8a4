"""What all calls of an account may cost within a day, a week or a month."""

from typing import Any

import msgspec
from sqlalchemy import delete as remove
from sqlalchemy import insert, select

from penstock.storage.engine import Handle
from penstock.storage.tables import gateways, spending_limits

_c = spending_limits.c


class LimitRow(msgspec.Struct, frozen=True):
    """The limit of an account. ``amount``: cents; ``duration`` and ``strategy`` as the API has them."""

    account: str
    amount: int
    duration: str
    strategy: str
    modified_at: int


_COLUMNS = [_c[name] for name in LimitRow.__struct_fields__]


async def get(connection: Handle, account: str) -> LimitRow | None:
    found = await connection.execute(select(*_COLUMNS).where(_c.account == account))
    row = found.one_or_none()
    return None if row is None else LimitRow(*row)


async def put(connection: Handle, row: LimitRow) -> None:
    """In the place of the one there was; whoever writes is alone."""
    await delete(connection, row.account)
    values: dict[str, Any] = msgspec.structs.asdict(row)
    await connection.execute(insert(spending_limits).values(values))


async def delete(connection: Handle, account: str) -> None:
    await connection.execute(remove(spending_limits).where(_c.account == account))


async def of_changed(connection: Handle, version: int) -> dict[str, LimitRow]:
    """Those of every account that has a live gateway newer than ``version``, by account."""
    newer = (gateways.c.version > version) & gateways.c.deleted_at.is_(None)
    wanted = select(*_COLUMNS).where(_c.account.in_(select(gateways.c.account).where(newer)))
    return {row.account: LimitRow(*row) for row in await connection.execute(wanted)}
