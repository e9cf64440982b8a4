"""Blocks of Anthropic messages, of requests and of answers."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from penstock.core.errors import MalformedChat
from penstock.model.chat import Call, Citation, Media, Native, Notes, Part, Reasoning, Refusal, Result, Text
from penstock.providers.dialects._shapes.members import object_text, written
from penstock.providers.dialects.anthropic.chat.words import NAME

Json = dict[str, Any]
_PDF, _PLAIN = "application/pdf", "text/plain"


class Blocks:
    """``own``: the parts are of this dialect, so what only it has is told again, and what is empty as well."""

    __slots__ = ("_notes", "_own")

    def __init__(self, notes: Notes, *, own: bool) -> None:
        self._own = own
        self._notes = notes

    def of(self, parts: Sequence[Part]) -> list[Json]:
        """The blocks of one message."""
        return [block for part in parts if (block := self._block(part)) is not None]

    def content(self, parts: Sequence[Part]) -> Any:
        """A plain text where that says it all, else a list of blocks."""
        blocks = self.of(parts)
        return blocks[0]["text"] if len(blocks) == 1 and blocks[0].keys() == {"type", "text"} else blocks

    def kept(self, extra: Json | None, at: str) -> Json | None:
        """Members that only the request's dialect has."""
        if self._own:
            return extra
        self._notes.lost_of(extra, at)
        return None

    def _block(self, part: Part) -> Json | None:  # noqa: PLR0911  a table
        match part:
            case Text():
                return self._text(part)
            case Media():
                return self._media(part)
            case Call():
                return self._call(part)
            case Result():
                return self._result(part)
            case Reasoning():
                return self._thinking(part)
            case Refusal():
                return {"type": "text", "text": part.text} if part.text.strip() else None
            case Native() if part.dialect == NAME:
                return part.value
            case _:
                self._notes.lost(f"messages[].content[type={part.kind}]")
                return None

    def _text(self, part: Text) -> Json | None:
        if not (self._own or part.text.strip()):
            return None  # refused
        citations = [one for one in map(cited, part.citations or ()) if one.get("encrypted_index") != ""]
        told = {"type": "text", "text": part.text, "citations": citations or None, "cache_control": marked_cache(part)}
        return written(told, self.kept(part.extra, "messages[].content[]"))

    def _call(self, part: Call) -> Json:
        told: Any = {"input": part.arguments} if part.free else object_text(part.arguments)
        block = {"type": "tool_use", "id": call_id(part.id), "name": part.name, "input": told}
        extra = self.kept(part.extra, "messages[].tool_calls[]")
        return written({**block, "cache_control": marked_cache(part)}, extra)

    def _result(self, part: Result) -> Json:
        block: Json = {"type": "tool_result", "tool_use_id": call_id(part.call)}
        if part.content:
            block["content"] = self.content(part.content)
        extra = self.kept(part.extra, "messages[]")
        return written({**block, "is_error": part.failed or None, "cache_control": marked_cache(part)}, extra)

    def _thinking(self, part: Reasoning) -> Json | None:
        """Only what Claude has thought itself: it refuses any other, and what is not signed."""
        if part.origin != NAME or not (self._own or part.signature or part.sealed):
            self._notes.lost("messages[].reasoning")
            return None
        if part.sealed:
            return written({"type": "redacted_thinking", "data": part.sealed}, part.extra if self._own else None)
        told = {"type": "thinking", "thinking": part.text, "signature": part.signature}
        return written(told, part.extra if self._own else None)

    def _media(self, part: Media) -> Json:
        if part.kind not in ("image", "document"):
            raise MalformedChat(f"messages: {part.kind} cannot be sent to Claude, only text, images and documents.")
        if part.file and not self._own:
            raise MalformedChat(
                "messages: a file that another provider keeps cannot be sent to Claude: send its bytes."
            )
        if part.detail not in ("", "auto"):
            self._notes.lost("messages[].content[].image_url.detail")
        told: Json = {"type": part.kind, "source": _image(part) if part.kind == "image" else _document(part)}
        if part.kind == "document":
            told["title"] = part.name or None
        told["cache_control"] = marked_cache(part)
        return written(told, self.kept(part.extra, "messages[].content[]"))


def _image(part: Media) -> Json:
    if part.data:
        kind = "image/jpeg" if part.type == "image/jpg" else part.type or "image/png"
        return {"type": "base64", "media_type": kind, "data": part.data}
    return _elsewhere(part)


def _document(part: Media) -> Json:
    if part.text:
        return {"type": "text", "media_type": _PLAIN, "data": part.text}
    if not part.data:
        return _elsewhere(part)
    kind = part.type or _PDF
    if kind == _PDF:
        return {"type": "base64", "media_type": kind, "data": part.data}
    if kind.startswith("text/") or kind == "application/json":
        try:
            text = base64.b64decode(part.data).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise MalformedChat(f"messages: a document of {kind} is no text ({error}).") from error
        return {"type": "text", "media_type": _PLAIN, "data": text}
    raise MalformedChat(f"messages: a document of {kind} cannot be sent to Claude: send a PDF or plain text.")


def _elsewhere(part: Media) -> Json:
    return {"type": "file", "file_id": part.file} if part.file else {"type": "url", "url": part.url}


def cited(one: Citation) -> Json:
    """A citation, as it was told or as that of a web page."""
    if one.extra and str(one.extra.get("type")).endswith("_location"):
        return one.extra
    told = {"url": one.url, "title": one.title or None, "cited_text": one.quoted, "encrypted_index": ""}
    return {"type": "web_search_result_location", **told}


def call_id(name: str) -> str:
    """An id of a call, without the characters that are refused. Calls and results get the same."""
    plain = name.replace("_", "").replace("-", "")
    if plain.isascii() and plain.isalnum():
        return name
    return "".join([one if one.isascii() and (one.isalnum() or one in "_-") else "_" for one in name]) or "call"


def marked_cache(part: Any) -> Json | None:
    """The mark for the cache, of a part or a tool."""
    if part.cache is None:
        return None
    return {"type": "ephemeral", "ttl": part.cache.ttl} if part.cache.ttl else {"type": "ephemeral"}
