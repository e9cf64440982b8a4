"""The message that the events of a stored stream of Cohere make together; of the first version, its last event's."""

from typing import Any

from penstock.core.codec import DecodeError, Raw
from penstock.providers.dialects._shapes.message import Members, Texts, take_each
from penstock.providers.dialects._shapes.values import is_object, name
from penstock.providers.dialects.cohere.shapes import decode_event

_FIRST, _LAST = b'"message-start"', b'"stream-end"'  # the types of the first event, and of the first version's last
_CALLS = 128  # calls of tools: more than any answer makes
_TEXTS = ("text", "thinking")  # pieces of a block
PIECES = (
    ("", "response"),
    ("message", "delta.message"),
    ("message.content[*]", "delta.message.content"),
    ("message.tool_calls[*]", "delta.message.tool_calls"),
    ("message.citations[*]", "delta.message.citations"),
)


def message(chunks: list[bytes]) -> Members | Raw | None:
    """``chunks``: the data of each event. None: this is no such stream."""
    if any(_FIRST in chunk for chunk in chunks):
        made = _Message()
        take_each(chunks, made.take)
        return made.whole()
    return next((answer for chunk in reversed(chunks) if (answer := _answer(chunk)) is not None), None)


def _answer(chunk: bytes) -> Raw | None:
    """The whole answer, which the last event of the first version has."""
    if _LAST not in chunk:
        return None
    try:
        chunk.decode()
        event = decode_event(chunk)
    except DecodeError:
        return None
    return event.response if name(event.event_type) == "stream-end" and is_object(event.response) else None


class _Message:
    def __init__(self) -> None:
        self._message: Texts | None = None
        self._blocks: dict[int, Texts] = {}
        self._calls: dict[int, tuple[Members, Texts]] = {}  # each call, and what its function is given
        self._citations: list[Any] = []

    def take(self, event: Any) -> None:
        match event:
            case {"type": "message-start", "delta": {"message": {"role": role}}} if self._message is None:
                self._message = Texts(role=role)
            case {"type": "message-end", "delta": {"finish_reason": reason}} if self._message is not None:
                self._message["finish_reason"] = reason
            case {"delta": {"message": {**told}}} if self._message is not None:
                self._grow(self._message, event.get("index", 0), told)
            case _:
                pass

    def _grow(self, message: Texts, index: int, told: Members) -> None:
        match told:
            case {"content": {**block}}:
                mine = self._blocks.setdefault(index, Texts())
                for member, value in block.items():
                    if member in _TEXTS:
                        mine.grow(member, str(value))
                    else:
                        mine[member] = value
            case {"tool_plan": str(text)}:
                message.grow("tool_plan", text)
            case {"tool_calls": {"function": {**function}, **call}} if len(self._calls) < _CALLS:
                mine, given = self._calls.setdefault(index, ({}, Texts()))
                mine |= call
                given.grow("arguments", str(function.pop("arguments", "")))
                given |= function
            case {"citations": citation}:
                self._citations.append(citation)
            case _:
                pass

    def whole(self) -> Members | None:
        if self._message is None:
            return None
        message = self._message.joined() | {"content": [block.joined() for block in self._blocks.values()]}
        if self._calls:
            calls = self._calls.values()
            message["tool_calls"] = [call | {"function": function.joined()} for call, function in calls]
        if self._citations:
            message["citations"] = self._citations
        return message
