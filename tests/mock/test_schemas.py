import jsonschema_rs
import pytest

from penstock.mock.schemas import instance

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}, "nick": {"type": "string"}},
    "required": ["name", "age"],
}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (PERSON, {"name": "Ada", "age": 1}),
        ({"type": "object"}, {}),
        ({"type": "string", "enum": ["red", "green"]}, "red"),
        ({"const": 7}, 7),
        ({"type": "integer", "minimum": 18, "maximum": 99}, 18),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "integer", "exclusiveMinimum": 0}, 1),
        ({"type": "integer", "minimum": 3, "multipleOf": 5}, 5),
        ({"type": "number"}, 1),
        ({"type": "array", "items": {"type": "string"}}, []),
        ({"type": "array", "items": {"type": "string"}, "minItems": 3}, ["Ada", "Byron", "x"]),
        ({"type": "array", "prefixItems": [{"type": "boolean"}, {"type": "null"}]}, [True, None]),
        ({"type": ["null", "string"]}, "Ada"),
        ({"anyOf": [{"type": "null"}, {"type": "boolean"}]}, True),
        ({"type": "string", "minLength": 5}, "Adaxx"),
        ({"type": "string", "maxLength": 2}, "Ad"),
        ({"type": "string", "format": "date-time"}, "2025-01-01T00:00:00Z"),
        ({"$ref": "#/$defs/p", "$defs": {"p": PERSON}}, {"name": "Ada", "age": 1}),
        ({"allOf": [PERSON, {"required": ["nick"]}]}, {"name": "Ada", "age": 1, "nick": "Byron"}),
    ],
)  # fmt: skip
def test_the_smallest_value_fits_its_schema(schema, value):
    assert instance(schema, iter(["Ada", "Byron"])) == value
    jsonschema_rs.validate(schema, value)


def test_a_schema_in_the_words_of_gemini():
    schema = {"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}, "required": ["n"]}
    assert instance(schema, iter(())) == {"n": 1}


@pytest.mark.parametrize("schema", [None, 7, {}, {"$ref": "#/nowhere"}, {"required": [], "properties": 7}])
def test_what_is_no_schema_is_an_empty_object(schema):
    assert instance(schema, iter(())) == {}


def test_a_schema_that_never_ends_is_given_up():
    endless = {"type": "object", "properties": {"child": {"$ref": "#"}}, "required": ["child"]}
    value = instance(endless, iter(()))
    while value:
        value = value["child"]
    assert value is None
