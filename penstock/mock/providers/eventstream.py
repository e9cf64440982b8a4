"""AWS event streams: messages of a length, headers, a payload, and a checksum of each half."""

import struct
import zlib
from collections.abc import Mapping

KIND = b"application/vnd.amazon.eventstream"

_TEXT = 7  # the type of every header here


def event(name: str, payload: bytes) -> bytes:
    """An event with a JSON payload."""
    return message({":event-type": name, ":content-type": "application/json", ":message-type": "event"}, payload)


def exception(name: str, payload: bytes) -> bytes:
    """The message with which a stream tells that it failed."""
    kinds = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return message(kinds, payload)


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message, complete with its checksums."""
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    head = b"".join(bytes([len(name)]) + name + struct.pack("!BH", _TEXT, len(value)) + value for name, value in pairs)
    prelude = struct.pack("!II", 16 + len(head) + len(payload), len(head))
    data = prelude + struct.pack("!I", zlib.crc32(prelude)) + head + payload
    return data + struct.pack("!I", zlib.crc32(data))
