"""The stream for a client that speaks Anthropic messages."""

from typing import Any

from penstock.core.codec import encode
from penstock.model.chat import (
    Add,
    Begin,
    Broken,
    Call,
    ChatRequest,
    Cite,
    Close,
    End,
    Event,
    Native,
    Open,
    Reasoning,
    Refusal,
    Sign,
    Stop,
    Text,
    Usage,
    Used,
)
from penstock.providers.dialects._shapes.members import written
from penstock.providers.dialects.anthropic.chat.failure import error_event
from penstock.providers.dialects.anthropic.chat.marks import marked
from penstock.providers.dialects.anthropic.chat.words import NAME, word_of, written_usage
from penstock.providers.dialects.anthropic.chat.write_answer import answer_id, answered_id
from penstock.providers.dialects.anthropic.chat.write_turns import cited

Json = dict[str, Any]


class Writer:
    """Blocks one by one. The start waits for the first part, since the figures of the input stand in it."""

    __slots__ = ("_asked", "_begin", "_blocks", "_called", "_next", "_refused", "_stop", "_usage")

    def __init__(self, asked: ChatRequest) -> None:
        self._asked = asked
        self._begin: Begin | None = None  # None: it is written
        self._blocks: dict[int, _Block] = {}  # by index of the part
        self._next = 0
        self._usage: Usage | None = None
        self._stop: Stop | None = None
        self._called = self._refused = False

    def event(self, event: Event) -> bytes:
        """The events that say it. Of several candidates, the first alone has a place."""
        match event:
            case Add() | Sign() | Cite() | Close():
                block = self._blocks.get(event.index) if event.candidate == 0 else None
                return b"" if block is None else block.grow(event)
            case Open() if event.candidate == 0:
                return self._started() + self._open(event)
            case Begin():
                self._begin = event
            case Used():
                self._usage = event.usage
            case Stop() if event.candidate == 0:
                self._stop = event
            case End():
                return self._started() + self._end()
            case Broken():
                return error_event(event.failure)
            case _:
                pass
        return b""

    def _started(self) -> bytes:
        if (begin := self._begin) is None:
            return b""
        self._begin = None
        message: Json = {
            "id": answer_id(begin.id),
            "type": "message",
            "role": "assistant",
            "model": begin.model or self._asked.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": written_usage(self._usage),
        }
        return _event("message_start", {"message": message})

    def _open(self, event: Open) -> bytes:
        part = event.part
        self._called = self._called or type(part) is Call
        self._refused = self._refused or type(part) is Refusal
        if type(part) is Native:
            if part.dialect != NAME:
                return b""
            block = _Block(self._next, "")
            told = block.whole(part.value)
        elif isinstance(part, Text | Refusal | Reasoning | Call):
            block = self._blocks[event.index] = _Block(self._next, part.origin if type(part) is Reasoning else None)
            told = block.begin(part)
        else:
            return b""  # an image or a sound
        self._next += 1
        return told

    def _end(self) -> bytes:
        closed = b"".join([block.close() for block in self._blocks.values()])
        stop = self._stop or Stop("")
        extra = stop.extra or {}
        delta = {
            "stop_reason": word_of(stop.reason, extra, called=self._called, refused=self._refused),
            "stop_sequence": stop.sequence or None,
        }
        if (details := extra.get("stop_details")) is not None:
            delta["stop_details"] = details
        told = {"delta": delta, "usage": written_usage(self._usage)}
        return closed + _event("message_delta", told) + _event("message_stop", {})


class _Block:
    """``origin``: whose thinking it is; None: it is something else."""

    __slots__ = ("_closed", "_grows", "_index", "_name", "_origin", "_started")

    def __init__(self, index: int, origin: str | None) -> None:
        self._index = index
        self._origin = origin
        self._name = ""
        self._grows = ("text_delta", "text")
        self._started = self._closed = False

    def begin(self, part: Text | Refusal | Reasoning | Call) -> bytes:
        if type(part) is Reasoning:  # sealed thinking is another block: what it is shows when it grows
            self._grows, self._name = ("thinking_delta", "thinking"), part.id
            return b""
        if type(part) is Call:
            self._grows = ("input_json_delta", "partial_json")
            told: Json = {"type": "tool_use", "id": answered_id(part.id), "name": part.name, "input": {}}
            return self._start(written({**told, "signature": part.signature or None}))
        return self._start({"type": "text", "text": ""})

    def whole(self, block: Json) -> bytes:
        """A block of the dialect's own. Its input, which clients collect from pieces, is one."""
        if "input" not in block:
            return self._start(block) + self.close()
        grown = self._start({**block, "input": {}})
        piece = encode(block["input"]).decode()
        return grown + self._delta({"type": "input_json_delta", "partial_json": piece}) + self.close()

    def grow(self, event: Add | Sign | Cite | Close) -> bytes:
        match event:
            case Add():
                kind, name = self._grows
                return self._think() + self._delta({"type": kind, name: event.text})
            case Sign():
                return self._sign(event)
            case Cite():
                return self._delta({"type": "citations_delta", "citation": cited(event.citation)})
            case Close():
                return self.close()

    def _sign(self, event: Sign) -> bytes:
        if self._origin is None:
            return b""  # a text and a call have no place for one
        mark = marked(self._origin, self._name, event.signature, event.sealed)
        if event.sealed and not self._started:
            return self._start({"type": "redacted_thinking", "data": mark})
        return self._think() + self._delta({"type": "signature_delta", "signature": mark})

    def _delta(self, delta: Json) -> bytes:
        return _event("content_block_delta", {"index": self._index, "delta": delta})

    def close(self) -> bytes:
        if self._closed:
            return b""
        self._closed = True
        return self._think() + _event("content_block_stop", {"index": self._index})

    def _think(self) -> bytes:
        return b"" if self._started else self._start({"type": "thinking", "thinking": "", "signature": ""})

    def _start(self, block: Json) -> bytes:
        self._started = True
        return _event("content_block_start", {"index": self._index, "content_block": block})


def _event(kind: str, told: Json) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), encode({"type": kind, **told}))
