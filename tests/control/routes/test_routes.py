"""Dynamic routes as clients see them: a real server, a real socket."""

import json

from penstock.core.codec import encode
from tests.control.routes.conftest import FOREIGNER, LIMITED, OTHER, READER, SAMPLE, a_graph
from tests.kit.house import request
from tests.kit.store import ACCOUNT, SECRET

# Both spellings of every element, with members that nobody knows and an order of its own.
BOTH = [
    {"type": "start", "position": {"y": 2.50, "x": 1}, "id": "s", "outputs": {"next": {"elementId": "docs"}}},
    {
        "id": "docs",
        "type": "conditional",
        "properties": {"condition": {"metadata.plan": {"$eq": "free"}}},
        "outputs": {"true": {"elementId": "limit"}, "false": {"elementId": "typed"}},
    },
    {
        "id": "typed",
        "type": "conditional",
        "properties": {"conditions": {"metadata.plan": "paid"}},
        "outputs": {"false": {"elementId": "rate"}, "true": {"elementId": "share"}},
    },
    {
        "id": "limit",
        "type": "rate_limit",
        "properties": {"limitType": "count", "key": "metadata.user", "limit": 5, "interval": 60, "technique": "fixed"},
        "outputs": {"success": {"elementId": "model"}},
    },
    {
        "id": "rate",
        "type": "rate",
        "properties": {"limitType": "cost", "key": "metadata.user", "limit": 0.5, "window": 60},
        "outputs": {"success": {"elementId": "model"}, "fallback": {"elementId": "other"}},
    },
    {"id": "share", "type": "percentage", "outputs": {"10%": {"elementId": "other"}, "else": {"elementId": "model"}}},
    {
        "id": "model",
        "type": "model",
        "provider": "openai",
        "model": "m1",
        "properties": {"provider": "openai", "model": "m1", "timeout": 0, "retries": 0},
        "outputs": {"success": {"elementId": "end"}, "fallback": {"elementId": "other"}},
    },
    {
        "id": "other",
        "type": "model",
        "properties": {"model": "m2", "provider": "anthropic", "timeout": 500, "retries": 1},
        "outputs": {"success": {"elementId": "end"}},
    },
    {"id": "end", "type": "end"},
]


def refusal(answer):
    """Status, path and message of a refusal with one error."""
    told = answer.json()
    assert (told["success"], told["result"]) == (False, None)
    (error,) = told["errors"]
    return answer.status_code, error.get("path"), error["message"]


async def test_a_graph_that_can_run_is_deployed_at_once(api):
    told = await api.told("POST", body={"name": "r", "elements": a_graph()})
    made = told["result"]
    version, deployment = made["version"], made["deployment"]
    assert made == {
        "id": made["id"],
        "name": "r",
        "gateway_id": "a",
        "account_tag": ACCOUNT,
        "created_at": made["created_at"],
        "modified_at": made["created_at"],
        "elements": a_graph(),
        "deployment": {
            "deployment_id": deployment["deployment_id"],
            "version_id": version["version_id"],
            "created_at": made["created_at"],
        },
        "version": {
            "version_id": version["version_id"],
            "number": 1,
            "active": "true",
            "created_at": made["created_at"],
            "data": version["data"],
            "is_valid": True,
            "fault": None,
        },
    }
    assert json.loads(version["data"]) == a_graph()
    assert (await api.told("GET", made["id"]))["result"] == made
    assert "cannot be deployed" not in str(told["messages"])


async def test_elements_come_back_as_they_were_sent(api):
    text = json.dumps(BOTH, separators=(",", ":"))
    made = (await api.told("POST", body=b'{"name":"r","elements":%b}' % text.encode()))["result"]
    assert made["version"]["data"] == text
    assert json.dumps(made["elements"], separators=(",", ":")) == text
    assert made["version"]["is_valid"]


async def test_a_graph_that_cannot_run_is_stored_says_why_and_is_not_deployed(api):
    told = await api.told("POST", body={"name": "r", "elements": SAMPLE})
    made, version = told["result"], told["result"]["version"]
    assert made["elements"] == SAMPLE
    assert made["deployment"] == {"deployment_id": "", "version_id": "", "created_at": ""}
    assert (version["active"], version["is_valid"]) == ("false", False)
    assert version["fault"]["path"][:2] == ["elements", 0]
    assert told["messages"][-1]["path"] == ["body", *version["fault"]["path"]]
    assert version["fault"]["message"] in told["messages"][-1]["message"]
    status, path, message = refusal(
        await api.ask("POST", f"{made['id']}/deployments", {"version_id": version["version_id"]})
    )
    assert (status, path) == (400, version["fault"]["path"])
    assert version["fault"]["message"] in message
    assert (await api.told("GET", f"{made['id']}/deployments"))["result"] == []
    newest = await api.draft(made["id"])  # is shown as long as none is deployed
    assert (await api.told("GET", made["id"]))["result"]["version"]["version_id"] == newest


