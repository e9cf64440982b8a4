"""Values replaced in a body: JSON, or a stream of it."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from penstock.core.codec import DecodeError, Raw, Struct, decoder, encode
from penstock.providers.dialects import DONE
from penstock.providers.redact.paths import Tree
from penstock.providers.redact.values import Damaged, replaced
from penstock.wire.event_stream import Messages, kind_of, message, parts
from penstock.wire.framing import cutter_of
from penstock.wire.lines import Lines
from penstock.wire.sse import Events, Piece, data_in, split

_FIELDS = (b"event:", b"id:", b"retry:")
_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")  # JSON has them between its values alone
_one_member = decoder(dict[str, Raw]).decode

Replace = Callable[[bytes], bytes]


class _Chunk(Struct):
    bytes: bytes  # base64 on the wire


_chunk = decoder(_Chunk).decode


def body(data: bytes, kind: str | None, whole: Tree, stream: Tree, taken: list[Any]) -> bytes:
    """The body without the values; ``kind``: its content type; ``taken`` gets the values.

    A stream's last event is left out if it is not complete. Raises Damaged for what is neither JSON nor a stream of it.
    """
    cutter = cutter_of(kind.encode("latin-1", "replace")) if kind else None
    if not data:
        return data
    if cutter is None:
        return replaced(data, whole, taken)

    def replace(value: bytes) -> bytes:
        return replaced(value, stream, taken).translate(_ONE_LINE)

    if cutter is Messages:
        return _messages(data, replace)
    return _lines(data, replace) if cutter is Lines else _events(data, replace)


def _events(data: bytes, replace: Replace) -> bytes:
    cutter = Events(len(data))
    blocks = cutter.feed(data)
    if any(isinstance(block, Piece) for block in blocks):
        raise Damaged
    return _each([event for block in blocks for event in split(block)], cutter.rest(), lambda e: _event(e, replace))


def _event(event: bytes, replace: Replace) -> bytes:
    lines = event.splitlines()
    kept = [line for line in lines if line.startswith(_FIELDS)]
    if data := data_in(lines):
        kept.append(b"data: " + (data if data in DONE else replace(data)))
    return b"\n".join([*kept, b"\n"]) if kept else b""


def _lines(data: bytes, replace: Replace) -> bytes:
    *lines, rest = data.split(b"\n")
    return _each(lines, rest, lambda line: replace(line) + b"\n" if line.strip() else b"")


def _each(whole: Sequence[bytes], rest: bytes, replace: Replace) -> bytes:
    """All parts of a stream; what follows the last one's end counts if it is complete."""
    done = [replace(part) for part in whole]
    with suppress(Damaged):
        done.append(replace(rest))
    return b"".join(done)


def _messages(data: bytes, replace: Replace) -> bytes:
    try:
        return b"".join([message(head, _payload(kind_of(head), payload, replace)) for head, payload in parts(data)])
    except (*DecodeError, ValueError) as error:
        raise Damaged from error


def _payload(kind: str, payload: bytes, replace: Replace) -> bytes:
    """A model's own event stands encoded in a chunk; any other is a member of its type's name, as SDKs show it."""
    if kind == "chunk":
        return encode({"bytes": b64encode(replace(_chunk(payload).bytes)).decode()})
    if not payload:
        return payload
    event = _one_member(replace(b"{%b:%b}" % (encode(kind), payload)))
    return bytes(event[kind])
