"""Alerts, and of each what it has told about whom."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import delete as remove
from sqlalchemy import func, insert, select, update

from penstock.core import codec
from penstock.storage.engine import Handle
from penstock.storage.tables import alert_states, alerts, gateways

_c, _s = alerts.c, alert_states.c
_object = codec.decoder(dict[str, Any]).decode


class AlertRow(msgspec.Struct, frozen=True):
    """An alert. Times are milliseconds since the epoch."""

    id: str
    account: str
    gateway: int | None  # None: all of the account
    gateway_id: str | None
    kind: str
    settings: dict[str, Any]
    secret: str  # sealed
    due_at: int | None  # when it is evaluated next; None: it is disabled
    created_at: int
    modified_at: int


class State(msgspec.Struct, frozen=True):
    """What was told of one subject last, ``fired_at``. ``since`` None: its condition does not hold any more."""

    subject: str
    since: int | None
    fired_at: int
    about: dict[str, Any]  # what the subject is


_STORED = [name for name in AlertRow.__struct_fields__ if name != "gateway_id"]
_COLUMNS = [gateways.c.id if name == "gateway_id" else _c[name] for name in AlertRow.__struct_fields__]
_ALERTS = select(*_COLUMNS).select_from(alerts.outerjoin(gateways, gateways.c.number == _c.gateway))


async def add(connection: Handle, row: AlertRow) -> None:
    await connection.execute(insert(alerts).values(_values(row)))


async def change(connection: Handle, row: AlertRow) -> None:
    await connection.execute(update(alerts).where(_c.id == row.id).values(_values(row)))


async def get(connection: Handle, account: str, alert_id: str) -> AlertRow | None:
    row = (await connection.execute(_ALERTS.where(_c.account == account, _c.id == alert_id))).one_or_none()
    return None if row is None else _row(row)


async def page(connection: Handle, account: str, limit: int, offset: int) -> tuple[list[AlertRow], int]:
    """An account's alerts, oldest first, and how many there are in all."""
    wanted = _ALERTS.where(_c.account == account).order_by(_c.created_at, _c.id).limit(limit).offset(offset)
    return [_row(row) for row in await connection.execute(wanted)], await count(connection, account)


async def count(connection: Handle, account: str) -> int:
    found = await connection.execute(select(func.count()).select_from(alerts).where(_c.account == account))
    return found.scalar_one()


async def delete(connection: Handle, account: str, alert_id: str) -> None:
    await connection.execute(remove(alerts).where(_c.account == account, _c.id == alert_id))


async def delete_of(connection: Handle, gateway: int) -> None:
    """Those of one gateway."""
    await connection.execute(remove(alerts).where(_c.gateway == gateway))


async def due(connection: Handle, now: int, limit: int) -> list[str]:
    """Ids of those that are to be evaluated, the longest due first."""
    wanted = select(_c.id).where(_c.due_at <= now).order_by(_c.due_at, _c.id).limit(limit)
    return list((await connection.execute(wanted)).scalars())


async def claim(connection: Handle, alert_ids: Sequence[str], now: int, until: int) -> list[AlertRow]:
    """Those of them that are still due. They are not again before ``until``, so that one process evaluates them."""
    there = _c.id.in_(alert_ids)
    taken = await connection.execute(
        update(alerts).where(there, _c.due_at <= now).values(due_at=until).returning(_c.id)
    )
    ids = list(taken.scalars())
    return [_row(row) for row in await connection.execute(_ALERTS.where(_c.id.in_(ids)).order_by(_c.id))]


# What an alert has told


async def states(connection: Handle, alert_id: str) -> dict[str, State]:
    """By subject."""
    wanted = select(*(_s[name] for name in State.__struct_fields__)).where(_s.alert == alert_id)
    rows = map(tuple[Any, ...], await connection.execute(wanted))
    return {subject: State(subject, since, fired_at, _object(about)) for subject, since, fired_at, about in rows}


async def set_state(connection: Handle, alert_id: str, state: State) -> None:
    await forget(connection, alert_id, state.subject)
    values = msgspec.structs.asdict(state) | {"alert": alert_id, "about": codec.encode(state.about).decode()}
    await connection.execute(insert(alert_states).values(values))


async def forget(connection: Handle, alert_id: str, subject: str | None = None) -> None:
    """What was told of one subject, or of all."""
    wanted = _s.alert == alert_id if subject is None else (_s.alert == alert_id) & (_s.subject == subject)
    await connection.execute(remove(alert_states).where(wanted))


async def firing(connection: Handle, alert_ids: Sequence[str]) -> Mapping[str, tuple[int, int]]:
    """Of those alerts whose condition holds, of how many subjects it does, and since when."""
    wanted = select(_s.alert, func.count(), func.min(_s.since)).group_by(_s.alert)
    rows = await connection.execute(wanted.where(_s.alert.in_(alert_ids), _s.since.is_not(None)))
    return {alert: (many, since) for alert, many, since in rows}


def _values(row: AlertRow) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in _STORED}
    return values | {"settings": codec.encode(row.settings).decode()}


def _row(row: Any) -> AlertRow:
    alert_id, account, gateway, gateway_id, kind, settings, *rest = row
    return AlertRow(alert_id, account, gateway, gateway_id, kind, _object(settings), *rest)
