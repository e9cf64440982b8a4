"""The rules of dynamic routes, for the API and the command line.

A version is never changed. Deploying one, an older one too, is all that changes what a route does.
"""

from typing import Any

from penstock.control.context import Change, Context, changing, found, refuse_another
from penstock.control.envelope import Paging
from penstock.control.gateways.schema import DEFAULT
from penstock.control.gateways.service import ensure_default
from penstock.control.routes.faults import fault, sentence
from penstock.control.routes.schema import (
    MOST_ROUTES,
    RouteCreate,
    RouteUpdate,
    VersionCreate,
    told,
    told_alone,
    told_deployment,
    told_version,
)
from penstock.core import instants
from penstock.core.errors import Conflict, Invalid
from penstock.storage import audit, gateways, routes
from penstock.storage.engine import Handle
from penstock.storage.errors import Taken
from penstock.storage.gateways import GatewayRow
from penstock.storage.routes import RouteRow, VersionRow

_MADE = ("route.create", "route.version")  # what the audit trail says of a new version
Page = tuple[list[dict[str, Any]], int]


async def page(context: Context, gateway_id: str, asked: Paging) -> Page:
    """The gateway's routes, oldest first, and how many there are in all. Raises NotFound; so do all below."""
    async with context.control.database.reading() as connection:
        gateway = found(await gateways.get(connection, context.account, gateway_id))
        rows, total = await routes.page(connection, gateway.number, asked.per_page, asked.offset)
    return [told(gateway, row) for row in rows], total


async def get(context: Context, gateway_id: str, route_id: str) -> dict[str, Any]:
    async with context.control.database.reading() as connection:
        return told(*await _found(connection, context.account, gateway_id, route_id))


async def create(context: Context, gateway_id: str, body: RouteCreate, *, deployed: bool = True) -> dict[str, Any]:
    """A graph that can run is ``deployed`` at once. The first route of the gateway ``default`` makes it. Raises
    Conflict, Invalid.
    """
    if gateway_id == DEFAULT:
        await ensure_default(context)
    now, elements, wrong = instants.now(), body.sent, fault(body.sent)
    async with changing(context) as change:
        gateway = found(await gateways.get(change.connection, context.account, gateway_id))
        if await routes.count(change.connection, gateway.number) >= MOST_ROUTES:
            raise Invalid(f"the gateway has {MOST_ROUTES} routes, and cannot have more", path=("body",))
        try:
            row = await routes.add(change.connection, gateway.number, body.name, elements, wrong, now)
        except Taken:
            raise _taken(body.name) from None
        if deployed and wrong is None:
            row = await routes.deploy(change.connection, row, row.version, now)
        after = _audited(gateway, row, row.version) | {"elements": elements, "deployed": row.deployment is not None}
        await _written(change, row, "route.create", None, after, acts=row.deployment is not None)
    return told(gateway, row)


async def rename(context: Context, gateway_id: str, route_id: str, body: RouteUpdate) -> dict[str, Any]:
    """What changes nothing leaves no trace. Raises Conflict, Invalid."""
    async with changing(context) as change:
        gateway, row = await _found(change.connection, context.account, gateway_id, route_id)
        known = told(gateway, row)
        fixed = ("id", "gateway_id", "account_tag", "elements")
        refuse_another({name: getattr(body, name) for name in fixed}, known)
        if body.name is None or body.name == row.name:
            return known
        try:
            named = await routes.rename(change.connection, row, body.name, _later(row))
        except Taken:
            raise _taken(body.name) from None
        sides = _audited(gateway, row, row.version), _audited(gateway, named, named.version)
        await _written(change, row, "route.update", *sides, acts=row.deployment is not None)
    return told(gateway, named)


async def delete(context: Context, gateway_id: str, route_id: str) -> dict[str, Any]:
    """Answers what it was."""
    async with changing(context) as change:
        gateway, row = await _found(change.connection, context.account, gateway_id, route_id)
        await routes.delete(change.connection, row)
        before = _audited(gateway, row, row.version) | {"elements": row.version.elements}
        await _written(change, row, "route.delete", before, None, acts=row.deployment is not None)
    return told(gateway, row)


async def versions(context: Context, gateway_id: str, route_id: str, asked: Paging) -> Page:
    """Newest first."""
    async with context.control.database.reading() as connection:
        _, row = await _found(connection, context.account, gateway_id, route_id)
        rows, total = await routes.versions(connection, row.id, asked.per_page, asked.offset)
    return [told_version(row, version) for version in rows], total


