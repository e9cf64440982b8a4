"""A stream of Workers AI, read event by event: its usage, and whether it is whole."""

import re

from penstock.model.usage import Reported
from penstock.providers.dialects._shapes.bodies import read
from penstock.providers.dialects._shapes.events import is_error_event, pieces
from penstock.providers.dialects._shapes.values import is_object, name, present, usage_of
from penstock.providers.dialects.workers_ai.errors import is_error
from penstock.providers.dialects.workers_ai.shapes import Answer, decode_answer

DONE = b"[DONE]"  # the data of the event that ends a stream
_ENDS = ("response.completed", "response.incomplete", "response.failed")  # of models that speak OpenAI responses
_MEMBERS = (b"usage", b"model")
_COUNTS = re.compile(rb'_tokens"\s{0,9}:\s{0,9}[1-9]')


class Reader:
    """The last usage object that has a count in it is the answer's. The stream has ended with ``[DONE]``."""

    __slots__ = ("_told",)

    def __init__(self) -> None:
        self._told = Reported(complete=False)

    def dull(self, data: bytes) -> bool:
        """Whether ``data`` holds pieces of the answer alone."""
        return b'"usage"' not in data and b"error" not in data and DONE not in data and b'"success"' not in data

    def event(self, data: bytes) -> None:
        """Takes one event. Never raises."""
        if self.dull(data):
            return
        told = self._told
        told.error = told.error or is_error_event(data)
        for piece in pieces(data):
            if piece.strip() == DONE:
                told.complete = True
            elif (event := read(piece, decode_answer, _MEMBERS)) is not None:
                kind = name(event.type)
                told.complete = told.complete or kind in _ENDS
                told.error = told.error or is_error(event) or kind in ("error", "response.failed")
                self._take(event)
                if is_object(event.response) and (inner := read(bytes(event.response), decode_answer, _MEMBERS)):
                    self._take(inner)

    def _take(self, answer: Answer) -> None:
        told = self._told
        told.model = name(answer.model) or told.model
        if present(answer.usage):
            raw, unread = usage_of(answer.usage)
            if unread or not told.raw or _COUNTS.search(raw):
                told.raw, told.unread = raw, unread

    def reported(self) -> Reported:
        """What the stream has said of itself so far."""
        return self._told
