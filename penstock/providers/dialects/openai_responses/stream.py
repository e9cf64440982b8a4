"""A stream of OpenAI responses, read event by event: its model, its usage, and whether it is whole."""

import re

from penstock.model.usage import Reported
from penstock.providers.dialects._shapes.bodies import EDGE, WHOLE, read, read_edges
from penstock.providers.dialects._shapes.events import pieces
from penstock.providers.dialects._shapes.values import is_object, name, present
from penstock.providers.dialects.openai_responses.shapes import MEMBERS, Answer, decode_answer, decode_event
from penstock.providers.dialects.openai_responses.usage import told

_ENDS = ("response.completed", "response.incomplete", "response.failed")
_TYPE = re.compile(rb'"type"\s{0,9}:\s{0,9}"(response\.[a-z]+)"')


def _end_of_event(data: bytes) -> Answer:
    """The answer of which ``data`` is the last part, made an object of its own, with what ends the event behind it."""
    return decode_answer(decode_event(b'{"response":' + data).response)


class Reader:
    """The first event names the model, the last (completed, incomplete, failed) carries the usage."""

    __slots__ = ("_error", "_told")

    def __init__(self) -> None:
        self._told = Reported(complete=False)
        self._error = False

    def dull(self, data: bytes) -> bool:
        """Whether ``data`` holds pieces of the answer alone."""
        return b'"response"' not in data and b'"error"' not in data

    def event(self, data: bytes) -> None:
        """Takes one SSE event, with or without its blank line. Never raises."""
        if self.dull(data):
            return
        for piece in pieces(data):
            if len(piece) > WHOLE:
                self._take_large(piece)
            elif (event := read(piece, decode_event, ())) is not None:
                kind = name(event.type)
                self._error = self._error or "error" in (kind, name(event.object)) or present(event.error)
                if is_object(event.response):
                    self._take(kind, decode_answer(event.response))

    def _take(self, kind: str, answer: Answer | None, unseen: bytes = b"") -> None:
        before, self._told = self._told, told(answer, unseen)
        self._told.complete = before.complete or kind in _ENDS
        self._told.model = self._told.model or before.model
        self._error = self._error or kind == "response.failed"

    def _take_large(self, piece: bytes) -> None:
        """An event with the whole answer, images included: what stands behind them is read."""
        if (match := _TYPE.search(piece, 0, 256)) is not None:
            answer = read_edges(b"", piece[-EDGE:], _end_of_event, MEMBERS)
            self._take(match[1].decode(), answer, piece)

    def reported(self) -> Reported:
        """What the stream has said of itself so far."""
        self._told.error = self._told.error or self._error
        return self._told
