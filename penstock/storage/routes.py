"""Dynamic routes of gateways: their versions, which are never changed, and their deployments."""

import secrets
from typing import Any

import msgspec
from sqlalchemy import Table, func, insert, select, update
from sqlalchemy import delete as remove

from penstock.core import codec
from penstock.storage.engine import Handle
from penstock.storage.errors import Taken
from penstock.storage.tables import gateways, route_deployments, route_versions, routes

_c, _v, _d = routes.c, route_versions.c, route_deployments.c
_elements = codec.decoder(list[dict[str, Any]]).decode


class VersionRow(msgspec.Struct, frozen=True):
    """A version. Times are milliseconds since the epoch, here and below."""

    id: str
    number: int  # 1, 2, … of its route
    data: str  # a JSON list, as it was sent
    judged: str | None  # a JSON object: why it cannot be deployed; None: it can
    created_at: int

    @property
    def elements(self) -> list[dict[str, Any]]:
        return _elements(self.data)

    @property
    def fault(self) -> dict[str, Any] | None:
        return None if self.judged is None else codec.decode(self.judged)


class DeploymentRow(msgspec.Struct, frozen=True):
    """One time that a version was deployed."""

    id: str
    number: int  # 1, 2, … of its route
    version: str  # id
    created_at: int


class RouteRow(msgspec.Struct, frozen=True):
    """A route. ``version``: the deployed one; while there was no ``deployment``, the newest."""

    id: str
    gateway: int
    name: str
    created_at: int
    modified_at: int
    version: VersionRow
    deployment: DeploymentRow | None


class DeployedRoute(msgspec.Struct, frozen=True):
    """What a gateway's route is compiled from."""

    id: str
    name: str
    version: str  # id
    elements: str  # a JSON list


_ROUTE = [_c[name] for name in RouteRow.__struct_fields__[:5]]
_VERSION = [_v[name] for name in ("id", "number", "elements", "fault", "created_at")]
_DEPLOYMENT = [_d[name] for name in DeploymentRow.__struct_fields__]


async def add(
    connection: Handle, gateway: int, name: str, elements: list[dict[str, Any]], fault: dict[str, Any] | None, now: int
) -> RouteRow:
    """A new route, with its first version. Raises Taken where the gateway has one of that name."""
    await _expect_free(connection, gateway, name)
    route, version = secrets.token_hex(16), _version(1, elements, fault, now)
    row = RouteRow(route, gateway, name, now, now, version, None)
    values = {"gateway": gateway, "name": name, "version": version.id, "created_at": now, "modified_at": now}
    await connection.execute(insert(routes).values(id=route, **values))
    await _add_version(connection, route, version)
    return row


async def count(connection: Handle, gateway: int) -> int:
    return await _total(connection, routes, _c.gateway == gateway)


async def get(connection: Handle, gateway: int, route_id: str) -> RouteRow | None:
    found = await connection.execute(_routes().where(_c.gateway == gateway, _c.id == route_id))
    row = found.one_or_none()
    return None if row is None else _row(row)


async def page(connection: Handle, gateway: int, limit: int, offset: int) -> tuple[list[RouteRow], int]:
    """A gateway's routes, oldest first, and how many there are in all."""
    wanted = _routes().where(_c.gateway == gateway).order_by(_c.created_at, _c.id)
    rows = await connection.execute(wanted.limit(limit).offset(offset))
    return [_row(row) for row in rows], await count(connection, gateway)


async def rename(connection: Handle, row: RouteRow, name: str, now: int) -> RouteRow:
    """The route as it is now. Raises Taken where another one has that name."""
    await _expect_free(connection, row.gateway, name)
    await connection.execute(update(routes).where(_c.id == row.id).values(name=name, modified_at=now))
    return msgspec.structs.replace(row, name=name, modified_at=now)


async def delete(connection: Handle, row: RouteRow) -> None:
    """With all its versions and deployments."""
    await connection.execute(remove(routes).where(_c.id == row.id))


async def add_version(
    connection: Handle, row: RouteRow, elements: list[dict[str, Any]], fault: dict[str, Any] | None, now: int
) -> VersionRow:
    """A version that waits to be deployed."""
    number = await _next(connection, route_versions, row.id)
    version = _version(number, elements, fault, now)
    await _add_version(connection, row.id, version)
    if row.deployment is None:
        await connection.execute(update(routes).where(_c.id == row.id).values(version=version.id))
    return version


