"""How a stream is cut into events, by its content type. What comes out are server-sent events, whatever went in."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from penstock.wire.event_stream import Messages
from penstock.wire.lines import Lines
from penstock.wire.sse import Events


class Cutter(Protocol):
    """Cuts a stream into blocks of whole events. A ``Piece`` among them is nothing to be read."""

    whole: bytes | tuple[()]  # what a frame ends with that is whole events, if none had begun before; (): none is

    def __init__(self, cap: int) -> None: ...
    def feed(self, data: bytes) -> list[bytes]:
        """The events that are complete now, joined."""
        ...

    @property
    def holding(self) -> bool:
        """Whether an event has begun that is not complete."""
        ...

    @property
    def held(self) -> int:
        """Bytes of an event that is not complete."""
        ...

    def rest(self) -> bytes:
        """What is left at the end of the stream."""
        ...


_CUTTERS: Mapping[bytes, type[Cutter]] = MappingProxyType(
    {
        b"text/event-stream": Events,
        b"application/vnd.amazon.eventstream": Messages,
        b"application/stream+json": Lines,
        b"application/x-ndjson": Lines,
    }
)


def cutter_of(kind: bytes) -> type[Cutter] | None:
    """What cuts a stream of this content type, parameters and case aside; None: it is none."""
    found = _CUTTERS.get(kind)
    return found or _CUTTERS.get(kind.partition(b";")[0].strip().lower())
