"""The columns that hold sealed texts, for whoever seals them anew (``control.resealing``)."""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, FromClause, select, update

from penstock.storage.engine import Handle
from penstock.storage.tables import alerts, configuration, custom_providers, gateways, provider_keys


class Column(NamedTuple):
    """``names``: what tells a row's place, beside its ``id``."""

    table: Any
    id: ColumnElement[Any]
    held: ColumnElement[Any]
    names: tuple[ColumnElement[Any], ...]
    source: FromClause


class Row(NamedTuple):
    """``held`` is the column as it is stored, ``names`` the values of the column's ``names``."""

    id: Any
    held: str
    names: tuple[Any, ...]


_k, _g, _c, _a = provider_keys.c, gateways.c, custom_providers.c, alerts.c

KEYS = Column(
    provider_keys,
    _k.id,
    _k.secret,
    (_g.account, _k.gateway, _k.provider, _k.alias),
    provider_keys.join(gateways, _g.number == _k.gateway),
)
GATEWAYS = Column(gateways, _g.number, _g.settings, (_g.account, _g.id), gateways)
CUSTOM_PROVIDERS = Column(custom_providers, _c.id, _c.settings, (_c.account, _c.id), custom_providers)
ALERTS = Column(alerts, _a.id, _a.secret, (_a.account, _a.id), alerts)


async def page(connection: Handle, column: Column, after: Any, limit: int) -> list[Row]:
    """Rows that hold something, in order of their ids; ``after``: the id before them, None at the beginning."""
    wanted = select(column.id, column.held, *column.names).select_from(column.source).where(column.held.is_not(None))
    if after is not None:
        wanted = wanted.where(column.id > after)
    rows = map(tuple[Any, ...], await connection.execute(wanted.order_by(column.id).limit(limit)))
    return [Row(row[0], row[1], row[2:]) for row in rows]


async def replace(connection: Handle, column: Column, row: Row, held: str) -> bool:
    """Puts ``held`` in the place of what the row holds. False: it has changed meanwhile, or is gone."""
    same = (column.id == row.id) & (column.held == row.held)
    done = await connection.execute(update(column.table).where(same).values({column.held: held}))
    return done.rowcount > 0


async def key_check(connection: Handle) -> str | None:
    """The word that is sealed with the master key (``health.KEY_CHECK``)."""
    return (await connection.execute(select(configuration.c.key_check))).scalar_one()


async def set_key_check(connection: Handle, check: str) -> None:
    await connection.execute(update(configuration).values(key_check=check))
