"""The stream of Gemini: each event is an answer with what came since the one before.

https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
"""

from typing import Any

from penstock.core.codec import decode
from penstock.core.errors import MalformedChat
from penstock.model.chat import (
    Add,
    Begin,
    Broken,
    Call,
    Cite,
    Close,
    End,
    Event,
    Open,
    Part,
    Reasoning,
    Sign,
    Stop,
    StopReason,
    Text,
    Used,
)
from penstock.providers.dialects._shapes.members import Members, list_or_none, object_or_none
from penstock.providers.dialects.gemini.chat.failure import failure_of
from penstock.providers.dialects.gemini.chat.grounding import citations_of
from penstock.providers.dialects.gemini.chat.read_answer import made
from penstock.providers.dialects.gemini.chat.read_parts import part_of
from penstock.providers.dialects.gemini.chat.words import NAME, created_of, logprobs_of, stop_of, usage_of, word_of

Json = dict[str, Any]
_LONG = 1 << 20  # characters of a text that may be cited
_PLAIN = {"text", "thought", "thoughtSignature"}


class Reader:
    """A finish reason may be told again and again: the last one counts, and candidates end with the stream."""

    __slots__ = ("_begun", "_blocked", "_candidates")

    def __init__(self) -> None:
        self._begun = False
        self._blocked = False
        self._candidates: dict[int, _Candidate] = {}

    def data(self, data: bytes) -> list[Event]:
        """What one event says. Raises DecodeError and LookupError."""
        chunk: Json = decode(data)
        try:
            return self._read(chunk)
        except (AttributeError, TypeError, MalformedChat) as error:  # members of other kinds than Gemini's
            raise LookupError(str(error)) from error

    def _read(self, chunk: Json) -> list[Event]:
        if failed := chunk.get("error"):
            return [Broken(failure_of(failed))]
        events: list[Event] = []
        if not self._begun:
            self._begun = True
            created = created_of(chunk.get("createTime"))
            events.append(Begin(chunk.get("responseId") or "", chunk.get("modelVersion") or "", created))
        for told in chunk.get("candidates") or ():
            index = told.get("index") or 0
            candidate = self._candidates.get(index)
            if candidate is None:
                candidate = self._candidates[index] = _Candidate(index)
            candidate.take(told, events)
        if (object_or_none(chunk.get("promptFeedback")) or {}).get("blockReason"):
            self._blocked = True
        if (usage := object_or_none(chunk.get("usageMetadata"))) is not None:
            events.append(Used(usage_of(usage)))
        return events

    def end(self) -> list[Event]:
        """The ends of all candidates, once each has its finish reason, or that of a prompt that was blocked."""
        candidates = [*self._candidates.values()]
        if self._blocked and not candidates:
            return [Stop(StopReason.FILTER), End()]
        if not candidates or not all(candidate.finish for candidate in candidates):
            return []
        events: list[Event] = []
        for candidate in candidates:
            candidate.end(events)
        return [*events, End()]


class _Candidate:
    __slots__ = ("_calls", "_extra", "_grounding", "_index", "_kind", "_length", "_next", "_open", "_texts", "finish")

    def __init__(self, index: int) -> None:
        self._index = index
        self._next = 0  # index of the part that is opened next
        self._open = -1  # the text or thinking that is open; -1: none
        self._kind: type[Part] | None = None  # what it is
        self._texts: list[str] = []  # of the text that is open
        self._length = 0
        self._calls = False
        self._grounding: Json | None = None
        self._extra: Json = {}
        self.finish = ""

    def take(self, told: Json, events: list[Event]) -> None:
        """What a candidate of one event has."""
        logprobs = logprobs_of(told["logprobsResult"]) if "logprobsResult" in told else None
        content = object_or_none(told.get("content")) or {}
        for part in list_or_none(content.get("parts")) or ():
            if part.keys() <= _PLAIN and (type(part.get("text")) is str or "thoughtSignature" in part):
                self._grow(part, logprobs, events)
            else:
                self._put(part_of(Members(part), made), events)
            logprobs = None
        if (grounding := object_or_none(told.get("groundingMetadata"))) is not None:
            self._grounding = grounding
        if finish := told.get("finishReason"):
            self.finish = finish
        for name, value in told.items():
            if name not in _READ:
                self._extra[name] = value

    def end(self, events: list[Event]) -> None:
        """The candidate's last events."""
        if self._grounding is not None:
            if self._kind is Text and self._length <= _LONG:
                cited = citations_of(self._grounding, "".join(self._texts))
                events += [Cite(one, self._open, self._index) for one in cited]
            self._extra["groundingMetadata"] = self._grounding
        self._close(events)
        stop = stop_of(self.finish, calls=self._calls)
        if word_of(stop) != self.finish:
            self._extra["finishReason"] = self.finish
        events.append(Stop(stop, candidate=self._index, extra=self._extra or None))

    def _grow(self, part: Json, logprobs: Any, events: list[Event]) -> None:
        text, signature = part.get("text") or "", part.get("thoughtSignature")
        kind = Reasoning if part.get("thought") else Text
        if self._kind is not kind and (text or signature):
            self._close(events)
            self._open, self._kind = self._next, kind
            self._next += 1
            opened: Part = Reasoning("", origin=NAME) if kind is Reasoning else Text("")
            events.append(Open(opened, self._open, self._index))
        if text:
            events.append(Add(text, self._open, self._index, logprobs))
            if kind is Text:
                self._length += len(text)
                if self._length <= _LONG:
                    self._texts.append(text)
        if signature:
            events.append(Sign(signature, "", self._open, self._index))

    def _put(self, part: Part, events: list[Event]) -> None:
        """A part that comes whole."""
        self._close(events)
        index, self._next = self._next, self._next + 1
        arguments = ""
        if type(part) is Call:
            self._calls = True
            arguments, part.arguments = part.arguments, ""
        events.append(Open(part, index, self._index))
        if arguments:
            events.append(Add(arguments, index, self._index))
        events.append(Close(index, self._index))

    def _close(self, events: list[Event]) -> None:
        if self._open >= 0:
            events.append(Close(self._open, self._index))
            self._open, self._kind = -1, None
            self._texts.clear()
            self._length = 0


_READ = {"content", "index", "finishReason", "groundingMetadata", "logprobsResult"}
