"""The stream for a client that speaks OpenAI chat."""

import time
from typing import Any

from penstock.core.codec import encode
from penstock.model.chat import (
    Add,
    Begin,
    Broken,
    Call,
    ChatRequest,
    Cite,
    End,
    Event,
    Open,
    Reasoning,
    Refusal,
    Sign,
    Stop,
    Usage,
    Used,
)
from penstock.providers.dialects._shapes.members import written
from penstock.providers.dialects._shapes.openai_failure import told_failure
from penstock.providers.dialects.openai_chat.chat.words import word_of, written_usage
from penstock.providers.dialects.openai_chat.chat.write_answer import answer_id
from penstock.providers.dialects.openai_chat.chat.write_turns import annotations, detail

_DONE = b"data: [DONE]\n\n"
_CONTENT, _REASONING, _REFUSAL = "content", "reasoning_content", "refusal"
Json = dict[str, Any]


class Writer:
    """Chunks. The usage comes last, in a chunk of its own, where the client asked for it."""

    __slots__ = ("_asked", "_calls", "_grows", "_head", "_origins", "_refused", "_roles", "_thought", "_usage")

    def __init__(self, asked: ChatRequest) -> None:
        self._asked = asked
        self._head: Json = {}
        self._roles: set[int] = set()  # candidates whose first chunk is written
        self._calls: dict[tuple[int, int], int] = {}  # index among the calls of its candidate, by part
        self._grows: dict[tuple[int, int], str] = {}  # the member that grows with a part
        self._refused: set[int] = set()  # candidates
        self._origins: dict[tuple[int, int], str] = {}
        self._thought: dict[tuple[int, int], list[str]] = {}  # thinking that may be signed, which needs its words
        self._usage: Usage | None = None

    def event(self, event: Event) -> bytes:  # noqa: PLR0911  a table
        """The chunks that say it."""
        match event:
            case Add():
                return self._add(event)
            case Open():
                return self._open(event)
            case Begin():
                self._begin(event)
            case Used():
                self._usage = event.usage
            case Stop():
                return self._delta(event.candidate, {}, word_of(event.reason, refused=event.candidate in self._refused))
            case Sign():
                return self._sign(event)
            case Cite():
                return self._delta(event.candidate, {"annotations": annotations([event.citation])})
            case End():
                return self._end()
            case Broken():
                return b"data: " + encode({"error": told_failure(event.failure)}) + b"\n\n"
            case _:
                pass
        return b""

    def _begin(self, event: Begin) -> None:
        self._head = written(
            {
                "id": answer_id(event.id),
                "object": "chat.completion.chunk",
                "created": event.created or int(time.time_ns() // 1_000_000_000),
                "model": event.model or self._asked.model,
                "service_tier": event.service_tier or None,
            }
        )

    def _open(self, event: Open) -> bytes:
        place, part = (event.candidate, event.index), event.part
        if type(part) is Reasoning:
            self._grows[place] = _REASONING
            self._origins[place] = part.origin
            if part.origin:
                self._thought[place] = []
        elif type(part) is Refusal:
            self._grows[place] = _REFUSAL
            self._refused.add(event.candidate)
        elif type(part) is Call:
            number = sum(candidate == event.candidate for candidate, _ in self._calls)
            self._calls[place] = number
            self._grows[place] = "input" if part.free else "arguments"
            kind = "custom" if part.free else "function"
            inner = {"name": part.name, self._grows[place]: ""}
            signed = {"google": {"thought_signature": part.signature}} if part.signature else None
            call = {"index": number, "id": part.id, "type": kind, kind: inner, "extra_content": signed}
            return self._delta(event.candidate, {"tool_calls": [written(call)]})
        else:
            self._grows[place] = _CONTENT
        return b""

    def _add(self, event: Add) -> bytes:
        place = (event.candidate, event.index)
        member = self._grows.get(place, _CONTENT)
        if (thought := self._thought.get(place)) is not None:
            thought.append(event.text)
        if (number := self._calls.get(place)) is None:
            return self._delta(event.candidate, {member: event.text}, logprobs=event.logprobs)
        kind = "custom" if member == "input" else "function"
        return self._delta(event.candidate, {"tool_calls": [{"index": number, kind: {member: event.text}}]})

    def _sign(self, event: Sign) -> bytes:
        place = (event.candidate, event.index)
        if (number := self._calls.get(place)) is not None:
            signed = {"google": {"thought_signature": event.signature}}
            return self._delta(event.candidate, {"tool_calls": [{"index": number, "extra_content": signed}]})
        if place not in self._origins:
            return b""  # a text has no place for one
        thought = "".join(self._thought.pop(place, ()))
        part = Reasoning(thought, event.signature, event.sealed, self._origins[place])
        return self._delta(event.candidate, {"reasoning_details": [{**detail(part), "index": event.index}]})

    def _delta(self, candidate: int, delta: Json, finish: str | None = None, logprobs: Any = None) -> bytes:
        if candidate not in self._roles:
            self._roles.add(candidate)
            delta = {"role": "assistant", _CONTENT: "", **delta}
        choice: Json = {"index": candidate, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return b"data: " + encode({**self._head, "choices": [choice]}) + b"\n\n"

    def _end(self) -> bytes:
        if self._usage is None or not self._asked.stream_usage:
            return _DONE
        return b"data: " + encode({**self._head, "choices": [], "usage": written_usage(self._usage)}) + b"\n\n" + _DONE
