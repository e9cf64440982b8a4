"""A second opinion on HTTP/1.1: requests as RFC 9112 frames them, and nothing that merely could be meant so.

Written to be read beside the RFC, not to be fast. What it refuses, a careful server must not take for a request either;
what it reads, a server may still refuse.
"""

import re
from typing import NamedTuple

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(rb"(%b) +([!\"$-~]+) +HTTP/1\.([01])" % _TOKEN)  # a target has no fragment
_FIELD = re.compile(rb"(%b):[ \t]*([\t -~\x80-\xff]*?)[ \t]*" % _TOKEN)
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[\t -~\x80-\xff]*)?")  # extensions are passed over
_LENGTH = re.compile(rb"[0-9]{1,15}")

Fields = list[tuple[bytes, bytes]]


class Refused(Exception):
    """What comes is no HTTP/1.1 message, or one that can be framed in more than one way."""


class Incomplete(Exception):
    """More has to come."""


class Message(NamedTuple):
    """A request. Names of fields are in lower case; ``size``: bytes it took, empty lines before it included."""

    method: bytes
    target: bytes
    fields: Fields
    body: bytes
    last: bool  # nothing behind it on its connection is a request
    size: int

    def values(self, name: bytes) -> list[bytes]:
        """Of the fields of that name."""
        return [value for field, value in self.fields if field == name]


class Reading(NamedTuple):
    """What a connection carried: whole requests, why there are no more of them, and what is left."""

    messages: list[Message]
    ending: str  # "", "last", "incomplete", or "refused: …"
    rest: bytes


def requests(data: bytes) -> Reading:
    """All that a client sent on one connection."""
    found: list[Message] = []
    while data.strip(b"\r\n"):
        try:
            message = request(data)
        except Incomplete:
            return Reading(found, "incomplete", data)
        except Refused as error:
            return Reading(found, f"refused: {error}", data)
        found.append(message)
        if message.last:
            return Reading(found, "last", data[message.size :])
        data = data[message.size :]
    return Reading(found, "", data)


def request(data: bytes) -> Message:
    """The first request. Raises Incomplete or Refused."""
    start = 0
    while data[start : start + 1] in (b"\r", b"\n"):  # 2.2: empty lines before a request are ignored, however they end
        start += 1
    end, lines = _head(data, start)
    match = _REQUEST_LINE.fullmatch(lines[0])
    if match is None:
        raise Refused("request line")
    method, target, minor = match.groups()
    if method == b"CONNECT":
        raise Refused("CONNECT")
    fields = _fields(lines[1:])
    names = [name for name, _ in fields]
    if names.count(b"host") > 1 or (minor == b"1" and b"host" not in names):
        raise Refused("host")
    body, end = _body(data, end, fields, old=minor == b"0")
    options = {
        option.strip().lower() for name, value in fields if name == b"connection" for option in value.split(b",")
    }
    return Message(method, target, fields, body, minor == b"0" or b"close" in options, end)


def _head(data: bytes, start: int) -> tuple[int, list[bytes]]:
    """Where the head ends, and its lines."""
    lines: list[bytes] = []
    while True:
        end = data.find(b"\n", start)
        line = data[start : end if end >= 0 else len(data)]
        if end >= 0 and not line.endswith(b"\r"):
            raise Refused("a line ends in a bare line feed")
        if b"\r" in line[:-1] or b"\x00" in line:
            raise Refused("a bare carriage return or a zero")
        if end < 0:
            raise Incomplete
        if line == b"\r":
            if not lines:
                raise Refused("no request line")
            return end + 1, lines
        lines.append(line[:-1])
        start = end + 1


def _fields(lines: list[bytes]) -> Fields:
    fields: Fields = []
    for line in lines:
        match = _FIELD.fullmatch(line)  # 5.1: no space before the colon; 5.2: no folding
        if match is None:
            raise Refused("field line")
        fields.append((match[1].lower(), match[2]))
    return fields


def _body(data: bytes, start: int, fields: Fields, *, old: bool) -> tuple[bytes, int]:
    """The body and where it ends (6.3)."""
    lengths = [value for name, value in fields if name == b"content-length"]
    codings = [value for name, value in fields if name == b"transfer-encoding"]
    if codings:
        if lengths or len(codings) > 1 or codings[0].lower() != b"chunked" or old:
            raise Refused("transfer-encoding")
        return _chunks(data, start)
    if not lengths:
        return b"", start
    if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
        raise Refused("content-length")
    end = start + int(lengths[0])
    if len(data) < end:
        raise Incomplete
    return data[start:end], end


def _chunks(data: bytes, start: int) -> tuple[bytes, int]:
    """7.1."""
    body = b""
    while True:
        end = data.find(b"\r\n", start)
        line = data[start : end if end >= 0 else len(data)]
        if b"\n" in line or b"\r" in (line if end >= 0 else line[:-1]):
            raise Refused("a bare line end in a chunk's head")
        if end < 0:
            raise Incomplete
        match = _CHUNK_SIZE.fullmatch(line)
        if match is None:
            raise Refused("chunk size")
        size, start = int(match[1], 16), end + 2
        if size == 0:
            return body, _trailers(data, start)
        body += data[start : start + size]
        start += size
        after = data[start : start + 2]
        if not b"\r\n".startswith(after):
            raise Refused("a chunk is not as long as it says")
        if len(after) < 2:
            raise Incomplete
        start += 2


def _trailers(data: bytes, start: int) -> int:
    if data.startswith(b"\r\n", start):
        return start + 2
    end, lines = _head(data, start)
    _fields(lines)
    return end
