"""Routes as the published Terraform provider keeps them: what it would have in its state plans no change.

It writes an attribute for each member that the published types know, in snake case, a condition as a text of JSON, and
null for what is not there. Changed elements make it create the route anew.
"""

import json
from typing import Any

import pytest

from tests.kit import routes

OUTPUTS = ("next", "true", "false", "success", "fallback")
PROPERTIES = {
    "conditions": "conditions",
    "key": "key",
    "limit": "limit",
    "limit_type": "limitType",
    "window": "window",
    "model": "model",
    "ai_gateway_dynamic_routing_provider": "provider",
    "retries": "retries",
    "timeout": "timeout",
}
COMPUTED = ("id", "created_at", "modified_at", "deployment", "version")
CONFIGURED = ("name", "elements")

TYPES = [
    routes.start("plan"),
    routes.conditional("plan", {"metadata.plan": {"$in": ["free", "<&>"]}}, "quota", "budget"),
    routes.rate("quota", "small", limit=100, window=86_400),
    routes.rate("budget", "large", "small", limitType="cost", limit=0.000_000_001, window=2_592_000),
    routes.model("large", fallback="small", model="gpt-4o", timeout=5000, retries=1),
    routes.model("small"),
    routes.end(),
]
PAGE = json.loads(
    json.dumps(TYPES)
    .replace('"conditions"', '"condition"')
    .replace('"window"', '"interval"')
    .replace('"rate"', '"rate_limit"')
)


def attributes(element: dict[str, Any]) -> dict[str, Any]:
    """An element in the state."""
    outputs, properties = element["outputs"], element.get("properties")
    if properties is not None:
        properties = {name: properties.get(wire) for name, wire in PROPERTIES.items()}
        if properties["conditions"] is not None:
            properties["conditions"] = json.dumps(properties["conditions"], sort_keys=True)
    return {
        "id": element["id"],
        "type": element["type"],
        "outputs": {name: outputs[name]["elementId"] if name in outputs else None for name in OUTPUTS},
        "properties": properties,
    }


def sent(element: dict[str, Any]) -> dict[str, Any]:
    """The body for an element of the configuration: members by the alphabet, nulls left out."""
    body: dict[str, Any] = {"id": element["id"]}
    body["outputs"] = {name: routes.to(to) for name, to in sorted(element["outputs"].items()) if to is not None}
    if element["properties"] is not None:
        given = {PROPERTIES[name]: value for name, value in element["properties"].items() if value is not None}
        if "conditions" in given:
            given["conditions"] = json.loads(given["conditions"])
        body["properties"] = dict(sorted(given.items()))
    return body | {"type": element["type"]}


def refreshed(told: dict[str, Any]) -> dict[str, Any]:
    """The state after a read, or an import."""
    route = told["result"]
    return computed(route) | {"name": route["name"], "elements": [attributes(each) for each in route["elements"]]}


def computed(told: dict[str, Any]) -> dict[str, Any]:
    """What an answer fills in: null for what it does not have."""
    return {name: told.get(name) for name in COMPUTED}


def planned(state: dict[str, Any], configuration: dict[str, Any]) -> set[str]:
    """The attributes that would change."""
    return {name for name in CONFIGURED if state[name] != configuration[name]}


CONFIGURATION = {"name": "support", "elements": [attributes(element) for element in TYPES]}


async def created(api: Any, configuration: dict[str, Any]) -> dict[str, Any]:
    body = {"elements": [sent(each) for each in configuration["elements"]], "name": configuration["name"]}
    return configuration | computed((await api.told("POST", body=body))["result"])


async def read(api: Any, state: dict[str, Any]) -> dict[str, Any]:
    return refreshed(await api.told("GET", state["id"]))


async def test_what_was_created_is_read_back_and_plans_no_change(api):
    state = await created(api, CONFIGURATION)
    assert state["version"]["active"] == "true"
    assert await read(api, state) == state
    assert not planned(await read(api, state), CONFIGURATION)


@pytest.mark.parametrize("whole", [False, True], ids=["name", "everything"])
async def test_a_new_name_is_an_update_in_place(api, whole):
    state = await created(api, CONFIGURATION)
    named = CONFIGURATION | {"name": "sales"}
    body = {"name": "sales"} | ({"elements": [sent(each) for each in CONFIGURATION["elements"]]} if whole else {})
    told = await api.told("PATCH", state["id"], body)
    updated = named | computed(told)  # members beside the envelope's, not in its result
    assert (updated["id"], updated["created_at"], updated["version"]) == tuple(
        state[name] for name in ("id", "created_at", "version")
    )
    assert told["success"] is True
    assert refreshed({"result": told["route"]}) == updated
    assert await read(api, updated) == updated
    assert not planned(updated, named)


async def test_elements_that_changed_elsewhere_are_noticed_and_the_route_is_made_anew(api):
    state = await created(api, CONFIGURATION)
    version = (await api.told("POST", f"{state['id']}/versions", {"elements": [routes.start("small"), *TYPES[5:]]}))[
        "result"
    ]
    assert not planned(await read(api, state), CONFIGURATION)  # it waits
    await api.told("POST", f"{state['id']}/deployments", {"version_id": version["version_id"]})
    assert planned(await read(api, state), CONFIGURATION) == {"elements"}
    await api.told("DELETE", state["id"])
    assert (await api.ask("GET", state["id"])).status_code == 404  # gone from the state
    again = await created(api, CONFIGURATION)
    assert again["id"] != state["id"]
    assert not planned(await read(api, again), CONFIGURATION)


@pytest.mark.parametrize("elements", [TYPES, PAGE], ids=["types", "page"])
async def test_a_route_of_another_client_is_imported(api, elements):
    made = (await api.told("POST", body={"name": "support", "elements": elements}))["result"]
    assert made["version"]["active"] == "true"
    told = await api.told("GET", made["id"])
    assert told["result"]["elements"] == json.loads(told["result"]["version"]["data"]) == elements
    state = refreshed(told)
    assert state == computed(made) | {"name": "support", "elements": [attributes(element) for element in elements]}
    assert planned(state, CONFIGURATION) == (set() if elements is TYPES else {"elements"})
