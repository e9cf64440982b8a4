"""A stream of Gemini, read answer by answer: its model, its usage, and whether it is whole."""

import re

from penstock.core.codec import DecodeError, Raw
from penstock.model.usage import Reported
from penstock.providers.dialects._shapes.bodies import read, read_edges
from penstock.providers.dialects._shapes.events import pieces
from penstock.providers.dialects._shapes.values import items_of, name, present, short, usage_of
from penstock.providers.dialects.gemini.errors import is_error
from penstock.providers.dialects.gemini.searches import NAME, Searches
from penstock.providers.dialects.gemini.shapes import (
    MEMBERS,
    Answer,
    Candidate,
    decode_answer,
    decode_candidates,
    decode_feedback,
)

# within a text the quotes would be escaped
_FINISH = re.compile(rb'"finishReason"\s{0,99}:\s{0,99}"[^"]')
_LATER = re.compile(rb'"index"\s{0,9}:\s{0,9}[1-9]')  # a candidate beside the first
_COUNT = b'TokenCount"'  # in a name of each figure that is told
_DIGITS = 4  # of the index of a candidate


class Reader:
    """The last usage object that has a count in it is the answer's: each repeats, and adds to, those before it.

    The stream has ended when each candidate has its finish reason, or with the reason why the prompt was blocked.
    """

    __slots__ = ("_blocked", "_finished", "_last", "_searches", "_told")

    def __init__(self) -> None:
        self._told = Reported(complete=False)
        self._blocked = False
        self._finished: set[int] = set()  # indices of candidates
        self._last = 0  # index of a candidate
        self._searches = Searches()

    def dull(self, data: bytes) -> bool:
        """Whether no event in ``data`` says anything new."""
        if _COUNT in data or b'"error"' in data or (not self._told.model and b'"modelVersion"' in data):
            return False
        return not (b'"blockReason"' in data or NAME in data or _FINISH.search(data) or _LATER.search(data))

    def event(self, data: bytes) -> None:
        """Takes one SSE event, with or without its blank line. Never raises."""
        if self.dull(data):
            return
        for piece in pieces(data):
            self.take(piece)

    def take(self, piece: bytes) -> bool:
        """Takes one answer of the stream; False: it is no JSON object."""
        return self._read(read(piece, decode_answer, MEMBERS), piece)

    def take_edges(self, head: bytes, tail: bytes) -> bool:
        """The same of an answer of which only the beginning and the end are here."""
        return self._read(read_edges(head, tail, decode_answer, MEMBERS), tail)

    def _read(self, answer: Answer | None, piece: bytes) -> bool:
        if answer is None:
            return False
        told = self._told
        told.model = name(answer.modelVersion) or told.model
        told.error = told.error or is_error(answer)
        self._blocked = self._blocked or _is_blocked(answer.promptFeedback)
        if present(answer.usageMetadata):
            raw, unread = usage_of(answer.usageMetadata)
            if unread or not told.raw or _COUNT in raw:
                told.raw, told.unread = raw, unread
        finished, searched = _FINISH.search(piece) is not None, NAME in piece
        if finished or searched or _LATER.search(piece):
            candidates = _candidates(answer)
            self._take(candidates)
            if finished and not candidates:  # of an answer that is too large to be looked through
                self._finished.add(0)
            if searched:
                self._searches.take(candidates)
        return True

    def _take(self, candidates: list[Candidate]) -> None:
        for candidate in candidates:
            index = _index(candidate.index)
            self._last = max(self._last, index)
            if name(candidate.finishReason):
                self._finished.add(index)

    def reported(self) -> Reported:
        """What the stream has said of itself so far."""
        told = self._told
        told.complete = self._blocked or len(self._finished) > self._last
        told.fees = self._searches.fees(told.model)
        return told


def _candidates(answer: Answer) -> list[Candidate]:
    return (items_of(answer.candidates, decode_candidates) or []) if len(answer.candidates) else []


def _is_blocked(feedback: Raw) -> bool:
    if not len(feedback):
        return False
    try:
        return present(decode_feedback(short(feedback)).blockReason)
    except DecodeError:
        return False


def _index(raw: Raw) -> int:
    text = bytes(raw) if len(raw) <= _DIGITS else b""
    return int(text) if text.isdigit() else 0
