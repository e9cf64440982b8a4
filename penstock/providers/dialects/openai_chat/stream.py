"""A stream of OpenAI chat, read event by event: its model, its usage, and whether it is whole."""

import re

from penstock.core.codec import Raw
from penstock.model.usage import Reported
from penstock.providers.dialects._shapes.bodies import read, read_listed
from penstock.providers.dialects._shapes.events import is_error_event, pieces
from penstock.providers.dialects._shapes.openai import MEMBERS
from penstock.providers.dialects._shapes.values import name, present, usage_of
from penstock.providers.dialects.openai_chat.errors import has_failed, is_error
from penstock.providers.dialects.openai_chat.shapes import (
    Choice,
    choices_of,
    decode_answer,
    decode_answers,
    groq_of,
)
from penstock.providers.dialects.openai_chat.usage import has_usage
from penstock.wire.sse import Refrain

# a finish reason: within a text its quotes would be escaped
_FINISH = re.compile(rb'"finish_reason"\s{0,99}:\s{0,99}"[^"]')
DONE = b"[DONE]"  # the data of the event that ends a stream
_LATER = re.compile(rb'"index"\s{0,9}:\s{0,9}([1-9][0-9]{0,3})')  # of a choice, or of a call of a tool
_COUNTS = re.compile(rb'_tokens"\s{0,9}:\s{0,9}[1-9]')
_DIGITS = 4  # of the index of a choice


class Reader:
    """The last usage object that has a count in it is the answer's: some report a growing one on every chunk, most a
    null until the end.

    The stream has ended with ``[DONE]``, or when each choice has its finish reason.
    """

    __slots__ = ("_done", "_ended", "_finished", "_last", "_refrain", "_told")

    def __init__(self) -> None:
        self._told = Reported()
        self._done = False
        self._ended = False
        self._finished: set[int] = set()  # indices of choices
        self._last = 0  # index of a choice
        self._refrain = Refrain(b'"content":"')

    def dull(self, data: bytes) -> bool:
        """Whether no event in ``data`` says anything new."""
        if self._refrain.recognises(data):
            return True
        if b"{" not in data:  # no chunk: the end, or the name of an event
            return DONE not in data and b"error" not in data
        if has_usage(data) or b'"error"' in data or b"event:" in data or (not self._told.model and b'"model"' in data):
            return False
        if not self._ended and (_FINISH.search(data) or DONE in data):
            return False
        chunks = data.count(b'"choices":[{"index":0')
        if (not chunks or chunks < data.count(b"\n\n") or chunks < data.count(b'"index"')) and self._has_more(data):
            return False
        self._refrain.learn(data)
        return True

    def _has_more(self, data: bytes) -> bool:
        """Whether there is an event that is no chunk, or a choice that has not been seen."""
        chunks = data.count(b'"choices"')
        if not chunks or chunks < data.count(b"\n\n"):
            return True
        return any(int(at[1]) > self._last for at in _LATER.finditer(data))

    def event(self, data: bytes) -> None:
        """Takes one SSE event, with or without its blank line. Never raises."""
        if self.dull(data):
            return
        told = self._told
        told.error = told.error or is_error_event(data)
        for piece in pieces(data):
            if piece.strip() == DONE:
                self._done = self._ended = True
            elif (chunk := read(piece, decode_answer, MEMBERS) or read_listed(piece, decode_answers)) is not None:
                if _FINISH.search(piece) or _LATER.search(piece) or b'"error"' in piece:
                    self._take(choices_of(chunk))
                told.model = name(chunk.model) or told.model
                told.tier = name(chunk.service_tier) or told.tier
                told.error = told.error or is_error(chunk)
                usage = chunk.usage
                if len(chunk.x_groq) and not present(usage):
                    usage = groq_of(chunk.x_groq).usage
                if present(usage):
                    raw, unread = usage_of(usage)
                    if unread or not told.raw or _COUNTS.search(raw):
                        told.raw, told.unread = raw, unread

    def _take(self, choices: list[Choice]) -> None:
        for choice in choices:
            index = _index(choice.index)
            self._last = max(self._last, index)
            if name(choice.finish_reason):
                self._finished.add(index)
            self._told.error = self._told.error or has_failed(choice)
        self._ended = self._done or len(self._finished) > self._last

    def reported(self) -> Reported:
        """What the stream has said of itself so far."""
        self._told.complete = self._ended
        return self._told


def _index(raw: Raw) -> int:
    text = bytes(raw) if len(raw) <= _DIGITS else b""
    return int(text) if text.isdigit() else 0
