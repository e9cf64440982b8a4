"""Blocks of a request of Converse.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from penstock.model.chat import Cache, Call, Media, Native, Notes, Part, Reasoning, Refusal, Result, Text
from penstock.providers.dialects._shapes.members import object_text, written
from penstock.providers.dialects.bedrock_converse.chat.models import Takes
from penstock.providers.dialects.bedrock_converse.chat.words import NAME, Json
from penstock.providers.dialects.bedrock_converse.chat.write_media import block_of

_ODD = re.compile(r"[^a-zA-Z0-9_-]")
_LONG = 64  # characters of an id


class Blocks:
    """Of one request: no two of its documents may have the same name."""

    __slots__ = ("_names", "_notes", "_takes")

    def __init__(self, takes: Takes, notes: Notes) -> None:
        self._takes = takes
        self._notes = notes
        self._names: set[str] = set()  # of documents

    def of(self, parts: Sequence[Part]) -> list[Json]:
        """The blocks of one message, each followed by its mark for the cache."""
        blocks: list[Json] = []
        for part in parts:
            block = self._block(part)
            if block is None:
                continue
            blocks.append(block)
            if (cache := getattr(part, "cache", None)) is not None:
                blocks += self.mark(cache)
        return blocks

    def mark(self, cache: Cache, *, tools: bool = False) -> list[Json]:
        """A mark for the cache, where the model takes any."""
        if not (self._takes.caches_tools if tools else self._takes.caches):
            self._notes.lost("cache_control")
            return []
        lives = (cache.ttl or None) if not self._takes.nova else None
        return [{"cachePoint": written({"type": "default", "ttl": lives})}]

    def _block(self, part: Part) -> Json | None:
        match part:
            case Text() | Refusal():
                return self._text(part)
            case Media():
                return block_of(part, self._names, self._notes)
            case Call():
                told: Any = {"input": part.arguments} if part.free else object_text(part.arguments)
                return {"toolUse": {"toolUseId": call_id(part.id), "name": part.name, "input": told}}
            case Result():
                return {"toolResult": self._result(part)}
            case Reasoning():
                return self._thinking(part)
            case Native():
                self._notes.lost(f"messages[].content[type={part.value.get('type')}]")
                return None

    def _text(self, part: Text | Refusal) -> Json | None:
        """Blank texts are refused."""
        if type(part) is Text and part.citations:
            self._notes.lost("messages[].content[].citations")
        return {"text": part.text} if part.text.strip() else None

    def _result(self, part: Result) -> Json:
        content = [block for one in part.content if (block := self._returned(one)) is not None]
        if part.failed and not self._takes.tells_failed:
            self._notes.lost("messages[].content[].is_error")
        status = "error" if part.failed and self._takes.tells_failed else None
        told = {"toolUseId": call_id(part.call), "content": content or [{"json": {}}], "status": status}
        return written(told)

    def _returned(self, part: Part) -> Json | None:
        if isinstance(part, Text | Media):
            return self._block(part)
        self._notes.lost("messages[].content[].content")
        return None

    def _thinking(self, part: Reasoning) -> Json | None:
        """Only what the model has thought itself. Claude's signatures are the same wherever it is asked."""
        if part.origin == NAME and part.sealed:
            return {"reasoningContent": {"redactedContent": part.sealed}}
        if part.signature and (part.origin == NAME or (part.origin == "anthropic" and self._takes.claude)):
            return {"reasoningContent": {"reasoningText": {"text": part.text, "signature": part.signature}}}
        self._notes.lost("messages[].reasoning")
        return None


def call_id(name: str) -> str:
    """An id of a call as the dialect has them. Calls and results get the same."""
    if len(name) > _LONG:
        return f"call_{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:32]}"
    return _ODD.sub("_", name) or "call"