async def test_a_version_waits_until_it_is_deployed_and_an_older_one_is_the_way_back(api):
    made = await api.make()
    first = made["version"]["version_id"]
    draft = (await api.told("POST", f"{made['id']}/versions", {"elements": a_graph("m2")}))["result"]
    second = draft["version_id"]
    assert (draft["id"], draft["name"], draft["number"], draft["active"]) == (made["id"], "r", 2, "false")
    assert draft["elements"] == a_graph("m2")
    assert (await api.told("GET", f"{made['id']}/versions/{second}"))["result"] == draft
    assert (await api.told("GET", made["id"]))["result"] == made

    moved = (await api.told("POST", f"{made['id']}/deployments", {"version_id": second}))["result"]
    assert (moved["elements"], moved["version"]["active"]) == (a_graph("m2"), "true")
    assert moved["deployment"]["version_id"] == second
    assert moved["modified_at"] > made["modified_at"]
    assert (await api.told("GET", made["id"]))["result"] == moved
    again = (await api.told("POST", f"{made['id']}/deployments", {"version_id": second}))["result"]
    assert again == moved  # is deployed already

    back = (await api.told("POST", f"{made['id']}/deployments", {"version_id": first}))["result"]
    assert back["version"] == made["version"]
    history = (await api.told("GET", f"{made['id']}/deployments"))["result"]
    assert [one["version_id"] for one in history] == [first, second, first]
    assert history[0] == back["deployment"]
    versions = (await api.told("GET", f"{made['id']}/versions"))["result"]
    assert [(one["number"], one["active"]) for one in versions] == [(2, "false"), (1, "true")]
    assert versions[1] == made["version"]


async def test_lists_have_the_envelope_of_the_published_routes_and_that_of_other_lists(api):
    made = [await api.make(f"r{number}") for number in range(3)]
    for model in ("m2", "m3"):
        await api.told("POST", f"{made[2]['id']}/deployments", {"version_id": await api.draft(made[2]["id"], model)})
    newest = (await api.told("GET", made[2]["id"]))["result"]
    for path, name, direction, first in (
        ("", "routes", "asc", newest),
        (f"{made[2]['id']}/versions", "versions", "desc", made[2]["version"] | {"active": "false"}),
        (f"{made[2]['id']}/deployments", "deployments", "desc", made[2]["deployment"]),
    ):
        page = await api.told("GET", f"{path}?page=2&per_page=2")
        place = {"order_by": "created_at", "order_by_direction": direction, "page": 2, "per_page": 2}
        assert page["data"] == {name: [first], **place}
        assert page["result"] == [first]
        assert page["result_info"] == {"page": 2, "per_page": 2, "count": 1, "total_count": 3, "total_pages": 2}
        beyond = await api.told("GET", f"{path}?page=9")
        assert (beyond["result"], beyond["data"][name]) == ([], [])


async def test_a_name_is_changed_and_what_was_read_can_be_sent_back(api):
    made = await api.make()
    other = await api.make("other")
    told = await api.told("PATCH", made["id"], made | {"name": "new"})
    assert told["route"] == told["result"]
    assert told["route"].pop("modified_at") > made["modified_at"]
    assert told["route"] == {name: made[name] for name in told["route"]} | {"name": "new"}
    assert (await api.told("PATCH", made["id"], {"name": "new"}))["route"]["name"] == "new"
    await api.make("r")  # is free again
    assert refusal(await api.ask("PATCH", other["id"], {"name": "new"}))[:2] == (409, ["body", "name"])
    for field, value in (("elements", a_graph("m2")), ("gateway_id", "b"), ("id", "x"), ("account_tag", "x")):
        assert refusal(await api.ask("PATCH", made["id"], {field: value}))[:2] == (400, ["body", field])


async def test_a_name_is_one_route_of_its_gateway(api):
    await api.make()
    assert refusal(await api.ask("POST", body={"name": "r", "elements": a_graph()}))[:2] == (409, ["body", "name"])
    await api.make("r", gateway="b")


async def test_a_deleted_route_is_gone_with_its_versions(api):
    made = await api.make()
    assert (await api.told("DELETE", made["id"]))["result"] == made
    for path in ("", "/versions", "/deployments", f"/versions/{made['version']['version_id']}"):
        assert (await api.ask("GET", made["id"] + path)).status_code == 404
    assert (await api.make())["version"]["number"] == 1


