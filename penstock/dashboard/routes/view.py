"""Dynamic routes: those of a gateway, and one with its graph, its versions, and a call to try."""

from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import Response

from penstock.control.envelope import Paging
from penstock.control.gateways import service as gateways
from penstock.control.gateways.schema import DEFAULT, GatewayPaging
from penstock.control.routes import service, simulate
from penstock.control.routes.faults import fault, sentence
from penstock.control.routes.schema import RouteCreate, RouteUpdate
from penstock.control.routes.simulation import SimulateRoute
from penstock.core import codec
from penstock.core.errors import Conflict, Invalid, NotFound
from penstock.dashboard import as_code, paging, security, snippets
from penstock.dashboard.forms import NO_FAULTS, Faults, Form, Wrong, checked
from penstock.dashboard.page import get, post
from penstock.dashboard.routes import simulating
from penstock.dashboard.routes.comparison import compared
from penstock.dashboard.routes.drawing import NO_MARKS, Marks, drawn
from penstock.dashboard.routes.ready import READY
from penstock.dashboard.visit import Visit
from penstock.model.token import Scope

PER_PAGE = 20
MOST_GATEWAYS = 200
MOST_ROUTES = 100


async def index(visit: Visit) -> Response:
    return await _index(visit, visit.query.get("gateway") or "")


async def _index(visit: Visit, gateway: str, faults: Faults = NO_FAULTS, typed: Form | None = None) -> Response:
    rows, _ = await gateways.page(visit.context, GatewayPaging.model_validate({"per_page": MOST_GATEWAYS}))
    names = [row["id"] for row in rows]
    gateway = gateway or (DEFAULT if DEFAULT in names or not names else names[0])
    routes, total = await _routes(visit, gateway, names)
    return visit.html(
        "routes/index.html",
        gateway=gateway,
        gateways=names if gateway in names else [*names, gateway],
        routes=[route | {"wrong": fault(route["elements"])} for route in routes],
        total=total,
        ready=READY,
        faults=faults,
        typed=typed or Form(()),
        example=_code(visit, gateway, routes[0]["name"]) if routes else [],
    )


async def _routes(visit: Visit, gateway: str, names: list[str]) -> tuple[list[dict[str, Any]], int]:
    if gateway == DEFAULT and gateway not in names:  # it is made with its first route
        return [], 0
    return await service.page(visit.context, gateway, _asked(MOST_ROUTES))


async def create(visit: Visit) -> Response:
    form = await visit.form()
    gateway = own(visit, form.text("gateway"))
    ready = READY.get(form.text("ready"), READY["fallback"])
    try:
        body = checked(RouteCreate, {"name": form.text("name"), "elements": ready.elements})
        made = await service.create(visit.context, gateway, body, deployed="deploy" in form)
    except Wrong as wrong:
        return await _index(visit, gateway, wrong.faults, form)
    except (Conflict, Invalid) as error:
        return await _index(visit, gateway, Faults.of(error), form)
    return visit.done(f"{at(gateway, made['id'])}/edit", f"The route {made['name']} was created.")


async def show(visit: Visit) -> Response:
    return await _page(visit, await seen(visit, visit.query.get("version", "")))


async def try_call(visit: Visit) -> Response:
    """The same page with what a call would do."""
    form = await visit.form()
    route = await seen(visit, form.text("version"))
    told, faults = await simulated(visit, form, route["elements"], {"version_id": route["version_id"]})
    marked = simulating.marks(route["elements"], told) if told else NO_MARKS
    return await _page(visit, route, form, told, faults, marked)


async def simulated(
    visit: Visit, form: Form, elements: list[dict[str, Any]], graph: dict[str, Any]
) -> tuple[dict[str, Any] | None, Faults]:
    """What a call of the form would do. ``graph``: the version, or elements that are not stored."""
    try:
        body = checked(SimulateRoute, simulating.question(form, elements) | graph)
        told = await simulate.simulate_route(visit.context, visit.path("gateway"), visit.path("route"), body)
    except Wrong as wrong:
        return None, wrong.faults
    except Invalid as error:
        return None, Faults.of(error)
    return told, NO_FAULTS


async def seen(visit: Visit, version_id: str) -> dict[str, Any]:
    """The version that the page is about: without an id the deployed one, or the newest. Raises NotFound."""
    gateway, route_id = visit.path("gateway"), visit.path("route")
    if version_id:
        return await service.get_version(visit.context, gateway, route_id, version_id)
    route = await service.get(visit.context, gateway, route_id)
    return route | route["version"]


async def _page(
    visit: Visit,
    route: dict[str, Any],
    typed: Form = simulating.EMPTY,
    told: dict[str, Any] | None = None,
    faults: Faults = NO_FAULTS,
    marked: Marks = NO_MARKS,
) -> Response:
    gateway, route_id, elements = visit.path("gateway"), visit.path("route"), route["elements"]
    asked = paging.asked(visit, PER_PAGE)
    versions, total = await service.versions(visit.context, gateway, route_id, asked)
    deployments, deployed = await service.deployments(visit.context, gateway, route_id, _asked(PER_PAGE))
    wrong = fault(elements)
    return visit.html(
        "routes/page.html",
        route=route,
        here=at(gateway, route_id),
        draw=partial(drawn, elements, blamed(marked, elements, wrong)),
        elements=elements,
        wrong=sentence(wrong) if wrong else "",
        versions=versions,
        pages=paging.pages(visit, total, PER_PAGE)._replace(at=f"{at(gateway, route_id)}?page={{}}".format),
        numbers={one["version_id"]: f"Version {one['number']}" for one in versions},
        authors=await service.authors(visit.context, gateway, route_id, asked),
        deployments=deployments,
        deployed=deployed,
        typed=typed,
        told=told,
        faults=faults,
        assumable=simulating.assumable(elements, typed),
        example=_code(visit, gateway, route["name"]),
    )


