"""Addresses of dynamic routes. Lists and the change of a name have envelopes of their own in the published API."""

from collections.abc import Sequence
from typing import Any

from fastapi import Response
from starlette.routing import Match
from starlette.types import Scope as AsgiScope

from penstock.control.envelope import One, Paging
from penstock.control.rest import Guarded, InContext, Pages, listed, needs, ok, refusals, resource
from penstock.control.routes import service, simulate
from penstock.control.routes.faults import messages
from penstock.control.routes.schema import (
    Beside,
    DeploymentCreate,
    DeploymentList,
    Renamed,
    Route,
    RouteCreate,
    RouteList,
    RouteUpdate,
    RouteVersion,
    VersionCreate,
    VersionList,
)
from penstock.control.routes.simulation import SimulateElements, SimulateRoute, Simulation
from penstock.model.token import Scope

_SIMULATE = "simulate"  # in the place of an id


class _Route(Guarded):
    """Takes no such word for an id."""

    def matches(self, scope: AsgiScope) -> tuple[Match, AsgiScope]:
        match, child = super().matches(scope)
        return (Match.NONE, {}) if child.get("path_params", {}).get("route_id") == _SIMULATE else (match, child)


router = resource("/ai-gateway/gateways/{gateway_id}/routes", "Dynamic Routing")
router.route_class = _Route


@router.get("", response_model=RouteList)
@needs(Scope.READ)
async def list_routes(context: InContext, gateway_id: str, asked: Pages) -> Response:
    """List a gateway's routes, oldest first."""
    return _listed("routes", "asc", await service.page(context, gateway_id, asked), asked)


@router.post("", response_model=One[Route], responses=refusals(409, 413))
@needs(Scope.WRITE)
async def create_route(context: InContext, gateway_id: str, body: RouteCreate) -> Response:
    """Create a route. A graph that can run is deployed at once; another one is stored."""
    made = await service.create(context, gateway_id, body)
    return ok(made, messages=messages(made["version"]["fault"]))


@router.post(f"/{_SIMULATE}", response_model=One[Simulation], responses=refusals(413))
@needs(Scope.READ)
async def simulate_route_elements(context: InContext, gateway_id: str, body: SimulateElements) -> Response:
    """Tell what a call of a route with these elements would do; nothing is called, counted or stored."""
    return ok(await simulate.simulate_elements(context, gateway_id, body))


@router.get("/{route_id}", response_model=One[Route])
@needs(Scope.READ)
async def get_route(context: InContext, gateway_id: str, route_id: str) -> Response:
    """Show one route, with the deployed version."""
    return ok(await service.get(context, gateway_id, route_id))


@router.patch("/{route_id}", response_model=Renamed, responses=refusals(409, 413))
@needs(Scope.WRITE)
async def update_route(context: InContext, gateway_id: str, route_id: str, body: RouteUpdate) -> Response:
    """Rename a route; calls find it by the new name at once."""
    named = await service.rename(context, gateway_id, route_id, body)
    return ok(named, also={"route": named} | {name: named[name] for name in Beside.model_fields})


@router.delete("/{route_id}", response_model=One[Route])
@needs(Scope.WRITE)
async def delete_route(context: InContext, gateway_id: str, route_id: str) -> Response:
    """Delete a route with all its versions; answers what it was."""
    return ok(await service.delete(context, gateway_id, route_id))


@router.get("/{route_id}/versions", response_model=VersionList)
@needs(Scope.READ)
async def list_route_versions(context: InContext, gateway_id: str, route_id: str, asked: Pages) -> Response:
    """List a route's versions, newest first."""
    return _listed("versions", "desc", await service.versions(context, gateway_id, route_id, asked), asked)


@router.post("/{route_id}/versions", response_model=One[RouteVersion], responses=refusals(413))
@needs(Scope.WRITE)
async def create_route_version(context: InContext, gateway_id: str, route_id: str, body: VersionCreate) -> Response:
    """Create a version, which waits to be deployed."""
    made = await service.create_version(context, gateway_id, route_id, body)
    return ok(made, messages=messages(made["fault"]))


@router.get("/{route_id}/versions/{version_id}", response_model=One[RouteVersion])
@needs(Scope.READ)
async def get_route_version(context: InContext, gateway_id: str, route_id: str, version_id: str) -> Response:
    """Show one version."""
    return ok(await service.get_version(context, gateway_id, route_id, version_id))


@router.get("/{route_id}/deployments", response_model=DeploymentList)
@needs(Scope.READ)
async def list_route_deployments(context: InContext, gateway_id: str, route_id: str, asked: Pages) -> Response:
    """List what was deployed when, newest first."""
    return _listed("deployments", "desc", await service.deployments(context, gateway_id, route_id, asked), asked)


@router.post("/{route_id}/deployments", response_model=One[Route], responses=refusals(413))
@needs(Scope.WRITE)
async def create_route_deployment(
    context: InContext, gateway_id: str, route_id: str, body: DeploymentCreate
) -> Response:
    """Deploy a version; an older one is the way back."""
    return ok(await service.deploy(context, gateway_id, route_id, body.version_id))


@router.post("/{route_id}/simulate", response_model=One[Simulation], responses=refusals(413))
@needs(Scope.READ)
async def simulate_route(context: InContext, gateway_id: str, route_id: str, body: SimulateRoute) -> Response:
    """Tell what a call of the route would do; nothing is called, counted or stored."""
    return ok(await simulate.simulate_route(context, gateway_id, route_id, body))


def _listed(name: str, direction: str, page: tuple[Sequence[Any], int], asked: Paging) -> Response:
    place = {"order_by": "created_at", "order_by_direction": direction, "page": asked.page, "per_page": asked.per_page}
    return listed(page, asked, also={"data": {name: page[0], **place}})
