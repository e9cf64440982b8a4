"""AWS event streams (``application/vnd.amazon.eventstream``): cuts a stream of bytes into messages, whatever the frames
it comes in. Each message is given as a server-sent event, so that whoever reads events reads these.

A message is its length and that of its headers, a checksum of both, headers, a payload, and a checksum of all.
"""

import struct
from collections.abc import Iterator
from functools import lru_cache
from zlib import crc32

from penstock.core.codec import DecodeError, Struct, decoder
from penstock.wire.sse import Piece

LARGEST = 1 << 20  # bytes of a message that is read; the format allows 16 MiB, which no event of a model comes near
HEAD = 4096  # bytes of a message's headers, and
HEADERS = 32  # how many they are; providers send three

_PRELUDE = struct.Struct("!III")
_LEAST = 16  # bytes of a message without headers and payload
_TEXT = 7  # the type of a header that is a text
_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}  # bytes of the values of the others
_SIZED = (6, _TEXT)  # types whose value follows its length
_CHUNK = b'data: {"chunk":'
_LINES = bytes.maketrans(b"\r\n", b"  ")  # JSON has them between its values alone


class _Chunk(Struct):
    bytes: bytes  # base64 on the wire


_decode_chunk = decoder(_Chunk).decode


class Messages:
    """Cuts a stream into blocks of events, as ``wire.sse.Events`` does.

    What follows a message that is too large, or wrong by its checksums, cannot be cut: it is handed on in ``Piece``s.
    """

    __slots__ = ("_broken", "_cap", "_held", "_need")

    whole: bytes | tuple[()] = ()  # no end of a frame tells that all its events are whole

    def __init__(self, cap: int = LARGEST) -> None:
        self._cap = min(cap, LARGEST)
        self._held = bytearray()
        self._need = _PRELUDE.size  # bytes that must be here before there is anything to do
        self._broken = False

    def feed(self, data: bytes) -> list[bytes]:
        """The events that are complete now, joined; and a Piece, once the stream cannot be read."""
        if self._broken:
            return [Piece(data)]
        held = self._held
        held += data
        if len(held) < self._need:
            return []
        events: list[bytes] = []
        at = 0
        while (size := _size(held, at, self._cap)) and len(held) - at >= size:
            event = _event(bytes(held[at : at + size]))
            if event is None:
                size = None
                break
            events.append(event)
            at += size
        blocks = [b"".join(events)] if events else []
        if size is None:
            self._broken = True
            blocks.append(Piece(held[at:]))
            held.clear()
        else:
            del held[:at]
            self._need = size or _PRELUDE.size
        return blocks

    @property
    def holding(self) -> bool:
        """Whether a message has begun that is not complete."""
        return bool(self._held)

    @property
    def held(self) -> int:
        """Bytes of a message that is not complete."""
        return len(self._held)

    def rest(self) -> bytes:
        """What is left at the end of the stream: nothing that could be read."""
        rest = Piece(self._held) if self._held else b""
        self._held.clear()
        self._need = _PRELUDE.size
        return rest


def parts(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Headers and payload of each whole message of a stream. Raises ValueError where it cannot be read further."""
    held, at = bytearray(data), 0
    while size := _size(held, at, LARGEST):
        if len(data) - at < size:
            return
        read = data[at : at + size]
        if crc32(read[:-4]) != int.from_bytes(read[-4:]):
            raise ValueError("corrupt")
        end = _PRELUDE.size + int.from_bytes(read[4:8])
        yield read[_PRELUDE.size : end], read[end:-4]
        at += size
    if size is None:
        raise ValueError("corrupt")


def message(head: bytes, payload: bytes) -> bytes:
    """A message, as it travels."""
    sizes = struct.pack("!II", _LEAST + len(head) + len(payload), len(head))
    data = b"%b%b%b%b" % (sizes, crc32(sizes).to_bytes(4), head, payload)
    return data + crc32(data).to_bytes(4)


def kind_of(head: bytes) -> str:
    """The type of an event with these headers, or of an exception; empty: it tells none."""
    headers = _headers(head) or {}
    found = headers.get(b":event-type") or headers.get(b":exception-type") or b""
    return found.decode("latin-1")


def _size(held: bytearray, at: int, cap: int) -> int | None:
    """Bytes of the message that begins there; 0: that is not known yet; None: it is none, or too large."""
    if len(held) - at < _PRELUDE.size:
        return 0
    size, head, checksum = _PRELUDE.unpack_from(held, at)
    right = crc32(held[at : at + 8]) == checksum and head <= HEAD and _LEAST + head <= size <= cap
    return size if right else None


def _event(message: bytes) -> bytes | None:
    """A message as an event; None: it is corrupt.

    The payload is a member of its type's name, as SDKs show it. A model's own event, which Bedrock sends encoded in a
    ``chunk``, is what it was.
    """
    if crc32(message[:-4]) != int.from_bytes(message[-4:]):
        return None
    end = _PRELUDE.size + int.from_bytes(message[4:8])
    begin = _beginning(message[_PRELUDE.size : end])
    payload = message[end:-4]
    if begin is None:
        return None
    if begin == _CHUNK:
        try:
            return b"data: %b\n\n" % _line(_decode_chunk(payload).bytes)
        except DecodeError:
            pass
    return b"%b%b}\n\n" % (begin, _line(payload) or b"null")


@lru_cache(64)
def _beginning(head: bytes) -> bytes | None:
    """What the event of a message with these headers begins with; None: they are no headers."""
    headers = _headers(head)
    if headers is None:
        return None
    if headers.get(b":message-type") == b"event":
        return b'data: {"%b":' % _word(headers.get(b":event-type", b""))
    name = headers.get(b":exception-type") or headers.get(b":error-code", b"")
    return b'event: error\ndata: {"%b":' % _word(name)


def _headers(head: bytes) -> dict[bytes, bytes] | None:
    """The texts among a message's headers; None: they are no headers, or too many."""
    headers: dict[bytes, bytes] = {}
    at, size = 0, len(head)
    for _ in range(HEADERS):
        if at == size:
            break
        end = at + 1 + head[at]
        name, kind = head[at + 1 : end], head[end] if end < size else -1
        at = end + 1
        if kind in _SIZED:
            length = int.from_bytes(head[at : at + 2])
            at += 2
        elif (length := _SIZES.get(kind, -1)) < 0:
            return None
        if kind == _TEXT:
            headers[name] = head[at : at + length]
        at += length
    return headers if at == size else None


def _word(name: bytes) -> bytes:
    """A type's name, as far as it is one that may stand in JSON as it is."""
    return name if name.replace(b"-", b"").isalnum() else b"unknown"


def _line(payload: bytes) -> bytes:
    """JSON on one line."""
    return payload.translate(_LINES) if b"\n" in payload or b"\r" in payload else payload