async def get_version(context: Context, gateway_id: str, route_id: str, version_id: str) -> dict[str, Any]:
    async with context.control.database.reading() as connection:
        gateway, row = await _found(connection, context.account, gateway_id, route_id)
        return told_alone(gateway, row, found(await routes.version(connection, row.id, version_id)))


async def create_version(context: Context, gateway_id: str, route_id: str, body: VersionCreate) -> dict[str, Any]:
    """It waits to be deployed."""
    wrong = fault(body.sent)
    async with changing(context) as change:
        gateway, row = await _found(change.connection, context.account, gateway_id, route_id)
        version = await routes.add_version(change.connection, row, body.sent, wrong, instants.now())
        after = _audited(gateway, row, version) | {"elements": body.sent}
        await _written(change, row, "route.version", None, after, acts=False)
    return told_alone(gateway, row, version)


async def deployments(context: Context, gateway_id: str, route_id: str, asked: Paging) -> Page:
    """Newest first."""
    async with context.control.database.reading() as connection:
        _, row = await _found(connection, context.account, gateway_id, route_id)
        rows, total = await routes.deployments(connection, row.id, asked.per_page, asked.offset)
    return [told_deployment(deployment) for deployment in rows], total


async def deploy(context: Context, gateway_id: str, route_id: str, version_id: str) -> dict[str, Any]:
    """Deploying what is deployed leaves no trace. Raises Invalid for a version that cannot run."""
    async with changing(context) as change:
        gateway, row = await _found(change.connection, context.account, gateway_id, route_id)
        version = await routes.version(change.connection, row.id, version_id)
        if version is None:
            raise Invalid("version_id: the route has no such version", path=("body", "version_id"))
        if wrong := fault(version.elements):  # as this release sees it
            raise Invalid(sentence(wrong), path=wrong["path"])
        if row.deployment is not None and row.deployment.version == version.id:
            return told(gateway, row)
        before = None if row.deployment is None else _audited(gateway, row, row.version)
        after = await routes.deploy(change.connection, row, version, _later(row))
        await _written(change, row, "route.deploy", before, _audited(gateway, after, version), acts=True)
    return told(gateway, after)


async def roll_back(context: Context, gateway_id: str, route_id: str) -> dict[str, Any]:
    """Deploys again what was deployed before; a second time takes back the first. Raises Invalid."""
    async with context.control.database.reading() as connection:
        _, row = await _found(connection, context.account, gateway_id, route_id)
        history, _ = await routes.deployments(connection, row.id, 2, 0)
    if len(history) < 2:  # noqa: PLR2004  the one that acts, and the one before
        raise Invalid(f"the route {row.name} has no earlier deployment", path=("body",))
    return await deploy(context, gateway_id, route_id, history[1].version)


async def authors(context: Context, gateway_id: str, route_id: str, asked: Paging) -> dict[str, str]:
    """Who made the versions of this page, by their ids: names of tokens, or of the user at the command line."""
    async with context.control.database.reading() as connection:
        _, row = await _found(connection, context.account, gateway_id, route_id)
        made = await audit.of_subject(
            connection, context.account, row.id, _MADE, asked.per_page, asked.offset, since=row.created_at
        )
    return {str(change.after["version_id"]): change.actor_name for change in made if change.after is not None}


async def _written(
    change: Change,
    row: RouteRow,
    action: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    *,
    acts: bool,
) -> None:
    """Adds to the audit trail. ``acts``: calls go another way now, so that the gateway is compiled anew."""
    version = await change.record(action, row.id, before, after)
    if acts:
        await gateways.touch(change.connection, row.gateway, version)


def _audited(gateway: GatewayRow, row: RouteRow, version: VersionRow) -> dict[str, Any]:
    return {"gateway_id": gateway.id, "name": row.name, "version_id": version.id, "number": version.number}


async def _found(connection: Handle, account: str, gateway_id: str, route_id: str) -> tuple[GatewayRow, RouteRow]:
    gateway = found(await gateways.get(connection, account, gateway_id))
    return gateway, found(await routes.get(connection, gateway.number, route_id))


def _later(row: RouteRow) -> int:
    """The time of a change; never before the last one, whatever the clock says."""
    return max(instants.now(), row.modified_at + 1)


def _taken(name: str) -> Conflict:
    return Conflict(f"name: the gateway has a route {name} already", path=("body", "name"))
