"""The only importer of the JSON library."""

from typing import TypeVar

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

_decode_list = msgspec.json.Decoder(list[Raw]).decode  # within a list even what is only passed on is judged


def verbatim(data: bytes) -> Raw | str:
    """JSON as it stands, ready to be encoded; anything else as a text."""
    try:
        data.decode()
        (value,) = _decode_list(b"[%b]" % data)
    except (*DecodeError, ValueError):
        return data.decode("utf-8", "replace")
    return value


def decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """A reusable JSON decoder for one shape; unknown members are skipped."""
    return msgspec.json.Decoder(kind)


def unpacker(kind: type[T]) -> msgspec.msgpack.Decoder[T]:
    """The same for MessagePack."""
    return msgspec.msgpack.Decoder(kind)
