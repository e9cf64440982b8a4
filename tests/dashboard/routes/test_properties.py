"""The form of an element: sent as it was shown it changes nothing; what is typed becomes the property."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.control.routes.faults import fault
from penstock.dashboard.forms import Form, Wrong
from penstock.dashboard.routes.properties import FIELDS, applied, panel
from penstock.features.routing.graph.targets import TARGETS
from tests.dashboard.routes.test_drawing import ids, outputs
from tests.kit import routes as kit
from tests.kit.hostile_text import TEXTS

scalar = (
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(0, 2)
    | st.sampled_from(["3", "true", " a ", "", *TEXTS.values()])
)
value = st.recursive(
    scalar,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["$eq", "$in", "$or", "a", "model"]), inner, max_size=2)
    ),
    max_leaves=6,
)
conditions = st.dictionaries(
    st.sampled_from(["metadata.plan", "body.n", " x ", "$or", "$and", "$not"]),
    scalar | st.dictionaries(st.sampled_from(["$eq", "$in", "$gt", "$exists", "$odd"]), value, max_size=2) | value,
    max_size=3,
)
members = ["limitType", "limit", "window", "interval", "key", "technique", "stickyBy", "timeout", "retries", "strategy"]
members += ["health", "targets", "provider", "model", "position"]
properties = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(members, value) | {"conditions": conditions | value, "condition": conditions}
)
element = st.builds(
    lambda name, kind, given, outputs: {
        "id": name, "type": kind, "properties": given, "outputs": {output: kit.to(to) for output, to in outputs.items()}
    },
    ids, st.sampled_from(["conditional", "percentage", "rate", "rate_limit", "model", "start"]), properties, outputs,
)  # fmt: skip


def shown(element):
    """The fields of its form, as a browser sends them when nothing was touched."""
    told = panel(element)
    fields = {"p-id": told.id}
    fields |= {one.field.name: one.value for one in (*told.fields, *told.health)}
    if told.condition is not None:
        fields["p-condition"] = told.condition
    if told.rows:
        fields["c-join"] = told.rows.join
        for row, one in enumerate([*told.rows.rows, ("", "$eq", "")]):
            fields |= dict(zip((f"c-{row}-field", f"c-{row}-operator", f"c-{row}-value"), one, strict=True))
    for row, one in enumerate(told.targets + [("", "", "")] * (len(told.targets) < TARGETS)):
        fields |= dict(zip((f"t-{row}-provider", f"t-{row}-model", f"t-{row}-weight"), one, strict=True))
    for row, one in enumerate(told.outputs):
        fields |= {f"o-{row}-name": one.name, f"o-{row}-to": one.target}
    return {name: told if name == "p-condition" else "".join(told.splitlines()) for name, told in fields.items()}


def sent(element, **typed):
    """The element after these fields were typed into."""
    fields = shown(element) | {name.replace("_", "-"): value for name, value in typed.items()}
    return applied([element], 0, Form(fields.items()))[0]


@given(element)
@settings(max_examples=300, deadline=None)
def test_a_form_that_was_not_touched_changes_nothing(element):
    assert sent(element) == element


MODEL = kit.model("m", "end", timeout=500, position={"x": 1})


def test_properties_are_set_changed_and_taken_away():
    made = sent(MODEL, p_timeout="2000", p_retries="", **{"p-health-failures": "5", "p-health-errorRate": "0.5"})
    assert made["properties"] == {
        "provider": "openai", "model": "gpt-4o-mini", "timeout": 2000, "position": {"x": 1},
        "health": {"failures": 5, "errorRate": 0.5},
    }  # fmt: skip
    less = sent(made, **{"p-health-failures": "", "p-health-errorRate": ""})
    assert "health" not in less["properties"]


def test_what_is_no_number_is_kept_for_the_fault_to_tell():
    made = sent(MODEL, p_timeout="soon")
    assert made["properties"]["timeout"] == "soon"
    found = fault([kit.start("m"), made, kit.end()])
    assert found is not None
    assert found["path"] == ["elements", 1, "properties", "timeout"]


def test_the_spelling_of_a_member_is_kept():
    limit = {"limitType": "count", "key": "metadata.user", "limit": 5, "interval": 60}
    element = {"id": "l", "type": "rate_limit", "properties": limit, "outputs": {}}
    assert sent(element, p_window="90")["properties"] == limit | {"interval": 90}
    old = {"id": "c", "type": "conditional", "properties": {"condition": {"metadata.a": 1}}, "outputs": {}}
    assert sent(old, **{"c-0-value": "2"})["properties"] == {"condition": {"metadata.a": 2}}


def test_a_second_model_makes_targets_and_one_alone_none():
    two = sent(MODEL, **{"t-1-provider": "groq", "t-1-model": "llama", "t-1-weight": "3"})
    assert two["properties"]["targets"] == [
        {"provider": "openai", "model": "gpt-4o-mini"},
        {"provider": "groq", "model": "llama", "weight": 3},
    ]
    assert not {"provider", "model"} & two["properties"].keys()
    one = sent(two, **{"t-0-provider": "", "t-0-model": "", "t-1-weight": ""})
    assert (one["properties"]["provider"], one["properties"]["model"]) == ("groq", "llama")
    assert "targets" not in one["properties"]


@pytest.mark.parametrize(("typed", "condition"), [
    ({"c-0-value": "free"}, {"metadata.plan": "free"}),
    ({"c-0-operator": "$in", "c-0-value": "free, 3"}, {"metadata.plan": {"$in": ["free", 3]}}),
    ({"c-0-operator": "$exists", "c-0-value": ""}, {"metadata.plan": {"$exists": True}}),
    ({"c-0-value": '"3"'}, {"metadata.plan": "3"}),
    ({"c-1-field": "body.n", "c-1-operator": "$gt", "c-1-value": "1"}, {"metadata.plan": "paid", "body.n": {"$gt": 1}}),
    ({"c-join": "or", "c-1-field": "body.n", "c-1-value": "1"}, {"$or": [{"metadata.plan": "paid"}, {"body.n": 1}]}),
    ({"c-1-field": "metadata.plan", "c-1-operator": "$ne", "c-1-value": "x"},
     {"$and": [{"metadata.plan": "paid"}, {"metadata.plan": {"$ne": "x"}}]}),
    ({"p-condition": '{"$not": {"body.n": 1}}', "c-0-value": "free"}, {"$not": {"body.n": 1}}),
])  # fmt: skip
def test_a_condition_is_made_of_its_lines_or_of_json(typed, condition):
    made = sent(kit.conditional("c", {"metadata.plan": "paid"}, "a", "b"), **typed)
    assert made["properties"] == {"conditions": condition}
    assert sent(made) == made


def test_outputs_are_named_led_and_taken_away():
    split = kit.percentage("s", {"10%": "a", "else": "b"})
    fields = {"o-0-name": "20% new", "o-1-to": "", "o-2-name": "80%", "o-2-to": "a"}
    assert sent(split, **fields)["outputs"] == {"20% new": kit.to("a"), "80%": kit.to("a")}
    with pytest.raises(Wrong, match="two are named 10%"):
        sent(split, **{"o-1-name": "10%"})
    many = kit.percentage("s", {f"{share}%": "a" for share in range(20)})
    changed = sent(many, **{"o-0-to": "b"})
    assert len(changed["outputs"]) == 20


def test_what_cannot_be_kept_is_told_at_its_field():
    elements = [kit.start("m"), MODEL]
    for typed, at in (({"p-id": ""}, "p-id"), ({"p-id": "start"}, "p-id")):
        with pytest.raises(Wrong) as wrong:
            applied(elements, 1, Form((shown(MODEL) | typed).items()))
        assert wrong.value.faults.at(at)
    with pytest.raises(Wrong) as wrong:
        sent(kit.conditional("c", {"metadata.plan": 1}, "a", "b"), **{"p-condition": "{"})
    assert wrong.value.faults.at("p-condition")


def test_every_member_of_the_schema_has_a_field():
    """docs/routes.md lists them."""
    told = {name for fields in FIELDS.values() for field in fields for name in (*field.path, field.alias)}
    assert told >= {
        "limitType",
        "key",
        "limit",
        "window",
        "interval",
        "technique",
        "stickyBy",
        "timeout",
        "retries",
        "strategy",
    }
