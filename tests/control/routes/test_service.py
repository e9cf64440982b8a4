"""What a change of a route leaves behind: in the trail, and for whoever serves."""

from penstock.control.context import Context
from penstock.control.gateways import service as gateways
from penstock.core.codec import decode
from tests.control.routes.conftest import FOREIGNER, LIMITED, READER, SAMPLE, a_graph
from tests.kit.store import ACCOUNT


async def test_what_changes_where_calls_go_compiles_the_gateway_alone_with_its_deployed_routes(api):
    async def compiled(method, path, body=None):
        """Which gateways are compiled after a request, with name and model of each of their routes."""
        before = await api.version()
        told = (await api.told(method, path, body))["result"]
        changed = await api.changed(before)
        shown = {
            definition.gateway.id: [
                (route.name, decode(route.elements)[1]["properties"]["model"]) for route in definition.routes
            ]
            for definition in changed
        }
        return told, shown

    made, shown = await compiled("POST", "", {"name": "r", "elements": a_graph("m1")})
    route, first = made["id"], made["version"]["version_id"]
    assert shown == {"a": [("r", "m1")]}
    assert (await compiled("POST", "", {"name": "draft", "elements": SAMPLE}))[1] == {}
    draft, shown = await compiled("POST", f"{route}/versions", {"elements": a_graph("m2")})
    assert shown == {}
    deployments = f"{route}/deployments"
    assert (await compiled("POST", deployments, {"version_id": draft["version_id"]}))[1] == {"a": [("r", "m2")]}
    assert (await compiled("POST", deployments, {"version_id": first}))[1] == {"a": [("r", "m1")]}
    assert (await compiled("POST", deployments, {"version_id": first}))[1] == {}
    assert (await compiled("PATCH", route, {"name": "new"}))[1] == {"a": [("new", "m1")]}
    assert (await compiled("DELETE", route))[1] == {"a": []}


async def test_the_first_route_of_the_gateway_default_makes_it(api):
    body = {"name": "r", "elements": a_graph("m1")}
    for secret in (READER, LIMITED, FOREIGNER):
        assert (await api.ask("POST", body=body, gateway="default", secret=secret)).status_code in {403, 404}
    assert (await api.ask("GET", gateway="default")).status_code == 404
    await api.make("r", gateway="default")
    await api.make("second", gateway="default")
    assert [route["name"] for route in (await api.told("GET", gateway="default"))["result"]] == ["r", "second"]


async def test_a_deleted_gateway_has_no_routes_and_neither_has_the_next_of_its_name(api):
    before = await api.version()
    await api.make()
    control = api.house.server.app.control
    await gateways.delete(Context(control, ACCOUNT, "mia"), "a")
    assert [definition.routes for definition in await api.changed(before)] == [[]]
    assert (await api.ask("GET")).status_code == 404
    body = gateways.GatewayCreate.model_validate(
        {"id": "a", "cache_invalidate_on_update": False, "cache_ttl": 0, "collect_logs": True}
        | {"rate_limiting_interval": 0, "rate_limiting_limit": 0}
    )
    await gateways.create(Context(control, ACCOUNT, "mia"), body)
    assert (await api.told("GET"))["result"] == []


async def test_changes_are_audited(api):
    made = await api.make()
    route, first = made["id"], made["version"]["version_id"]
    second = await api.draft(route)
    await api.told("POST", f"{route}/deployments", {"version_id": second})
    await api.told("POST", f"{route}/deployments", {"version_id": second})  # changes nothing
    await api.told("PATCH", route, {"name": "new"})
    await api.told("PATCH", route, {"name": "new"})  # changes nothing
    await api.told("DELETE", route)
    rows = await api.audited()
    one = {"gateway_id": "a", "name": "r", "version_id": first, "number": 1}
    two = {"gateway_id": "a", "name": "r", "version_id": second, "number": 2}
    assert {row.subject for row in rows} == {route}
    assert [(row.action, row.before, row.after) for row in rows] == [
        ("route.create", None, one | {"elements": a_graph(), "deployed": True}),
        ("route.version", None, two | {"elements": a_graph("m2")}),
        ("route.deploy", one, two),
        ("route.update", two, two | {"name": "new"}),
        ("route.delete", two | {"name": "new", "elements": a_graph("m2")}, None),
    ]
