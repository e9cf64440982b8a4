"""What a model element says of its targets and their health; what is wrong is refused with its path."""

import pytest

from penstock.features.routing.graph.reading import read
from penstock.model.graph import GraphFault, Health, Model, ModelTarget
from tests.kit.routes import end, model, start

PLACE = ("elements", 1, "properties")
A, B = {"provider": "openai", "model": "a"}, {"provider": "groq", "model": "b"}


def reading(alone=False, **properties):
    """The element, read; ``alone``: with a provider and a model of its own."""
    element = model("m", **properties)
    if not alone:
        element["properties"] = {"timeout": 0, "retries": 0} | properties
    found = read([start("m"), element, end()]).elements["m"]
    assert isinstance(found, Model)
    return found


def test_a_model_without_any_of_it_has_one_target_and_no_health():
    found = reading(alone=True)
    assert found.targets == (ModelTarget("openai", "gpt-4o-mini", 1.0),)
    assert found.health is None


def test_targets_have_weights_which_are_one_where_none_is_given():
    found = reading(targets=[A | {"weight": 2.5}, B])
    assert found.targets == (ModelTarget("openai", "a", 2.5), ModelTarget("groq", "b", 1.0))
    assert found.strategy == "weighted"
    assert reading(targets=[A, B], strategy="fastest").strategy == "fastest"


def test_clients_that_must_name_a_provider_and_a_model_may_name_the_first_target():
    assert reading(targets=[A, B], provider="openai", model="a") == reading(targets=[A, B])


def test_health_has_defaults_for_what_is_left_out():
    assert reading(alone=True, health={"failures": 5}).health == Health(5, 0, 60, 10, 30)
    told = {"failures": 3, "errorRate": 0.5, "window": 10, "minimum": 4, "pause": 0.5}
    assert reading(alone=True, health=told).health == Health(3, 0.5, 10, 4, 0.5)


RATE = {"errorRate": 0.5}


@pytest.mark.parametrize(
    ("properties", "path", "message"),
    [
        ({"targets": []}, ("targets",), "1 to 10"),
        ({"targets": {"a": A}}, ("targets",), "1 to 10"),
        ({"targets": [A | {"model": f"m{n}"} for n in range(11)]}, ("targets",), "1 to 10"),
        ({"targets": ["openai"]}, ("targets", 0), "object"),
        ({"targets": [A, {"provider": "groq"}]}, ("targets", 1, "model"), "missing"),
        ({"targets": [A, B | {"model": ""}]}, ("targets", 1, "model"), "text"),
        ({"targets": [A, B, A]}, ("targets", 2), "twice"),
        ({"targets": [A, B | {"wieght": 2}]}, ("targets", 1, "wieght"), "provider, model, weight"),
        ({"targets": [A, B | {"weight": 0}]}, ("targets", 1, "weight"), "above 0"),
        ({"targets": [A, B | {"weight": "2"}]}, ("targets", 1, "weight"), "number"),
        ({"targets": [A, B | {"weight": 2}], "strategy": "fastest"}, ("targets", 1, "weight"), "weighted alone"),
        ({"targets": [A, B], "strategy": "slowest"}, ("strategy",), "weighted, fastest"),
        ({"targets": [A, B], "weights": [1, 2]}, ("weights",), "not supported"),
        ({"targets": [A, B], "provider": "groq"}, ("provider",), "differs"),
        ({"targets": [A, B], "model": "b"}, ("model",), "differs"),
        ({"provider": "openai", "model": "a", "strategy": "fastest"}, ("strategy",), "no targets"),
        ({"targets": [A], "health": True}, ("health",), "object"),
        ({"targets": [A], "health": {}}, ("health",), "failures, or errorRate"),
        ({"targets": [A], "health": {"failure": 5}}, ("health", "failure"), "failures, errorRate"),
        ({"targets": [A], "health": {"failures": 0}}, ("health", "failures"), "from 1 to"),
        ({"targets": [A], "health": {"failures": 1.5}}, ("health", "failures"), "whole"),
        ({"targets": [A], "health": {"errorRate": 1.1}}, ("health", "errorRate"), "at most 1"),
        ({"targets": [A], "health": {"errorRate": 0}}, ("health", "errorRate"), "above 0"),
        ({"targets": [A], "health": RATE | {"window": 0}}, ("health", "window"), "above 0"),
        ({"targets": [A], "health": RATE | {"pause": 3601}}, ("health", "pause"), "at most 3600"),
        ({"targets": [A], "health": RATE | {"minimum": 0}}, ("health", "minimum"), "from 1 to"),
        ({"targets": [A], "health": {"failures": 5, "window": 9}}, ("health", "window"), "errorRate, which is missing"),
        ({"targets": [A], "health": {"failures": 5, "minimum": 9}}, ("health", "minimum"), "errorRate"),
    ],
)
def test_what_cannot_act_is_refused_with_its_path(properties, path, message):
    with pytest.raises(GraphFault) as caught:
        reading(**properties)
    assert caught.value.path == (*PLACE, *path)
    assert message in caught.value.message
