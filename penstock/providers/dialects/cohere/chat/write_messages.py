"""Messages of Cohere.

https://docs.cohere.com/reference/chat
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from penstock.core.errors import MalformedChat
from penstock.model.chat import Call, Media, Native, Notes, Part, Reasoning, Refusal, Result, Text, Turn
from penstock.providers.dialects._shapes.members import written
from penstock.providers.dialects.cohere.chat.words import NAME, Json

_SYSTEM = ("system", "developer")
_TEXTS = ("text/", "application/json", "application/xml")  # begin media types of what is text


class Messages:
    """``documents``: those of the conversation, which stand beside the messages; None: they go into them as text."""

    def __init__(self, documents: list[Json] | None, notes: Notes) -> None:
        self._documents = documents
        self._notes = notes

    def of(self, turns: Sequence[Turn]) -> list[Json]:
        """One message a turn; turns of one assistant are one, and each result of a tool is one of its own."""
        messages: list[Json] = []
        alone = all(turn.role in _SYSTEM for turn in turns)  # there has to be a message of the user
        for turn in turns:
            self._lose(turn)
            if turn.role == "assistant":
                told = self._said(turn.content)
                if messages and messages[-1]["role"] == "assistant":
                    told = _joined(messages.pop(), told)
                if len(told) > 1:
                    messages.append(told)
                continue
            messages += [self._result(part) for part in turn.content if type(part) is Result]
            content = self._content([part for part in turn.content if type(part) is not Result])
            if content:
                role = "system" if turn.role in _SYSTEM and not alone else "user"
                messages.append({"role": role, "content": content})
        return messages

    def _lose(self, turn: Turn) -> None:
        if turn.name:
            self._notes.lost("messages[].name")
        self._notes.lost_of(turn.extra, "messages[]")
        if any(getattr(part, "cache", None) is not None for part in turn.content):
            self._notes.lost("cache_control")

    def _said(self, parts: Sequence[Part]) -> Json:
        """What is said before calls is their plan."""
        calls = [_call(part) for part in parts if type(part) is Call]
        blocks = [block for part in parts if (block := self._block_of_assistant(part)) is not None]
        if not calls:
            return written({"role": "assistant", "content": _plain(blocks) or None})
        plan = "".join([block["text"] for block in blocks if "text" in block])
        thinking = [block for block in blocks if "text" not in block]
        told = {"role": "assistant", "tool_plan": plan or None, "tool_calls": calls, "content": thinking or None}
        return written(told)

    def _block_of_assistant(self, part: Part) -> Json | None:
        match part:
            case Text() | Refusal():
                return {"type": "text", "text": part.text} if part.text else None
            case Reasoning() if part.origin == NAME:
                return {"type": "thinking", "thinking": part.text}
            case Reasoning():
                self._notes.lost("messages[].reasoning")
            case Media():
                self._notes.lost(f"messages[].content[{part.kind}]")
            case Native():
                self._notes.lost(f"messages[].content[type={part.value.get('type')}]")
            case _:
                pass
        return None

    def _content(self, parts: Sequence[Part]) -> Any:
        return _plain([block for part in parts if (block := self._block(part)) is not None])

    def _block(self, part: Part) -> Json | None:
        match part:
            case Text():
                return {"type": "text", "text": part.text} if part.text else None
            case Media():
                return self._media(part)
            case Native():
                self._notes.lost(f"messages[].content[type={part.value.get('type')}]")
            case _:
                self._notes.lost(f"messages[].content[{type(part).__name__.lower()}]")
        return None

    def _media(self, part: Media) -> Json | None:
        if part.kind == "image" and not part.file:
            url = part.url or f"data:{part.type or 'image/png'};base64,{part.data}"
            detail = part.detail if part.detail in ("auto", "low", "high") else None
            return {"type": "image_url", "image_url": written({"url": url, "detail": detail})}
        text = _text_of(part)
        if self._documents is None:
            return {"type": "text", "text": f"{part.name}\n{text}" if part.name else text}
        self._documents.append({"data": written({"title": part.name or None, "text": text})})
        return None

    def _result(self, part: Result) -> Json:
        if part.failed:
            self._notes.lost("messages[].content[].is_error")
        texts = [_plain_text(one) for one in part.content if isinstance(one, Text | Media)]
        kept = [text for text in texts if text is not None]
        if len(kept) != len(part.content):
            self._notes.lost("messages[].content[].content")
        return {"role": "tool", "tool_call_id": part.call, "content": "\n".join(kept)}


def _plain_text(part: Text | Media) -> str | None:
    if isinstance(part, Text):
        return part.text
    return _text_of(part) if part.kind == "document" and not part.url else None


def _call(part: Call) -> Json:
    return {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": part.arguments or "{}"}}


def _joined(before: Json, after: Json) -> Json:
    """Two messages of the assistant as one."""
    content = [*_blocks(before.get("content")), *_blocks(after.get("content"))]
    told = {
        "role": "assistant",
        "tool_plan": "".join([before.get("tool_plan", ""), after.get("tool_plan", "")]) or None,
        "tool_calls": [*before.get("tool_calls", ()), *after.get("tool_calls", ())] or None,
        "content": _plain(content) or None,
    }
    return written(told)


def _blocks(content: Any) -> list[Json]:
    return [{"type": "text", "text": content}] if type(content) is str else content or []


def _plain(blocks: list[Json]) -> Any:
    """A plain text where that says it all, else a list of blocks."""
    return blocks[0]["text"] if len(blocks) == 1 and blocks[0]["type"] == "text" else blocks


def _text_of(part: Media) -> str:
    """Raises MalformedChat for what is no text."""
    if part.text:
        return part.text
    if part.kind == "document" and part.data and part.type.startswith(_TEXTS):
        try:
            return base64.b64decode(part.data).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise MalformedChat(f"messages[].content[]: a document of {part.type} is no text ({error}).") from error
    if part.file or part.url:
        how = "by URL" if part.url else "that another provider keeps"
        raise MalformedChat(f"messages[].content[]: {part.kind} {how} cannot be sent to Cohere, send its bytes.")
    raise MalformedChat(
        f"messages[].content[]: {part.type or part.kind} cannot be sent to Cohere, send text or images."
    )
