"""The webhooks of alerts: what is to be delivered, and what became of it."""

from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Select, exists, func, insert, select, update
from sqlalchemy import delete as remove

from penstock.storage.engine import Handle
from penstock.storage.tables import alert_deliveries, alerts

KEPT = 500  # deliveries of an alert, of the newest

_c = alert_deliveries.c
_before = alert_deliveries.alias("before")


class DeliveryRow(msgspec.Struct, frozen=True):
    """A delivery. Times are milliseconds since the epoch."""

    id: str  # the webhook's; order of ids is order of time
    alert: str
    subject: str
    body: str
    created_at: int
    due_at: int | None  # when it is tried next; None: that is over
    attempts: int = 0
    status: int | None = None  # of the last answer
    error: str | None = None  # why the last attempt failed
    delivered_at: int | None = None


class Due(NamedTuple):
    """A delivery, and of its alert what it takes."""

    row: DeliveryRow
    account: str
    settings: str
    secret: str  # sealed


_ROW = [_c[name] for name in DeliveryRow.__struct_fields__]


async def add(connection: Handle, row: DeliveryRow) -> None:
    """The oldest ones beyond KEPT go."""
    await connection.execute(insert(alert_deliveries).values(msgspec.structs.asdict(row)))
    of = _c.alert == row.alert
    oldest = select(_c.id).where(of).order_by(_c.id.desc()).limit(1).offset(KEPT - 1).scalar_subquery()
    await connection.execute(remove(alert_deliveries).where(of, _c.id < oldest))


async def page(connection: Handle, alert_id: str, limit: int, offset: int) -> tuple[list[DeliveryRow], int]:
    """An alert's deliveries, newest first, and how many there are in all."""
    of = _c.alert == alert_id
    total = await connection.execute(select(func.count()).select_from(alert_deliveries).where(of))
    rows = await connection.execute(select(*_ROW).where(of).order_by(_c.id.desc()).limit(limit).offset(offset))
    return [DeliveryRow(*row) for row in rows], total.scalar_one()


async def due(connection: Handle, now: int, limit: int) -> list[Due]:
    """Those to be tried, the longest due first; of one subject none before the one that was made before it."""
    rows = await connection.execute(
        _next(*_ROW, alerts.c.account, alerts.c.settings, alerts.c.secret)
        .where(_c.due_at <= now)
        .order_by(_c.due_at, _c.id)
        .limit(limit)
    )
    return [Due(DeliveryRow(*row[:-3]), *row[-3:]) for row in map(tuple[Any, ...], rows)]


async def next_due(connection: Handle) -> int | None:
    """When the next one is to be tried; None: there is none."""
    return (await connection.execute(_next(func.min(_c.due_at)))).scalar_one()


async def claim(connection: Handle, row: DeliveryRow, until: int) -> DeliveryRow | None:
    """Counts an attempt. It is not due again before ``until``, so that one process makes it. None: another one does."""
    same = (_c.id == row.id) & (_c.due_at == row.due_at)
    values = {"due_at": until, "attempts": row.attempts + 1}
    done = await connection.execute(update(alert_deliveries).where(same).values(values))
    return msgspec.structs.replace(row, **values) if done.rowcount else None


async def change(connection: Handle, row: DeliveryRow) -> None:
    """What became of an attempt; of one that was dropped meanwhile, nothing is kept."""
    names = ("due_at", "attempts", "status", "error", "delivered_at")
    still = (_c.id == row.id) & _c.due_at.is_not(None)
    await connection.execute(update(alert_deliveries).where(still).values({n: getattr(row, n) for n in names}))


async def drop(connection: Handle, alert_id: str, why: str) -> None:
    """What has not been delivered will not be."""
    waiting = (_c.alert == alert_id) & _c.due_at.is_not(None)
    await connection.execute(update(alert_deliveries).where(waiting).values(due_at=None, error=why))


def _next(*columns: Any) -> Select[*tuple[Any, ...]]:
    """Of what waits, the first of each subject."""
    same = (_before.c.alert == _c.alert) & (_before.c.subject == _c.subject)
    first = ~exists().where(same, _before.c.due_at.is_not(None), _before.c.id < _c.id)
    joined = alert_deliveries.join(alerts, alerts.c.id == _c.alert)
    return select(*columns).select_from(joined).where(_c.due_at.is_not(None), first)
