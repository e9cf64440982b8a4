"""The stream of Cohere.

https://docs.cohere.com/v2/docs/streaming
"""

from typing import Any

from penstock.core.codec import decode
from penstock.model.chat import (
    Add,
    Begin,
    Broken,
    Call,
    Cite,
    Close,
    End,
    Event,
    Failure,
    Open,
    Part,
    Reasoning,
    Stop,
    StopReason,
    Text,
    Used,
)
from penstock.providers.dialects._shapes.members import object_or_none
from penstock.providers.dialects.cohere.chat.words import NAME, Json, citations_of, is_of_text, stop_of, usage_of

_DONE = b"[DONE]"
_PLAN = "plan"


class Reader:
    """One part is open at a time. It ends when the next begins: citations of a text come after its last piece."""

    __slots__ = ("_empty", "_kind", "_next", "_open")

    def __init__(self) -> None:
        self._next = 0  # index of the part that is opened next
        self._open = -1  # the part that is open; -1: none
        self._kind = ("", 0)  # what it is, and its number among its like
        self._empty = False  # it is a call without arguments so far

    def data(self, data: bytes) -> list[Event]:  # noqa: PLR0911  a table
        """What one event says."""
        if data == _DONE:
            return []
        told: Json = decode(data)
        delta: Json = told.get("delta") or {}
        message: Json = delta.get("message") or {}
        match told.get("type"):
            case "content-start" | "content-delta":
                return self._content(told.get("index") or 0, message["content"])
            case "tool-plan-delta":
                return self._add((_PLAN, 0), Text(""), message["tool_plan"])
            case "tool-call-start" | "tool-call-delta":
                return self._call(told.get("index") or 0, message["tool_calls"])
            case "citation-start":
                return self._cite(message["citations"])
            case "message-start":
                return [Begin(told.get("id") or "", "")]
            case "message-end":
                return self._end(delta)
            case kind:
                return _broken(told) if kind == "error" or (kind is None and told.get("message")) else []

    def end(self) -> list[Event]:
        """``message-end`` alone says that the answer is whole."""
        return []

    def _content(self, number: int, block: Json) -> list[Event]:
        if "thinking" in block:
            return self._add(("thinking", number), Reasoning("", origin=NAME), block["thinking"])
        return self._add(("text", number), Text(""), block.get("text") or "")

    def _call(self, number: int, call: Json) -> list[Event]:
        function: Json = call.get("function") or {}
        opened = Call(call.get("id") or "", function.get("name") or "", "")
        events = self._add(("call", number), opened, function.get("arguments") or "")
        if events and type(events[-1]) is Open:
            self._empty = True
        return events

    def _add(self, kind: tuple[str, int], part: Part, text: str) -> list[Event]:
        """``part``: what is opened, unless it is open."""
        events: list[Event] = []
        if self._kind != kind:
            if not text and type(part) is not Call:
                return events  # what begins without a piece is opened by its first
            events += self._close()
            self._open, self._kind = self._next, kind
            self._next += 1
            events.append(Open(part, self._open))
        if text:
            self._empty = False
            events.append(Add(text, self._open))
        return events

    def _cite(self, citation: Any) -> list[Event]:
        told = object_or_none(citation)
        if told is None or self._kind[0] != "text" or not is_of_text(told):
            return []
        return [Cite(one, self._open) for one in citations_of(told)]

    def _close(self) -> list[Event]:
        if self._open < 0:
            return []
        events: list[Event] = [Add("{}", self._open)] if self._empty else []
        events.append(Close(self._open))
        self._open, self._kind, self._empty = -1, ("", 0), False
        return events

    def _end(self, delta: Json) -> list[Event]:
        reason = stop_of(delta.get("finish_reason") or "")
        if delta.get("error") or reason == StopReason.ERROR:
            return [Broken(Failure(str(delta.get("error") or "The provider could not go on.")))]
        usage = object_or_none(delta.get("usage"))
        used: list[Event] = [] if usage is None else [Used(usage_of(usage))]
        return [*self._close(), Stop(reason), *used, End()]


def _broken(told: Json) -> list[Event]:
    return [Broken(Failure(str(told.get("message") or told.get("error") or "The provider could not go on.")))]
