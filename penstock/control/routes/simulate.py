"""Simulates calls of dynamic routes, for the API and the command line. Reads, and writes nothing."""

from collections.abc import Sequence
from typing import Any

import msgspec

from penstock.control.context import Context, found
from penstock.control.custom_providers.compile_settings import customs
from penstock.control.gateways.compile_settings import config
from penstock.control.routes.faults import sentence
from penstock.control.routes.simulation import SimulateElements, SimulateRoute
from penstock.core.errors import Invalid
from penstock.features.routing.assumed import outputs
from penstock.features.routing.graph.reading import read
from penstock.model.graph import Graph, GraphFault
from penstock.model.route import Route
from penstock.model.simulation import Question
from penstock.storage import definitions, routes
from penstock.storage.definitions import Definition
from penstock.storage.routes import RouteRow, VersionRow

_UNSTORED = "simulated"  # name of a route that is not stored


async def simulate_route(context: Context, gateway_id: str, route_id: str, body: SimulateRoute) -> dict[str, Any]:
    """A call of the deployed version, of another one, or of elements that could be one. Raises NotFound, Invalid."""
    if body.elements is not None and body.version_id is not None:
        raise Invalid("version_id: elements were sent as well", path=("body", "version_id"))
    async with context.control.database.reading() as connection:
        definition = found(await definitions.of(connection, context.account, gateway_id))
        row = found(await routes.get(connection, definition.gateway.number, route_id))
        version: VersionRow | None = row.version
        if body.elements is not None:
            version = None
        elif body.version_id is not None:
            version = await routes.version(connection, row.id, body.version_id)
            if version is None:
                raise Invalid("version_id: the route has no such version", path=("body", "version_id"))
    if version is None:
        return await _simulated(context, definition, row, None, body.sent, ("body",), body.question())
    return await _simulated(context, definition, row, version, version.elements, (), body.question())


async def simulate_elements(context: Context, gateway_id: str, body: SimulateElements) -> dict[str, Any]:
    """A call of a route that is not stored. Raises the same."""
    async with context.control.database.reading() as connection:
        definition = found(await definitions.of(connection, context.account, gateway_id))
    return await _simulated(context, definition, None, None, body.sent, ("body",), body.question())


async def _simulated(
    context: Context,
    definition: Definition,
    row: RouteRow | None,
    version: VersionRow | None,
    elements: list[dict[str, Any]],
    place: Sequence[str],
    question: Question,
) -> dict[str, Any]:
    """``place``: of the elements, where they are at fault."""
    control = context.control
    assert control.simulator is not None
    graph = _graph(elements, place)
    _check(graph, question)
    named = (row.id, row.name) if row is not None else ("", _UNSTORED)
    route = Route(*named, version.id if version is not None else "", graph)
    shared = customs(definition.customs, control.vault)
    told = await control.simulator.simulate(config(definition, control.vault, shared), route, question)
    types = {element["id"]: element["type"] for element in elements}
    path = [{"element": one.element, "type": types[one.element], **msgspec.structs.asdict(one)} for one in told.path]
    return {
        "route_id": row.id if row is not None else None,
        "name": row.name if row is not None else None,
        "version_id": version.id if version is not None else None,
        "number": version.number if version is not None else None,
        **msgspec.structs.asdict(told),
        "path": path,
    }


def _graph(elements: list[dict[str, Any]], place: Sequence[str]) -> Graph:
    try:
        return read(elements)
    except GraphFault as fault:
        wrong = {"message": fault.message, "path": fault.path}
        raise Invalid(sentence(wrong), path=(*place, *fault.path)) from None


def _check(graph: Graph, question: Question) -> None:
    """Raises Invalid for what cannot be assumed."""
    for name, output in question.assume.items():
        place = ("body", "assume", name)
        if name not in graph.elements:
            raise Invalid(f"assume: the route has no element {name!r}", path=place)
        known = outputs(graph.elements[name])
        if output not in known:
            told = ", ".join(known) or "none that can be assumed"
            raise Invalid(f"assume: the outputs of element {name!r} are: {told}", path=place)