async def compare(visit: Visit) -> Response:
    """Two versions, side by side; without ids the deployed one with itself."""
    before, after = [await seen(visit, visit.query.get(side, "")) for side in ("before", "after")]
    found = compared(before["elements"], after["elements"])
    here = at(visit.path("gateway"), visit.path("route"))
    sides = [
        partial(drawn, one["elements"], marked, lambda _, one=one: f"{here}?version={one['version_id']}")
        for one, marked in ((before, found.before), (after, found.after))
    ]
    return visit.html(
        "routes/compare.html",
        route=after,
        here=here,
        before=before,
        after=after,
        sides=sides,
        differences=found.differences,
        left_out=found.left_out,
    )


def blamed(marked: Marks, elements: list[dict[str, Any]], wrong: dict[str, Any] | None) -> Marks:
    """The marks, and that of the element which is at fault."""
    path: list[Any] = wrong["path"][1:] if wrong else []
    if not path or not isinstance(path[0], int) or path[0] >= len(elements):
        return marked
    output = (path[0], str(path[2])) if path[1:2] == ["outputs"] and len(path) > 2 else None  # noqa: PLR2004
    return replace(marked, fault=path[0], broken=output)


async def deploy(visit: Visit) -> Response:
    gateway, route_id, form = visit.path("gateway"), visit.path("route"), await visit.form()
    made = await service.deploy(visit.context, gateway, route_id, form.text("version"))
    return visit.done(at(gateway, route_id), _deployed(made))


async def roll_back(visit: Visit) -> Response:
    gateway, route_id = visit.path("gateway"), visit.path("route")
    return visit.done(at(gateway, route_id), _deployed(await service.roll_back(visit.context, gateway, route_id)))


async def rename(visit: Visit) -> Response:
    gateway, route_id, form = visit.path("gateway"), visit.path("route"), await visit.form()
    try:
        body = checked(RouteUpdate, {"name": form.text("name")})
        named = await service.rename(visit.context, gateway, route_id, body)
    except Wrong as wrong:
        return await _page(visit, await seen(visit, ""), faults=wrong.faults)
    except (Conflict, Invalid) as error:
        return await _page(visit, await seen(visit, ""), faults=Faults.of(error))
    return visit.done(at(gateway, route_id), f"The route is named {named['name']} now.")


async def delete(visit: Visit) -> Response:
    gateway = visit.path("gateway")
    gone = await service.delete(visit.context, gateway, visit.path("route"))
    return visit.done(f"/ui/routes?gateway={gateway}", f"The route {gone['name']} was deleted.")


async def export(visit: Visit) -> Response:
    """The version as a file, as ``penstock routes import`` takes it."""
    route = await seen(visit, visit.query.get("version", ""))
    content = codec.indented({"name": route["name"], "elements": route["elements"]})
    named = {"content-disposition": f'attachment; filename="{route["name"]}.json"'}
    return Response(content, 200, {**security.HEADERS, **named}, "application/json")


def own(visit: Visit, gateway: str) -> str:
    """The gateway, if the token opens it. Raises NotFound."""
    if gateway and not visit.session.token.opens(gateway):
        raise NotFound
    return gateway


def at(gateway: str, route_id: str) -> str:
    return f"/ui/routes/{gateway}/{route_id}"


def _deployed(route: dict[str, Any]) -> str:
    return f"Version {route['version']['number']} of the route {route['name']} is deployed; calls take its way now."


def _code(visit: Visit, gateway: str, name: str) -> list[tuple[str, str]]:
    """A call of the route, in several languages."""
    body = {"model": f"dynamic/{name}", "messages": [{"role": "user", "content": "Hello"}]}
    origin, account = snippets.base(visit), visit.context.account
    return as_code.snippets(origin, account, gateway, "compat/chat/completions", body, {})


def _asked(most: int) -> Paging:
    return Paging(page=1, per_page=most)


ROUTES = (
    get("/ui/routes", index, Scope.READ),
    post("/ui/routes", create, Scope.WRITE, shows=(Scope.READ,)),
    get("/ui/routes/{gateway}/{route}", show, Scope.READ),
    post("/ui/routes/{gateway}/{route}/simulate", try_call, Scope.READ),
    post("/ui/routes/{gateway}/{route}/deploy", deploy, Scope.WRITE),
    post("/ui/routes/{gateway}/{route}/roll-back", roll_back, Scope.WRITE),
    post("/ui/routes/{gateway}/{route}/rename", rename, Scope.WRITE, shows=(Scope.READ,)),
    post("/ui/routes/{gateway}/{route}/delete", delete, Scope.WRITE),
    get("/ui/routes/{gateway}/{route}/compare", compare, Scope.READ),
    get("/ui/routes/{gateway}/{route}/export", export, Scope.READ),
)
