"""The only importer of the JSON library."""

from inspect import cleandoc
from typing import Any, TypeVar, cast

import msgspec

T = TypeVar("T")

# What decoding raises: bad JSON and the wrong shape, text that is not UTF-8, and members within members without end.
DecodeError = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
Raw = msgspec.Raw
Struct = msgspec.Struct

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode
pack = msgspec.msgpack.Encoder().encode
unpack = msgspec.msgpack.Decoder().decode


def indented(value: object) -> str:
    """JSON for people and their version control: a member a line."""
    return msgspec.json.format(encode(value), indent=2).decode() + "\n"


_decode_list = msgspec.json.Decoder(list[Raw]).decode  # within a list even what is only passed on is judged


def verbatim(data: bytes) -> Raw | str:
    """JSON as it stands, ready to be encoded; anything else as a text."""
    try:
        data.decode()
        (value,) = _decode_list(b"[%b]" % data)
    except (*DecodeError, ValueError):
        return data.decode("utf-8", "replace")
    return value


def json_schema(kind: type[Struct]) -> dict[str, Any]:
    """The JSON schema of a struct, with the schemas of the structs inside it in place. None may contain itself."""
    (top,), parts = msgspec.json.schema_components([kind], ref_template="{name}")
    return _in_place(top, parts)


def _in_place(value: Any, parts: dict[str, Any]) -> Any:
    if isinstance(value, str):
        return cleandoc(value)  # a description is a docstring
    if isinstance(value, list):
        return [_in_place(one, parts) for one in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    told = cast("dict[str, Any]", value)
    if "$ref" in told:
        return _in_place(parts[told["$ref"]], parts)
    return {name: _in_place(one, parts) for name, one in told.items()}


def decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """A reusable JSON decoder for one shape; unknown members are skipped."""
    return msgspec.json.Decoder(kind)


def unpacker(kind: type[T]) -> msgspec.msgpack.Decoder[T]:
    """The same for MessagePack."""
    return msgspec.msgpack.Decoder(kind)
