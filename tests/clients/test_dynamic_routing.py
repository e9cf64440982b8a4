"""The official ``cloudflare`` SDK for Python, answers validated strictly: the whole life of a dynamic route."""

from typing import Any

import cloudflare
import pytest
from cloudflare.types.ai_gateway import (
    DynamicRoutingCreateResponse,
    DynamicRoutingListResponse,
    dynamic_routing_create_response,
)

from tests.clients.test_provider_configs import refused

SAMPLE: Any = [{"id": "id", "outputs": {"next": {"element_id": "elementId"}}, "type": "start"}]  # of the SDK's own page


def a_graph(model: str) -> Any:
    """Every element that the SDK has a type for, as the SDK spells it."""
    ends = {"success": {"element_id": "end"}, "fallback": {"element_id": "end"}}
    properties = {"provider": "openai", "model": model, "timeout": 0, "retries": 0}
    conditions = {"metadata.plan": {"$eq": "free"}}
    return [
        {"id": "start", "type": "start", "outputs": {"next": {"element_id": "if"}}},
        {
            "id": "if",
            "type": "conditional",
            "properties": {"conditions": conditions},
            "outputs": {"true": {"element_id": "share"}, "false": {"element_id": "limit"}},
        },
        {
            "id": "share",
            "type": "percentage",
            "outputs": {"10%": {"element_id": "limit"}, "else": {"element_id": "model"}},
        },
        {
            "id": "limit",
            "type": "rate",
            "properties": {"key": "metadata.user", "limit": 5, "limit_type": "count", "window": 60},
            "outputs": {"success": {"element_id": "model"}, "fallback": {"element_id": "end"}},
        },
        {"id": "model", "type": "model", "properties": properties, "outputs": ends},
        {"id": "end", "type": "end", "outputs": {}},
    ]


@pytest.fixture
def routing(sdk):
    return sdk.ai_gateway.dynamic_routing


@pytest.fixture
def place(house, gateway) -> dict[str, str]:
    return {"account_id": house.account, "gateway_id": gateway}


def model_of(route: Any) -> str:
    (model,) = [element.properties.model for element in route.elements if element.type == "model"]
    return model


def test_the_whole_life_of_a_route(routing, place):
    made = routing.create(**place, name="support", elements=a_graph("m1"))
    assert isinstance(made, DynamicRoutingCreateResponse)
    assert (made.name, made.gateway_id, model_of(made)) == ("support", place["gateway_id"], "m1")
    assert (made.version.active, made.version.is_valid) == ("true", True)
    assert made.deployment.version_id == made.version.version_id
    assert isinstance(made.elements[3], dynamic_routing_create_response.ElementUnionMember3)
    assert made.elements[3].properties.limit_type == "count"
    assert routing.get(made.id, **place).to_dict() == made.to_dict()

    draft = routing.create_version(made.id, **place, elements=a_graph("m2"))
    assert (draft.id, model_of(draft)) == (made.id, "m2")
    versions = routing.list_versions(made.id, **place).data.versions
    assert [version.active for version in versions] == ["false", "true"]
    second = versions[0].version_id
    shown = routing.get_version(second, **place, id=made.id)
    assert (shown.id, shown.version_id, shown.active, model_of(shown)) == (made.id, second, "false", "m2")
    assert model_of(routing.get(made.id, **place)) == "m1"

    for version, model in ((second, "m2"), (made.version.version_id, "m1")):
        deployed = routing.create_deployment(made.id, **place, version_id=version)
        assert (deployed.id, model_of(deployed)) == (made.id, model)
        assert model_of(routing.get(made.id, **place)) == model
    history = routing.list_deployments(made.id, **place).data.deployments
    assert [one.version_id for one in history] == [made.version.version_id, second, made.version.version_id]

    renamed = routing.update(made.id, **place, name="Route Name")
    assert renamed.success
    assert (renamed.route.name, renamed.route.id) == ("Route Name", made.id)
    listed = routing.list(**place)
    assert isinstance(listed, DynamicRoutingListResponse)
    assert listed.success
    assert [route.to_dict() for route in listed.data.routes] == [renamed.route.to_dict()]
    assert routing.delete(made.id, **place).id == made.id
    assert routing.list(**place).data.routes == []
    with pytest.raises(cloudflare.NotFoundError) as caught:
        routing.get(made.id, **place)
    assert refused(caught) == (7002, None)


def test_the_sample_of_the_sdk_is_stored_and_cannot_be_deployed(routing, place):
    made = routing.create(**place, name="name", elements=SAMPLE)
    assert made.elements[0].outputs.next.element_id == "elementId"
    assert (made.version.active, made.version.is_valid, made.deployment.version_id) == ("false", False, "")
    with pytest.raises(cloudflare.BadRequestError) as caught:
        routing.create_deployment(made.id, **place, version_id=made.version.version_id)
    assert refused(caught) == (7001, ["elements", 0, "outputs", "next", "elementId"])


def test_pages(routing, place):
    names = [routing.create(**place, name=f"r{number}", elements=SAMPLE).name for number in range(3)]
    page = routing.list(**place, page=2, per_page=2).data
    assert ([route.name for route in page.routes], page.page, page.per_page) == (names[2:], 2, 2)
    assert routing.list(**place, page=9).data.routes == []


def test_a_name_that_is_taken_is_a_conflict_and_not_asked_again(routing, connect, place):
    routing.create(**place, name="r", elements=SAMPLE)
    counted = connect()
    with pytest.raises(cloudflare.ConflictError) as caught:
        counted.client.ai_gateway.dynamic_routing.create(**place, name="r", elements=SAMPLE)
    assert (refused(caught), len(counted.requests)) == ((7009, ["body", "name"]), 1)


def test_a_token_that_may_read_changes_nothing(routing, connect, grant, place):
    made = routing.create(**place, name="r", elements=SAMPLE)
    reader = connect(api_token=grant("AI Gateway Read")["value"]).client.ai_gateway.dynamic_routing
    assert reader.get(made.id, **place).name == "r"
    with pytest.raises(cloudflare.PermissionDeniedError):
        reader.update(made.id, **place, name="other")
