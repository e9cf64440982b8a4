"""The stream for a client that speaks Gemini: each event is an answer with what came since the one before."""

from typing import Any

from penstock.core.codec import encode
from penstock.model.chat import (
    Add,
    Begin,
    Broken,
    Call,
    ChatRequest,
    Citation,
    Cite,
    Close,
    End,
    Event,
    Media,
    Native,
    Notes,
    Open,
    Part,
    Reasoning,
    Sign,
    Stop,
    Text,
    Usage,
    Used,
)
from penstock.providers.dialects._shapes.members import written
from penstock.providers.dialects.gemini.chat.failure import told_failure
from penstock.providers.dialects.gemini.chat.grounding import written_grounding
from penstock.providers.dialects.gemini.chat.sealing import sealed
from penstock.providers.dialects.gemini.chat.words import written_logprobs, written_usage
from penstock.providers.dialects.gemini.chat.write_answer import finished, head, moved
from penstock.providers.dialects.gemini.chat.write_turns import Way, parts_of

Json = dict[str, Any]
Place = tuple[int, int]


class Writer:
    """Calls come whole. The finish reasons of all candidates, and the usage, come last, in one event."""

    __slots__ = (
        "_asked",
        "_begins",
        "_cited",
        "_grown",
        "_head",
        "_lengths",
        "_open",
        "_stops",
        "_texts",
        "_usage",
        "_way",
    )

    def __init__(self, asked: ChatRequest) -> None:
        self._asked = asked
        self._way = Way(Notes(), own=False, answer=True)
        self._head: Json = {}
        self._open: dict[Place, Part] = {}
        self._grown: dict[Place, list[str]] = {}  # pieces of the arguments of calls
        self._begins: dict[Place, int] = {}  # where a text begins in that of its candidate
        self._texts: dict[int, list[str]] = {}  # pieces, by candidate
        self._lengths: dict[int, int] = {}  # of all of them
        self._cited: dict[int, list[Citation]] = {}
        self._stops: list[Stop] = []
        self._usage: Usage | None = None

    def event(self, event: Event) -> bytes:  # noqa: PLR0911  a table
        """The events that say it."""
        match event:
            case Add():
                return self._add(event)
            case Open():
                return self._begin_part(event)
            case Sign():
                return self._sign(event)
            case Close():
                return self._close((event.candidate, event.index))
            case End():
                return self._end()
            case Broken():
                return b"data: " + encode({"error": told_failure(503, event.failure)}) + b"\n\n"
            case _:
                self._keep(event)
        return b""

    def _keep(self, event: Begin | Used | Cite | Stop) -> None:
        """What is told later."""
        match event:
            case Begin():
                self._head = head(event.id, event.model or self._asked.model, event.created)
            case Used():
                self._usage = event.usage
            case Stop():
                self._stops.append(event)
            case Cite():
                begin = self._begins.get((event.candidate, event.index), 0)
                length = self._lengths.get(event.candidate, 0) - begin
                self._cited.setdefault(event.candidate, []).append(moved(event.citation, begin, length))

    def _begin_part(self, event: Open) -> bytes:
        place, part = (event.candidate, event.index), event.part
        if type(part) in (Media, Native):
            told = parts_of([part], self._way)
            return self._chunk(event.candidate, told[0]) if told else b""
        self._open[place] = part
        if type(part) is Call:
            self._grown[place] = []
        elif type(part) is Text:
            self._begins[place] = self._lengths.setdefault(event.candidate, 0)
        return b""

    def _add(self, event: Add) -> bytes:
        place = (event.candidate, event.index)
        part = self._open.get(place)
        if type(part) is Call:
            self._grown[place].append(event.text)
            return b""
        if type(part) is Reasoning:
            return self._chunk(event.candidate, {"text": event.text, "thought": True})
        if type(part) is Text:
            self._texts.setdefault(event.candidate, []).append(event.text)
            self._lengths[event.candidate] += len(event.text)
        return self._chunk(event.candidate, {"text": event.text}, event.logprobs)

    def _sign(self, event: Sign) -> bytes:
        part = self._open.get((event.candidate, event.index))
        if type(part) is Call:
            part.signature = event.signature
        elif type(part) is Reasoning:
            signature = sealed(Reasoning("", event.signature, event.sealed, part.origin))
            return self._chunk(event.candidate, {"text": "", "thought": True, "thoughtSignature": signature})
        elif type(part) is Text:
            return self._chunk(event.candidate, {"text": "", "thoughtSignature": event.signature})
        return b""

    def _close(self, place: Place) -> bytes:
        part = self._open.pop(place, None)
        if type(part) is not Call:
            return b""
        part.arguments += "".join(self._grown.pop(place))
        return self._chunk(place[0], parts_of([part], self._way)[0])

    def _end(self) -> bytes:
        calls = b"".join([self._close(place) for place in [*self._grown]])
        candidates: list[Json] = []
        for stop in self._stops:
            text = "".join(self._texts.get(stop.candidate, ()))
            grounding = written_grounding(self._cited.get(stop.candidate, []), text)
            candidates.append(finished(stop.reason, stop.candidate, stop.extra, grounding, [{"text": ""}]))
        usage = None if self._usage is None else written_usage(self._usage)
        told = written({"candidates": candidates or None, "usageMetadata": usage, **self._head})
        return calls + b"data: " + encode(told) + b"\n\n"

    def _chunk(self, candidate: int, part: Json, logprobs: Any = None) -> bytes:
        told: Json = {"content": {"role": "model", "parts": [part]}, "index": candidate}
        if logprobs is not None:
            told["logprobsResult"] = written_logprobs(logprobs)
        return b"data: " + encode({"candidates": [told], **self._head}) + b"\n\n"
