"""A stream of Cohere, read event by event: its usage, and whether it is whole."""

from penstock.core.codec import Raw
from penstock.model.usage import Reported
from penstock.providers.dialects._shapes.bodies import read
from penstock.providers.dialects._shapes.events import is_error_event, pieces
from penstock.providers.dialects._shapes.values import is_object, name, present
from penstock.providers.dialects.cohere.errors import has_failed
from penstock.providers.dialects.cohere.shapes import decode_answer, decode_event
from penstock.providers.dialects.cohere.usage import told

_LAST = ("message-end", "stream-end")  # types of the last event: of the second version, of the first
_MEMBERS = (b"usage", b"meta")


class Reader:
    """The last event has the usage: as a part of what it adds, or in the whole answer."""

    __slots__ = ("_told",)

    def __init__(self) -> None:
        self._told = Reported(complete=False)

    def dull(self, data: bytes) -> bool:
        """Whether ``data`` holds pieces of the answer alone. Each event has a type; an error may have none."""
        if b'e-end"' in data or b'm-end"' in data or b"error" in data:
            return False
        return data.count(b'type"') >= data.count(b"\n\n")

    def event(self, data: bytes) -> None:
        """Takes one event. Never raises."""
        self._told.error = self._told.error or is_error_event(data)
        for piece in pieces(data):
            if (event := read(piece, decode_event, ())) is None:
                continue
            kind = name(event.type) or name(event.event_type)
            failed = kind == "error" or has_failed(event.finish_reason) or (not kind and present(event.message))
            if kind in _LAST:
                self._end(event.delta if is_object(event.delta) else event.response)
            self._told.error = self._told.error or failed

    def _end(self, last: Raw) -> None:
        before = self._told
        answer = read(bytes(last), decode_answer, _MEMBERS) if is_object(last) else None
        self._told = told(answer) if answer is not None else Reported()
        self._told.error = self._told.error or before.error

    def reported(self) -> Reported:
        """What the stream has said of itself so far."""
        return self._told
