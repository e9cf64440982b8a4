"""What the page says of schemas, as plain data: types as parts of which some are links, limits, members. Pure."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from penstock.control import openapi
from penstock.control.openapi import Field, Json
from penstock.core.codec import encode

_LIMITS = {  # JSON Schema's word: ours
    "const": "is {}",
    "enum": "one of {}",
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "multipleOf": "a multiple of {}",
    "minLength": "length ≥ {}",
    "maxLength": "length ≤ {}",
    "pattern": "matches {}",
    "minItems": "entries ≥ {}",
    "maxItems": "entries ≤ {}",
    "uniqueItems": "no two entries alike",
    "minProperties": "members ≥ {}",
    "maxProperties": "members ≤ {}",
    "default": "default {}",
}


class Part(NamedTuple):
    """A piece of text. ``kind``: text, code, or the name of a schema, which is a link."""

    text: str
    kind: str = "text"


class Row(NamedTuple):
    """A member, or a parameter, which has a ``place``. ``above``: the way down to its name."""

    above: str
    name: str
    place: str
    type: list[Part]
    required: bool
    limits: list[list[Part]]
    meaning: str


def row(document: Json, field: Field, place: str = "") -> Row:
    above, dot, name = field.path.rpartition(".")
    schema = openapi.resolve(document, field.schema)
    meaning = str(schema.get("description", ""))
    return Row(above + dot, name, place, type_of(field.schema), field.required, limits(schema), meaning)


def parameter(document: Json, given: Json) -> Row:
    schema = {**given.get("schema", {}), **{word: given[word] for word in ("description",) if word in given}}
    field = Field(str(given.get("name", "")), schema, bool(given.get("required")))
    return row(document, field, str(given.get("in", "")))._replace(above="", name=field.path)


def members(document: Json, schema: Json, *, deep: bool) -> list[Row]:
    return [row(document, field) for field in openapi.fields(document, schema, deep=deep)]


def type_of(schema: Json) -> list[Part]:
    """The kind of a value."""
    if "$ref" in schema:
        return [Part(str(schema["$ref"]).rpartition("/")[2], "schema")]
    for word, glue in openapi.UNIONS.items():
        if word in schema:
            return _joined([type_of(variant) for variant in schema[word]], glue)
    told = " or ".join(map(str, openapi.kinds(schema, "anything")))
    if told == "array":
        return [Part("list of "), *type_of(schema.get("items", {}))]
    return [Part(f"{told} ({schema['format']})" if "format" in schema else told)]


def limits(schema: Json) -> list[list[Part]]:
    """What a value must keep to, a line each."""
    own = [
        _around(words, _value(word, schema[word]))
        for word, words in _LIMITS.items()
        if schema.get(word) is not None and schema[word] is not False
    ]
    for variant in openapi.variants(schema):
        own += limits(variant)
    return [line for place, line in enumerate(own) if line not in own[:place]]


def prose(text: object) -> list[Part]:
    """A sentence; what stands in backticks is code."""
    return [
        Part(part, "code" if place % 3 == 2 else "text")  # noqa: PLR2004  text, the backticks, code, text, …
        for place, part in enumerate(re.split(r"(`+)([^`]+)\1", str(text)))
        if part and place % 3 != 1
    ]


def anchor(kind: str, name: object) -> str:
    """An element's name: one for each thing, whatever its name consists of."""
    return f"{kind}-" + re.sub(r"[^A-Za-z0-9.-]", lambda sign: f"_{ord(sign[0]):x}_", str(name))


def _joined(variants: list[list[Part]], glue: str) -> list[Part]:
    told: list[Part] = []
    for place, variant in enumerate(variants):
        if variant not in variants[:place]:
            told += ([Part(glue)] if told else []) + variant
    return told


def _around(words: str, value: str) -> list[Part]:
    before, mark, behind = words.partition("{}")
    return [*_text(before), *([Part(value, "code")] if mark else []), *_text(behind)]


def _text(words: str) -> Iterator[Part]:
    if words:
        yield Part(words)


def _value(word: str, value: Any) -> str:
    if word == "pattern":
        return str(value)
    listed = value if word == "enum" else [value]
    return ", ".join(encode(openapi.plain(one)).decode() for one in listed)
