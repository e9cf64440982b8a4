"""What alerts are judged by: figures of an account's gateways, or of one."""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, select

from penstock.core import codec
from penstock.model.outcome import Outcome
from penstock.storage.engine import Handle
from penstock.storage.log.measures import BOUNDS, WHOLE
from penstock.storage.tables import gateways, log_names, log_rollups, log_zones

ASKED = (Outcome.ANSWERED, Outcome.FAILED, Outcome.BROKEN, Outcome.BUG)  # outcomes of calls that say how it goes

_g, _r = gateways.c, log_rollups.c
_settings = codec.decoder(dict[str, Any]).decode


class Gateway(NamedTuple):
    """``figures``: what was asked for."""

    number: int
    id: str
    figures: tuple[int, ...]


async def failures(connection: Handle, account: str, gateway: int | None, span: int, since: int) -> list[Gateway]:
    """Calls since a minute, by roll-ups of that span, and those of them that were not answered well."""
    failed = case((_r.success == 0, _r.calls), else_=0)
    return await _sums(connection, account, gateway, (span, since), ASKED, [_r.calls, failed])


async def waits(connection: Handle, account: str, gateway: int | None, span: int, since: int) -> list[Gateway]:
    """Answers of providers, as above, in buckets by the milliseconds to their first byte (``BOUNDS``)."""
    buckets = [_r[f"latency_{bucket}"] for bucket in range(len(BOUNDS) + 1)]
    return await _sums(connection, account, gateway, (span, since), (Outcome.ANSWERED,), buckets, _r.cached == 0)


async def sizes(connection: Handle, account: str, gateway: int | None) -> list[Gateway]:
    """Rows of the log, and how many there may be, of gateways that say so."""
    total = select(func.sum(log_zones.c.rows)).where(log_zones.c.gateway == _g.number).scalar_subquery()
    limited = _live(account, gateway) & _g.settings.contains('"log_management":')
    rows = map(tuple[Any, ...], await connection.execute(select(_g.number, _g.id, _g.settings, total).where(limited)))
    found = [(number, name, _settings(told).get("log_management"), many) for number, name, told, many in rows]
    return [Gateway(number, name, (int(many or 0), most)) for number, name, most, many in found if most]


async def with_setting(connection: Handle, account: str, gateway: int | None, name: str) -> list[tuple[int, str, Any]]:
    """Number, id and that setting of gateways that have it."""
    having = _live(account, gateway) & _g.settings.contains(f'"{name}":')
    rows = map(tuple[Any, ...], await connection.execute(select(_g.number, _g.id, _g.settings).where(having)))
    return [(number, gateway_id, _settings(told).get(name)) for number, gateway_id, told in rows]


async def _sums(
    connection: Handle,
    account: str,
    gateway: int | None,
    since: tuple[int, int],
    outcomes: tuple[str, ...],
    columns: list[Any],
    more: ColumnElement[bool] | None = None,
) -> list[Gateway]:
    words = select(log_names.c.id).where(log_names.c.name.in_(outcomes))
    minutes = and_(_r.gateway == _g.number, _r.span == since[0], _r.key == WHOLE, _r.start >= since[1])
    wanted = (
        select(_g.number, _g.id, *(func.sum(column) for column in columns))
        .join(log_rollups, minutes)
        .where(_live(account, gateway), _r.outcome.in_(words))
        .group_by(_g.number, _g.id)
    )
    rows = map(tuple[Any, ...], await connection.execute(wanted if more is None else wanted.where(more)))
    return [Gateway(number, name, tuple(map(int, figures))) for number, name, *figures in rows]


def _live(account: str, gateway: int | None) -> ColumnElement[bool]:
    live = (_g.account == account) & _g.deleted_at.is_(None)
    return live if gateway is None else live & (_g.number == gateway)
