"""JSON schemas as Claude takes them, of answers and of strict tools.

https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
"""

from typing import Any

from penstock.core.codec import encode
from penstock.providers.dialects._shapes.members import list_or_none, object_or_none

Json = dict[str, Any]
# Limits that are refused; they go into the description, where the model reads them.
_LIMITS = {
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    "minLength", "maxLength", "maxItems", "uniqueItems", "minProperties", "maxProperties",
}  # fmt: skip
_NAMED = {"properties", "$defs", "definitions"}  # members that hold schemas by name
_SEVERAL = {"anyOf", "allOf"}  # that hold lists of them
_DEEP = 64


class _OpenError(Exception):
    """An object may have members of any name, which Claude cannot promise."""


def fitted(schema: Any) -> Any:
    """Objects closed, refused limits as words, ``oneOf`` as ``anyOf``. None: it cannot be made fit."""
    try:
        return _fitted(schema, 0)
    except _OpenError:
        return None


def _fitted(schema: Any, depth: int) -> Any:
    told = object_or_none(schema)
    if told is None:
        return schema
    if depth > _DEEP or _is_open(told):
        raise _OpenError
    limits = {name: value for name, value in told.items() if name in _LIMITS or _many(name, value)}
    fit: Json = {
        "anyOf" if name == "oneOf" else name: _inner("anyOf" if name == "oneOf" else name, value, depth + 1)
        for name, value in told.items()
        if name not in limits
    }
    if limits:
        words = encode(limits).decode()
        fit["description"] = f"{fit['description']} {words}" if fit.get("description") else words
    if fit.get("type") == "object" or "properties" in fit:
        fit["additionalProperties"] = False
    return fit


def _is_open(told: Json) -> bool:
    """Whether it is of an object whose members' names the schema does not tell."""
    return object_or_none(told.get("additionalProperties")) is not None or (
        told.get("type") == "object" and not {"properties", "anyOf", "oneOf", "allOf", "$ref"} & told.keys()
    )


def _many(name: str, value: Any) -> bool:
    """Whether it asks for a length that cannot be promised: 0 and 1 can."""
    return name == "minItems" and value not in (0, 1)


def _inner(name: str, value: Any, depth: int) -> Any:
    """A member of a schema, with the schemas that it holds."""
    if name in _NAMED and (members := object_or_none(value)) is not None:
        return {member: _fitted(one, depth) for member, one in members.items()}
    if name in _SEVERAL and (several := list_or_none(value)) is not None:
        return [_fitted(one, depth) for one in several]
    return _fitted(value, depth) if name == "items" else value


def input_schema(schema: Any) -> Any:
    """That of a tool's arguments: it has to be of an object."""
    told = object_or_none(schema)
    if told is None:
        return {"type": "object", "properties": {}}
    return told if "type" in told else {"type": "object", **told}