WRONG = [
    ({"name": ""}, ["name"]),
    ({"name": "a/b"}, ["name"]),
    ({"name": "r "}, ["name"]),
    ({"name": "x" * 65}, ["name"]),
    ({"elements": None}, ["elements"]),
    ({"elements": [{"id": str(number), "type": "end"} for number in range(51)]}, ["elements"]),
    ({"elements": [{"id": "s"}]}, ["elements", 0, "type"]),
    ({"elements": [{"id": "s", "type": "begin"}]}, ["elements", 0, "type"]),
    ({"elements": [{"id": 1, "type": "start"}]}, ["elements", 0, "id"]),
    ({"elements": [{"id": "s", "type": "start", "outputs": {"next": "m"}}]}, ["elements", 0, "outputs", "next"]),
    ({"elements": [{"id": "s", "type": "end", "properties": {"x": "\ud800"}}]}, ["elements"]),
    ({"elements": [{"id": "s", "type": "end", "properties": {"x": float("nan")}}]}, ["elements"]),
    ({"elements": [{"id": "s", "type": "end", "properties": {"x": "x" * 65536}}]}, ["elements"]),
    ({"colour": "red"}, ["colour"]),
]


async def test_what_has_no_shape_of_a_route_is_refused_with_its_path(api):
    for fields, path in WRONG:
        answer = await api.ask("POST", body={"name": "r", "elements": a_graph()} | fields)
        assert refusal(answer)[:2] == (400, ["body", *path]), fields
    assert (await api.told("GET"))["result"] == []


async def test_a_gateway_has_a_hundred_routes_at_most(api):
    for number in range(100):
        await api.make(f"r{number}")
    status, _, message = refusal(await api.ask("POST", body={"name": "r", "elements": a_graph()}))
    assert (status, message) == (400, "the gateway has 100 routes, and cannot have more")
    await api.make(gateway="b")


async def test_who_may(api):
    made = await api.make()
    route, version = made["id"], made["version"]["version_id"]
    reads = ["", route, f"{route}/versions", f"{route}/versions/{version}", f"{route}/deployments"]
    writes = [
        ("POST", "", {"name": "n", "elements": a_graph()}),
        ("PATCH", route, {"name": "n"}),
        ("POST", f"{route}/versions", {"elements": a_graph()}),
        ("POST", f"{route}/deployments", {"version_id": version}),
        ("DELETE", route, None),
    ]
    for path in reads:
        assert (await api.ask("GET", path, secret=READER)).status_code == 200
        for secret in (LIMITED, FOREIGNER):
            assert (await api.ask("GET", path, secret=secret)).status_code == 404
        if path:  # of another gateway of the same account
            assert (await api.ask("GET", path, gateway="b")).status_code == 404
    for method, path, body in writes:
        assert (await api.ask(method, path, body, secret=READER)).status_code == 403
        assert (await api.ask(method, path, body, secret=LIMITED)).status_code == 404
        assert (await api.ask(method, path, body, secret=FOREIGNER, account=OTHER)).status_code == 404
        if path:
            assert (await api.ask(method, path, body, gateway="b")).status_code == 404
    assert (await api.ask("GET", gateway="none")).status_code == 404
    assert len(await api.audited()) == 1


async def test_a_version_of_another_route_is_none_of_this_one(api):
    made, other = await api.make(), await api.make("other")
    version = other["version"]["version_id"]
    assert (await api.ask("GET", f"{made['id']}/versions/{version}")).status_code == 404
    answer = await api.ask("POST", f"{made['id']}/deployments", {"version_id": version})
    assert refusal(answer)[:2] == (400, ["body", "version_id"])


async def test_a_change_acts_on_the_next_call(api):
    async def answers(name):
        """Status, and the model that answered a call of the route."""
        body = encode({"model": f"dynamic/{name}", "messages": [{"role": "user", "content": "hello"}]})
        headers = {"cf-aig-authorization": f"Bearer {SECRET}"}
        async with api.house.client() as client:
            call = request("compat/chat/completions", gateway="a", headers=headers, body=body)
            answer = await client.ask(call)
        return answer.status, answer.headers.get("cf-aig-model")

    made = await api.make()
    assert await answers("r") == (200, "m1")
    drafted = await api.told("POST", f"{made['id']}/versions", {"elements": a_graph("m2")})
    assert await answers("r") == (200, "m1")
    await api.told("POST", f"{made['id']}/deployments", {"version_id": drafted["result"]["version_id"]})
    assert await answers("r") == (200, "m2")
    await api.told("POST", f"{made['id']}/deployments", {"version_id": made["version"]["version_id"]})
    assert await answers("r") == (200, "m1")
    await api.told("PATCH", made["id"], {"name": "other"})
    assert [await answers("r"), await answers("other")] == [(400, None), (200, "m1")]
    await api.told("DELETE", made["id"])
    assert await answers("other") == (400, None)
