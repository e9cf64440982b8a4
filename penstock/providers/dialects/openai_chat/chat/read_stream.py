"""The stream of a provider that speaks OpenAI chat.

https://platform.openai.com/docs/api-reference/chat-streaming
"""

from typing import Any

from penstock.core.codec import decode
from penstock.model.chat import (
    Add,
    Begin,
    Broken,
    Call,
    Citation,
    Cite,
    Close,
    End,
    Event,
    Open,
    Part,
    Reasoning,
    Refusal,
    Sign,
    Stop,
    StopReason,
    Text,
    Used,
)
from penstock.providers.dialects._shapes.members import list_or_none, object_or_none
from penstock.providers.dialects._shapes.openai_failure import failure_of
from penstock.providers.dialects.openai_chat.chat.words import stop_of, usage_of

_DONE = b"[DONE]"
Json = dict[str, Any]


class Reader:
    """Parts are told apart by what grows: text, thinking, refusal, and each call by its index."""

    __slots__ = ("_begun", "_candidates", "_stopped")

    def __init__(self) -> None:
        self._begun = False
        self._stopped = False
        self._candidates: dict[int, _Candidate] = {}

    def data(self, data: bytes) -> list[Event]:
        """What one chunk says."""
        if data == _DONE:
            return [End()]
        chunk: Json = decode(data)
        if failed := chunk.get("error"):
            return [Broken(failure_of(failed))]
        events: list[Event] = []
        if not self._begun:
            self._begun = True
            events.append(Begin(*_begin(chunk)))
        for choice in chunk.get("choices") or ():
            self._take(choice, events)
        if (usage := object_or_none(chunk.get("usage"))) is not None:
            events.append(Used(usage_of(usage)))
        return events

    def end(self) -> list[Event]:
        """Some providers end without ``[DONE]``; a finish reason is an end as well."""
        return [End()] if self._stopped else []

    def _take(self, choice: Json, events: list[Event]) -> None:
        index = choice.get("index") or 0
        candidate = self._candidates.get(index)
        if candidate is None:
            candidate = self._candidates[index] = _Candidate(index)
        if (delta := choice.get("delta")) is not None:
            candidate.grow(delta, choice.get("logprobs"), events)
        if word := choice.get("finish_reason"):
            candidate.close(events)
            reason = stop_of(word)
            if reason == StopReason.ERROR:
                events.append(Broken(failure_of(choice.get("error") or {"message": "The provider could not go on."})))
            if reason == StopReason.END and candidate.has_calls:
                reason = StopReason.TOOLS
            elif reason == StopReason.END and candidate.refused:
                reason = StopReason.REFUSAL
            events.append(Stop(reason, candidate=index))
            self._stopped = True


def _begin(chunk: Json) -> tuple[str, str, int, str]:
    created = chunk.get("created")
    return (
        chunk.get("id") or "",
        chunk.get("model") or "",
        created if type(created) is int else 0,
        chunk.get("service_tier") or "",
    )


class _Candidate:
    __slots__ = ("_calls", "_index", "_kind", "_next", "_open", "has_calls", "refused")

    def __init__(self, index: int) -> None:
        self._index = index
        self._next = 0  # index of the part that is opened next
        self._open = -1  # the part that is open; -1: none
        self._kind: object = None  # what it is
        self._calls: dict[int, int] = {}  # parts, by index among the calls
        self.has_calls = self.refused = False

    def grow(self, delta: Json, logprobs: Any, events: list[Event]) -> None:
        for detail in delta.get("reasoning_details") or ():
            self._detail(detail, events)
        if not delta.get("reasoning_details") and (
            text := delta.get("reasoning_content") or _text(delta.get("reasoning"))
        ):
            events.append(Add(text, self._part(Reasoning, lambda: Reasoning(""), events), self._index))
        if text := _text(delta.get("content")):
            events.append(Add(text, self._part(Text, lambda: Text(""), events), self._index, logprobs))
        if text := delta.get("refusal"):
            self.refused = True
            events.append(Add(text, self._part(Refusal, lambda: Refusal(""), events), self._index))
        for annotation in delta.get("annotations") or ():
            if (told := annotation.get("url_citation")) and self._kind is Text:
                cited = Citation(
                    told.get("url") or "",
                    told.get("title") or "",
                    told.get("content") or "",
                    told.get("start_index"),
                    told.get("end_index"),
                )
                events.append(Cite(cited, self._open, self._index))
        for call in delta.get("tool_calls") or ():
            self._call(call, events)

    def close(self, events: list[Event]) -> None:
        if self._open >= 0:
            events.append(Close(self._open, self._index))
            self._open, self._kind = -1, None

    def _part(self, kind: object, make: Any, events: list[Event]) -> int:
        """The open part, if it is of that kind, or else a new one."""
        if self._kind != kind:
            self.close(events)
            self._open, self._kind = self._next, kind
            self._next += 1
            events.append(Open(make(), self._open, self._index))
        return self._open

    def _detail(self, detail: Json, events: list[Event]) -> None:
        origin = detail.get("format") or ""
        part = self._part(Reasoning, lambda: Reasoning("", origin=origin), events)
        if text := detail.get("text") or detail.get("summary"):
            events.append(Add(text, part, self._index))
        if detail.get("signature") or detail.get("data"):
            events.append(Sign(detail.get("signature") or "", detail.get("data") or "", part, self._index))

    def _call(self, call: Json, events: list[Event]) -> None:
        told: Json = call.get("function") or call.get("custom") or {}
        number = call.get("index")
        if number is None:  # of some who speak it too: each call comes whole
            number = len(self._calls) if call.get("id") else max(len(self._calls) - 1, 0)
        index = self._calls.get(number)
        if index is None:
            self.has_calls = True
            free = call.get("type") == "custom"
            opened: Part = Call(call.get("id") or "", told.get("name") or "", "", free)
            index = self._calls[number] = self._part(("call", number), lambda: opened, events)
        if text := told.get("arguments") or told.get("input"):
            events.append(Add(text, index, self._index))
        extra = object_or_none(call.get("extra_content")) or {}
        if signature := (object_or_none(extra.get("google")) or {}).get("thought_signature"):
            events.append(Sign(signature, "", index, self._index))


def _text(value: Any) -> str:
    """A text; of a list of parts, that of all."""
    if (parts := list_or_none(value)) is not None:
        return "".join([str(part.get("text") or "") for part in map(object_or_none, parts) if part])
    return value if type(value) is str else ""
