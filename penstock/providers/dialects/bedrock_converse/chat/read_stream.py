"""The stream of Converse: events with one member, which is named as their type.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html
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
    Open,
    Part,
    Reasoning,
    Sign,
    Stop,
    Text,
    Used,
)
from penstock.providers.dialects._shapes.members import object_or_none
from penstock.providers.dialects.bedrock_converse.chat.failure import failure_of
from penstock.providers.dialects.bedrock_converse.chat.read_blocks import citation_of
from penstock.providers.dialects.bedrock_converse.chat.words import NAME, Json, stop_of, usage_of

_FAILURES = ("exception", "error", "failure")  # how names of what breaks a stream end


class Reader:
    """A block that is no call has no start: what it is shows when it grows. ``metadata`` comes last."""

    __slots__ = ("_blocks", "_next", "_stopped")

    def __init__(self) -> None:
        self._blocks: dict[int, tuple[int, type]] = {}  # those that are open: index of the part, and what it is
        self._next = 0
        self._stopped = False

    def data(self, data: bytes) -> list[Event]:  # noqa: PLR0911  a table
        """What one event says."""
        told: Json = decode(data)
        name = next(iter(told), "")
        value: Any = told.get(name)
        match name:
            case "contentBlockDelta":
                return self._grow(value["contentBlockIndex"], value["delta"])
            case "contentBlockStart":
                return self._start(value["contentBlockIndex"], value["start"])
            case "contentBlockStop":
                return self._close(value["contentBlockIndex"])
            case "messageStart":
                return [Begin("", "")]
            case "messageStop":
                self._stopped = True
                return [Stop(stop_of(value["stopReason"]))]
            case "metadata":
                return self._end(value)
            case _:
                return _broken(name, value)

    def end(self) -> list[Event]:
        """``metadata`` alone says that the answer is whole."""
        return []

    def _start(self, number: int, start: Json) -> list[Event]:
        tool = start.get("toolUse")
        if tool is None or "type" in tool:  # what AWS itself runs
            return []
        return [self._open(number, Call(tool["toolUseId"], tool["name"], ""))]

    def _grow(self, number: int, delta: Json) -> list[Event]:
        match delta:
            case {"text": str(text)}:
                return self._add(number, Text(""), text)
            case {"toolUse": {"input": str(text)}}:
                return self._add(number, None, text)
            case {"reasoningContent": {**told}}:
                return self._think(number, told)
            case {"citation": {**told}}:
                events = self._add(number, Text(""), "")
                return [*events, Cite(citation_of(told), self._blocks[number][0])]
            case _:
                return []

    def _think(self, number: int, told: Json) -> list[Event]:
        events = self._add(number, Reasoning("", origin=NAME), told.get("text") or "")
        signature, sealed = told.get("signature") or "", told.get("redactedContent") or ""
        if signature or sealed:
            events.append(Sign(signature, sealed, self._blocks[number][0]))
        return events

    def _add(self, number: int, part: Part | None, text: str) -> list[Event]:
        """``part``: what the block is, if it has not begun; None: a call, which has."""
        events: list[Event] = []
        if number not in self._blocks:
            if part is None:
                return events
            events.append(self._open(number, part))
        if text:
            index, kind = self._blocks[number]
            if kind is Call:
                self._blocks[number] = (index, str)  # its arguments have begun
            events.append(Add(text, index))
        return events

    def _open(self, number: int, part: Part) -> Event:
        index = self._next
        self._next += 1
        self._blocks[number] = (index, type(part))
        return Open(part, index)

    def _close(self, number: int) -> list[Event]:
        if number not in self._blocks:
            return []
        index, kind = self._blocks.pop(number)
        return [Add("{}", index), Close(index)] if kind is Call else [Close(index)]

    def _end(self, told: Json) -> list[Event]:
        usage = object_or_none(told.get("usage"))
        events: list[Event] = [] if usage is None else [Used(usage_of(usage))]
        return [*events, End()] if self._stopped else events


def _broken(name: str, value: object) -> list[Event]:
    if name and (value is None or name.lower().endswith(_FAILURES)):
        return [Broken(failure_of(object_or_none(value) or {}, name))]
    return []  # what will be added
