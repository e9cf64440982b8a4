"""Views of a list of the dashboard, kept under a name: the query of its address."""

import msgspec
from sqlalchemy import delete, func, insert, select

from penstock.storage.dashboard_tables import saved_views
from penstock.storage.engine import Handle

_v = saved_views.c


class ViewRow(msgspec.Struct, frozen=True):
    """A saved view. Columns as in ``dashboard_tables``."""

    id: str
    account: str
    page: str
    name: str
    query: str
    created_by: str
    created_at: int


_COLUMNS = [_v[name] for name in ViewRow.__struct_fields__]


async def of_page(connection: Handle, account: str, page: str, limit: int) -> list[ViewRow]:
    """The views of a page of the dashboard, by name."""
    wanted = select(*_COLUMNS).where(_v.account == account, _v.page == page).order_by(_v.name, _v.id).limit(limit)
    return [ViewRow(*row) for row in await connection.execute(wanted)]


async def count(connection: Handle, account: str) -> int:
    """Of all pages."""
    return (
        await connection.execute(select(func.count()).select_from(saved_views).where(_v.account == account))
    ).scalar_one()


async def add(connection: Handle, row: ViewRow) -> None:
    await connection.execute(insert(saved_views).values(msgspec.structs.asdict(row)))


async def drop_named(connection: Handle, account: str, page: str, name: str) -> None:
    await connection.execute(delete(saved_views).where(_v.account == account, _v.page == page, _v.name == name))


async def drop(connection: Handle, account: str, view: str) -> bool:
    """False: there is none of that id."""
    return (await connection.execute(delete(saved_views).where(_v.account == account, _v.id == view))).rowcount > 0
