"""What an OpenAPI 3.1 document says, in pieces that a page can show. Pure; nothing here is HTML."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast
from urllib.parse import quote

from penstock.core.codec import encode

Json = Mapping[str, Any]

METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
UNIONS = {"anyOf": " or ", "oneOf": " or ", "allOf": " and "}

_ORIGIN = "${PENSTOCK_URL:-http://127.0.0.1:8787}"
_PLACES = {"account_id": "$PENSTOCK_ACCOUNT_ID"}  # what a path parameter is in an example
_READ = {**_PLACES, "gateway_id": "default"}  # a pasted example must not change what is in use
_SAMPLES: Json = {"date-time": "2030-01-01T00:00:00Z", "string": "text", "boolean": True, "array": []}
_DEPTH = 8  # of an example


class Operation(NamedTuple):
    """One method of one path. ``kind`` and ``schema`` are its body's, ``kind`` empty where it takes none."""

    method: str
    path: str
    id: str
    raw: Json
    parameters: list[Json]
    body: Json
    kind: str
    schema: Json


class Field(NamedTuple):
    """A member of a value, by its path from the top: ``rules[].limit``."""

    path: str
    schema: Json  # as it stands in the document, references and all
    required: bool


def operations(document: Json) -> dict[str, list[Operation]]:
    """All of them by their first tag, in the document's order."""
    tags: dict[str, list[Operation]] = {}
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                raw: Json = item[method]
                given = [*item.get("parameters", ()), *raw.get("parameters", ())]
                parameters = [resolve(document, parameter) for parameter in given]
                body = resolve(document, raw.get("requestBody", {}))
                name = raw.get("operationId", f"{method} {path}")
                operation = Operation(method, path, name, raw, parameters, body, *content(body))
                tags.setdefault((raw.get("tags") or ["Other"])[0], []).append(operation)
    return tags


def resolve(document: Json, schema: Json) -> Json:
    """What a reference stands for; what is said beside it counts more. One that leads nowhere is empty."""
    for _ in range(_DEPTH):
        if "$ref" not in schema:
            return schema
        found: Any = document
        for step in str(schema["$ref"]).removeprefix("#/").split("/"):
            found = _members(found).get(step.replace("~1", "/").replace("~0", "~"), {})
        schema = {**_members(found), **{word: told for word, told in schema.items() if word != "$ref"}}
    return {}


def content(holder: Json) -> tuple[str, Json]:
    """The first media type of a body or an answer, and its schema."""
    for kind, media in holder.get("content", {}).items():
        return kind, media.get("schema", {})
    return "", {}


def variants(schema: Json) -> list[Json]:
    """What a union or an intersection consists of."""
    return [variant for word in UNIONS for variant in schema.get(word, ())]


def fields(
    document: Json, schema: Json, *, deep: bool, at: str = "", seen: Sequence[str] = (), lone: bool = False
) -> Iterator[Field]:
    """The members of a value, flat. With ``deep`` also those of the schemas it refers to, each once on a path.

    ``lone``: what is looked at is an entry of a list, which has no name of its own; it is told where it has limits.
    """
    if "$ref" in schema:
        if schema["$ref"] in seen or (at and not deep):
            return
        seen = (*seen, schema["$ref"])
    elif lone and not schema.keys() <= {"type", "title", *UNIONS}:
        yield Field(at, schema, required=False)
    schema = resolve(document, schema)
    for variant in variants(schema):
        yield from fields(document, variant, deep=deep, at=at, seen=seen, lone=lone)
    for name, member in schema.get("properties", {}).items():
        path = f"{at}.{name}" if at else name
        yield Field(path, member, name in schema.get("required", ()))
        yield from fields(document, member, deep=deep, at=path, seen=seen)
    for free in map(_members, (*schema.get("patternProperties", {}).values(), schema.get("additionalProperties"))):
        if free:
            path = f"{at}.*" if at else "*"
            yield Field(path, free, required=False)
            yield from fields(document, free, deep=deep, at=path, seen=seen)
    if schema.get("items"):
        yield from fields(document, schema["items"], deep=deep, at=f"{at}[]", seen=seen, lone=True)


def sample(document: Json, schema: Json, depth: int = 0) -> Any:
    """A value of the right shape, with what is required, or else the first member."""
    schema = resolve(document, schema)
    told = [*schema.get("examples", ())[:1], *(schema.get(word) for word in ("example", "const", "default"))]
    told += schema.get("enum", ())[:1]
    several = [variant for variant in variants(schema) if variant.get("type") != "null"]
    known = [value for value in told if value is not None]
    if known or depth > _DEPTH:
        return known[0] if known else None
    return sample(document, several[0], depth + 1) if several else _made_up(document, schema, depth)


def _made_up(document: Json, schema: Json, depth: int) -> Any:
    kind = kinds(schema, "object" if "properties" in schema else "null")[0]
    if kind == "object":
        members: Json = schema.get("properties", {})
        wanted = schema.get("required") or list(members)[:1]
        return {name: sample(document, members.get(name, {}), depth + 1) for name in wanted}
    if kind == "array" and schema.get("minItems"):
        return [sample(document, schema.get("items", {}), depth + 1)]
    if kind in {"integer", "number"}:
        return plain(schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1))
    return _SAMPLES.get(schema.get("format", kind), _SAMPLES.get(kind))


def curl(document: Json, operation: Operation) -> str:
    """A command that may be pasted into a shell. Nothing of the document is more than text to the shell."""
    places = _READ if operation.method == "get" else _PLACES
    place = "".join(
        places.get(part[1:-1], "$" + re.sub(r"\W", "_", part[1:-1], flags=re.ASCII).upper())
        if part.startswith("{")
        else quote(part, safe="/:")
        for part in re.split(r"(\{[^{}]*\})", operation.path)
    )
    query = "&".join(
        f"{quote(p['name'], safe='')}={quote(str(sample(document, p.get('schema', {}))), safe='')}"
        for p in operation.parameters
        if p.get("in") == "query" and p.get("required")
    )
    lines = [f'curl -X {operation.method.upper()} "{_ORIGIN}{place}{"?" * bool(query)}{query}"']
    lines.append('  -H "Authorization: Bearer $PENSTOCK_API_TOKEN"')
    if operation.kind:
        lines.append("  -H " + shlex.quote(f"content-type: {operation.kind}"))
        lines.append("  -d " + shlex.quote(encode(sample(document, operation.schema)).decode()))
    return " \\\n".join(lines)


def kinds(schema: Json, otherwise: str) -> list[str]:
    """What a schema's ``type`` says: one word, or several."""
    told: Any = schema.get("type", otherwise)
    return cast("list[str]", told) if isinstance(told, list) else [str(told)]


def _members(value: Any) -> Json:
    """A JSON object's; none of anything else: a schema may also be a mere yes or no."""
    return cast("Json", value) if isinstance(value, Mapping) else {}


def plain(value: Any) -> Any:
    """A number without a fraction as an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
