"""The smallest value that fits a JSON schema, made of the words of a text."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

Json = dict[str, Any]
_DEEPEST = 32  # of a schema that contains itself
_FORMATS = {
    "date": "2025-01-01",
    "date-time": "2025-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "duration": "PT1S",
    "email": "me@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "hostname": "example.com",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
}


def instance(schema: Any, words: Iterator[str]) -> Any:
    """Required members only; a string is the next word, or "x". Patterns are not looked at."""
    return _value(schema, schema, words, 0)


def _value(schema: Any, top: Any, words: Iterator[str], depth: int) -> Any:  # noqa: PLR0911  a table
    told = _plain(schema, top)
    if depth > _DEEPEST:
        return None
    for name in ("const", "default"):
        if name in told:
            return told[name]
    if told.get("enum"):
        return told["enum"][0]
    match _kind(told):
        case "object":
            members = _dict(told.get("properties"))
            return {name: _value(members.get(name), top, words, depth + 1) for name in _list(told.get("required"))}
        case "array":
            items = [*_list(told.get("prefixItems")), *[told.get("items")] * int(told.get("minItems") or 0)]
            least = max(int(told.get("minItems") or 0), len(_list(told.get("prefixItems"))))
            return [_value(one, top, words, depth + 1) for one in items[:least]]
        case "integer" | "number" as kind:
            return _number(told, whole=kind == "integer")
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return _text(told, words)


def _plain(schema: Any, top: Any) -> Json:
    """The schema that a reference, a choice or a sum of schemas comes to."""
    told = _dict(schema)
    for _ in range(_DEEPEST):
        if isinstance(told.get("$ref"), str):
            found: Any = top
            for name in told["$ref"].removeprefix("#").split("/")[1:]:
                found = _dict(found).get(name.replace("~1", "/").replace("~0", "~"))
            told = _dict(found)
        elif choice := _list(told.get("anyOf")) or _list(told.get("oneOf")):
            told = _dict(next((one for one in choice if _dict(one).get("type") != "null"), choice[0]))
        elif every := _list(told.get("allOf")):
            told = _sum([{**told, "allOf": None}, *(_plain(one, top) for one in every)])
        else:
            break
    return told


def _sum(schemas: Sequence[Json]) -> Json:
    told: Json = {}
    for one in schemas:
        required = [*_list(told.get("required")), *_list(one.get("required"))]
        told |= one | {"properties": _dict(told.get("properties")) | _dict(one.get("properties"))}
        told["required"] = list(dict.fromkeys(required))
    return told


def _kind(told: Json) -> str:
    """In small letters: Gemini's own schemas have capitals."""
    kind = told.get("type")
    if isinstance(kind, list):
        kind = next((one for one in cast("list[Any]", kind) if one != "null"), "null")
    if isinstance(kind, str):
        return kind.lower()
    return "object" if "properties" in told or not told else "array" if "items" in told else "string"


def _number(told: Json, *, whole: bool) -> Any:
    least, above = told.get("minimum"), told.get("exclusiveMinimum")
    if least is None and isinstance(above, int | float):
        least = above + 1
    most = told.get("maximum")
    value = least if least is not None else 1 if most is None else min(1, most)
    step = told.get("multipleOf")
    if step:
        value = -(-value // step) * step
    return int(value) if whole else value


def _text(told: Json, words: Iterator[str]) -> str:
    if (known := _FORMATS.get(str(told.get("format")))) is not None:
        return known
    word = next(words, "x")
    return word[: told.get("maxLength")].ljust(int(told.get("minLength") or 0), "x")


def _dict(value: Any) -> Json:
    return cast("Json", value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []
