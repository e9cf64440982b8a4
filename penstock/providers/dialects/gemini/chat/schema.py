"""Gemini's older form of schemas, a subset of OpenAPI's, as JSON schemas.

https://ai.google.dev/api/caching#Schema
"""

from typing import Any, cast

from penstock.providers.dialects._shapes.members import list_or_none, object_or_none

_LISTS = ("anyOf", "prefixItems")
_MAPS = ("properties", "defs")
_OWN = {"nullable", "propertyOrdering", "example", "defs", "ref"}
_COUNTS = {"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"}  # also told as texts


def json_schema(told: object) -> Any:
    """The same as a JSON schema: types in lower case, and null as a type."""
    schema = object_or_none(told)
    if schema is None:
        return told
    schema = {_NAMES.get(name, name): value for name, value in schema.items()}
    made: dict[str, Any] = {}
    for name, value in schema.items():
        if name in _MAPS:
            members = object_or_none(value) or {}
            made["$defs" if name == "defs" else name] = {key: json_schema(one) for key, one in members.items()}
        elif name in _LISTS:
            made[name] = [json_schema(one) for one in list_or_none(value) or ()]
        elif name in ("items", "additionalProperties"):
            made[name] = json_schema(value)
        elif name == "type" and isinstance(value, str):
            made[name] = value.lower()
        elif name in _COUNTS and isinstance(value, str) and value.isdecimal():
            made[name] = int(value)
        elif name not in _OWN:
            made[name] = value
    if "ref" in schema:
        made["$ref"] = schema["ref"]
    return _nullable(made) if schema.get("nullable") is True else made


def _nullable(made: dict[str, Any]) -> dict[str, Any]:
    if isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    elif "anyOf" in made:
        made["anyOf"] = [*cast("list[Any]", made["anyOf"]), {"type": "null"}]
    if "enum" in made:
        made["enum"] = [*cast("list[Any]", made["enum"]), None]
    return made


_NAMES = {  # as SDKs spell them that write snake_case
    "any_of": "anyOf",
    "prefix_items": "prefixItems",
    "additional_properties": "additionalProperties",
    "property_ordering": "propertyOrdering",
    "min_items": "minItems",
    "max_items": "maxItems",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_properties": "minProperties",
    "max_properties": "maxProperties",
    "$defs": "defs",
    "$ref": "ref",
}
