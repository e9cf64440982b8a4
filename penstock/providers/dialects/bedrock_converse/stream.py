"""A stream of Converse, read event by event: its usage, and whether it is whole."""

from penstock.model.usage import Reported
from penstock.providers.dialects._shapes.bodies import read
from penstock.providers.dialects._shapes.events import is_error_event, pieces
from penstock.providers.dialects._shapes.values import is_object
from penstock.providers.dialects.bedrock_converse.shapes import decode_answer, decode_event
from penstock.providers.dialects.bedrock_converse.usage import told


class Reader:
    """``messageStop`` ends the message, ``metadata`` the stream; an exception is an error instead."""

    __slots__ = ("_error", "_stopped", "_told")

    def __init__(self) -> None:
        self._told: Reported | None = None  # what the last event said
        self._stopped = False
        self._error = False

    def dull(self, data: bytes) -> bool:
        """Whether ``data`` holds pieces of the answer alone."""
        return b'{"me' not in data and b"event: error" not in data

    def event(self, data: bytes) -> None:
        """Takes one event. Never raises."""
        self._error = self._error or is_error_event(data)
        for piece in pieces(data):
            if (event := read(piece, decode_event, ())) is None:
                continue
            self._stopped = self._stopped or is_object(event.message_stop)
            if is_object(event.metadata) and (answer := read(bytes(event.metadata), decode_answer, ())) is not None:
                self._told = told(answer)

    def reported(self) -> Reported:
        """What the stream has said of itself so far."""
        reported = self._told or Reported()
        reported.error = reported.error or self._error
        reported.complete = self._stopped and self._told is not None
        return reported