async def version(connection: Handle, route_id: str, version_id: str) -> VersionRow | None:
    found = await connection.execute(select(*_VERSION).where(_v.route == route_id, _v.id == version_id))
    row = found.one_or_none()
    return None if row is None else VersionRow(*row)


async def versions(connection: Handle, route_id: str, limit: int, offset: int) -> tuple[list[VersionRow], int]:
    """A route's versions, newest first, and how many there are in all."""
    wanted = select(*_VERSION).where(_v.route == route_id).order_by(_v.number.desc()).limit(limit).offset(offset)
    rows = [VersionRow(*row) for row in await connection.execute(wanted)]
    return rows, await _total(connection, route_versions, _v.route == route_id)


async def deploy(connection: Handle, row: RouteRow, version: VersionRow, now: int) -> RouteRow:
    """The route as it is now."""
    number = await _next(connection, route_deployments, row.id)
    made = DeploymentRow(secrets.token_hex(16), number, version.id, now)
    await connection.execute(insert(route_deployments).values(route=row.id, **msgspec.structs.asdict(made)))
    values = {"version": version.id, "deployment": made.id, "modified_at": now}
    await connection.execute(update(routes).where(_c.id == row.id).values(values))
    return msgspec.structs.replace(row, version=version, deployment=made, modified_at=now)


async def deployments(connection: Handle, route_id: str, limit: int, offset: int) -> tuple[list[DeploymentRow], int]:
    """A route's deployments, newest first, and how many there are in all."""
    wanted = select(*_DEPLOYMENT).where(_d.route == route_id).order_by(_d.number.desc()).limit(limit).offset(offset)
    rows = [DeploymentRow(*row) for row in await connection.execute(wanted)]
    return rows, await _total(connection, route_deployments, _d.route == route_id)


async def of(connection: Handle, gateway: int) -> list[DeployedRoute]:
    """Those of a gateway that are deployed, oldest first."""
    return [_deployed(row) for _, *row in await connection.execute(_all_deployed().where(_c.gateway == gateway))]


async def of_changed(connection: Handle, version: int) -> dict[int, list[DeployedRoute]]:
    """The same of the live gateways that are newer than ``version``, by gateway."""
    found: dict[int, list[DeployedRoute]] = {}
    newer = (gateways.c.version > version) & gateways.c.deleted_at.is_(None)
    wanted = _all_deployed().join(gateways, gateways.c.number == _c.gateway).where(newer)
    for gateway, *row in await connection.execute(wanted):
        found.setdefault(gateway, []).append(_deployed(row))
    return found


def _version(number: int, elements: list[dict[str, Any]], fault: dict[str, Any] | None, now: int) -> VersionRow:
    judged = None if fault is None else codec.encode(fault).decode()
    return VersionRow(secrets.token_hex(16), number, codec.encode(elements).decode(), judged, now)


async def _add_version(connection: Handle, route: str, row: VersionRow) -> None:
    values = dict(zip((column.name for column in _VERSION), msgspec.structs.astuple(row), strict=True))
    await connection.execute(insert(route_versions).values(route=route, **values))


async def _expect_free(connection: Handle, gateway: int, name: str) -> None:
    there = await connection.execute(select(_c.id).where(_c.gateway == gateway, _c.name == name))
    if there.one_or_none() is not None:  # whoever writes is alone
        raise Taken(name)


async def _next(connection: Handle, table: Table, route: str) -> int:
    last = await connection.execute(select(func.max(table.c.number)).where(table.c.route == route))
    return (last.scalar_one() or 0) + 1


async def _total(connection: Handle, table: Table, wanted: Any) -> int:
    return (await connection.execute(select(func.count()).select_from(table).where(wanted))).scalar_one()


def _routes() -> Any:
    joined = select(*_ROUTE, *_VERSION, *_DEPLOYMENT).join(route_versions, _v.id == _c.version)
    return joined.outerjoin(route_deployments, _d.id == _c.deployment)


def _all_deployed() -> Any:
    columns = (_c.gateway, _c.id, _c.name, _v.id, _v.elements)
    joined = select(*columns).join(route_versions, _v.id == _c.version)
    return joined.where(_c.deployment.is_not(None)).order_by(_c.created_at, _c.id)


def _row(row: Any) -> RouteRow:
    values = list(row)
    deployment = None if values[10] is None else DeploymentRow(*values[10:])
    return RouteRow(*values[:5], version=VersionRow(*values[5:10]), deployment=deployment)


def _deployed(row: Any) -> DeployedRoute:
    return DeployedRoute(*row)
