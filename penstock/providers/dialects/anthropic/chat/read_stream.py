"""The stream of a provider that speaks Anthropic messages.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from typing import Any

from penstock.core.codec import decode, verbatim
from penstock.model.chat import (
    Add,
    Begin,
    Broken,
    Call,
    Cite,
    Close,
    End,
    Event,
    Native,
    Open,
    Part,
    Reasoning,
    Sign,
    Stop,
    Text,
    Used,
)
from penstock.providers.dialects._shapes.members import text_of
from penstock.providers.dialects.anthropic.chat.failure import failure_of
from penstock.providers.dialects.anthropic.chat.read_turns import citation_of
from penstock.providers.dialects.anthropic.chat.words import NAME, stop_of, tier_of, told_stop, usage_of

Json = dict[str, Any]
_GROWING = {"text", "thinking", "redacted_thinking", "tool_use"}  # blocks that are told piece by piece


class Reader:
    """One block of the provider's is one part; blocks that only this dialect has come whole."""

    __slots__ = ("_blocks", "_next", "_usage")

    def __init__(self) -> None:
        self._blocks: dict[int, _Block] = {}  # those that are open
        self._next = 0  # index of the part that is opened next
        self._usage: Json = {}

    def data(self, data: bytes) -> list[Event]:  # noqa: PLR0911  a table
        """What one event says."""
        told: Json = decode(data)
        match "error" if told.get("error") else told["type"]:  # some who speak it too tell errors without a type
            case "content_block_delta":
                return self._blocks[told["index"]].grow(told["delta"])
            case "content_block_start":
                block = self._blocks[told["index"]] = _Block(self._next, told["content_block"])
                self._next += 1
                return block.begin()
            case "content_block_stop":
                return self._blocks.pop(told["index"]).close()
            case "message_start":
                return self._begin(told["message"])
            case "message_delta":
                return self._stop(told)
            case "message_stop":
                return [End()]
            case "error":
                return [Broken(failure_of(told.get("error")))]
            case _:  # ping, and what will be added
                return []

    def end(self) -> list[Event]:
        """``message_stop`` alone says that the answer is whole."""
        return []

    def _begin(self, message: Json) -> list[Event]:
        usage: Json = message.get("usage") or {}
        tier = usage.get("service_tier")
        begin = Begin(message.get("id") or "", message.get("model") or "", service_tier=tier_of(tier or ""))
        return [begin, *self._used(usage)]

    def _stop(self, told: Json) -> list[Event]:
        delta: Json = told.get("delta") or {}
        events = self._used(told.get("usage") or {})
        if reason := delta.get("stop_reason"):
            events.append(Stop(stop_of(reason), delta.get("stop_sequence") or "", extra=told_stop(delta)))
        return events

    def _used(self, usage: Json) -> list[Event]:
        """The figures are cumulative; one that is not told, or 0, does not replace an earlier one."""
        if not usage:
            return []
        self._usage |= {name: value for name, value in usage.items() if value or name not in self._usage}
        return [Used(usage_of(self._usage))]


class _Block:
    """``_pieces`` collects the input of a block that is told whole at its end."""

    __slots__ = ("_grown", "_index", "_kind", "_pieces", "_start")

    def __init__(self, index: int, start: Json) -> None:
        self._index = index
        self._start = start
        self._kind: str = start["type"]
        self._grown = False
        self._pieces: list[str] = []

    def begin(self) -> list[Event]:
        start, index = self._start, self._index
        match self._kind:
            case "text":
                return self._open(Text(""), start.get("text"))
            case "thinking":
                events = self._open(Reasoning("", origin=NAME), start.get("thinking"))
                return [*events, Sign(start["signature"], "", index)] if start.get("signature") else events
            case "redacted_thinking":
                return [Open(Reasoning("", origin=NAME), index), Sign("", start.get("data") or "", index)]
            case "tool_use":
                call = Call(start["id"], start["name"], "", signature=start.get("signature") or "")
                return self._open(call, text_of(start["input"]) if start.get("input") else None)
            case _:
                return []

    def grow(self, delta: Json) -> list[Event]:  # noqa: PLR0911  a table
        match delta["type"]:
            case "text_delta":
                return self._add(delta["text"])
            case "input_json_delta" if self._kind == "tool_use":
                return self._add(delta["partial_json"])
            case "input_json_delta":
                self._pieces.append(delta["partial_json"])
                return []
            case "thinking_delta":
                return self._add(delta["thinking"])
            case "signature_delta":
                return [Sign(delta["signature"], "", self._index)]
            case "citations_delta":
                return [Cite(citation_of(delta["citation"]), self._index)]
            case _:
                return []

    def close(self) -> list[Event]:
        if self._kind in _GROWING:
            empty = self._kind == "tool_use" and not self._grown  # an input without members
            return [Add("{}", self._index), Close(self._index)] if empty else [Close(self._index)]
        if self._pieces:
            self._start["input"] = verbatim("".join(self._pieces).encode("utf-8", "replace"))
        return [Open(Native(NAME, self._start), self._index), Close(self._index)]

    def _open(self, part: Part, text: str | None) -> list[Event]:
        return [Open(part, self._index), *self._add(text or "")]

    def _add(self, text: str) -> list[Event]:
        self._grown = self._grown or bool(text)
        return [Add(text, self._index)] if text else []
