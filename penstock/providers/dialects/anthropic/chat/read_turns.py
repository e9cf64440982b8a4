"""Messages of Anthropic, of requests and of answers."""

from typing import Any

from penstock.core.errors import MalformedChat
from penstock.model.chat import Cache, Call, Citation, Media, Native, Part, Reasoning, Result, Text, Turn
from penstock.providers.dialects._shapes.members import Members, list_or_none, object_or_none, text_of
from penstock.providers.dialects.anthropic.chat.marks import unmarked
from penstock.providers.dialects.anthropic.chat.words import NAME


def turn_of(message: Members) -> Turn:
    """One message. Raises MalformedChat."""
    role = message.text("role")
    if role not in ("user", "assistant", "system"):
        raise MalformedChat(f"{message.at('role')}: must be user, assistant or system.")
    content = content_of(message, "content")
    return Turn(role, content, extra=message.rest())


def content_of(told: Members, name: str) -> list[Part]:
    """A text, or a list of blocks; null and absent: nothing."""
    value = told.any(name)
    if value is None:
        return []
    if type(value) is str:
        return [Text(value)] if value else []
    blocks = list_or_none(value)
    if blocks is None:
        raise MalformedChat(f"{told.at(name)}: must be a text or a list of blocks.")
    return [part_of(Members(block, f"{told.at(name)}[{number}]")) for number, block in enumerate(blocks)]


def part_of(block: Members) -> Part:
    """One block."""
    kind = block.text("type")
    read = _READERS.get(kind)
    if read is None:
        return Native(NAME, {"type": kind, **block.left})
    return read(block)


def _text(block: Members) -> Part:
    citations = [citation_of(one.left) for one in block.objects("citations")]
    cache, signature = cache_of(block), block.text("signature")
    return Text(block.text("text"), citations or None, cache, signature, block.rest())


def citation_of(told: dict[str, Any]) -> Citation:
    """Where it is in its document stays as it is told: the neutral form has places in the answer alone."""
    title = told.get("title") or told.get("document_title") or ""
    return Citation(str(told.get("url") or ""), str(title), str(told.get("cited_text") or ""), extra=told)


def _thinking(block: Members) -> Part:
    return _reasoning(block.text("thinking"), block.text("signature"), block)


def _redacted(block: Members) -> Part:
    return _reasoning("", block.text("data"), block, sealed=True)


def _reasoning(text: str, mark: str, block: Members, *, sealed: bool = False) -> Reasoning:
    part = unmarked(text, mark, sealed=sealed)
    part.extra = block.rest()
    return part


def _call(block: Members) -> Part:
    name, cache, signature = block.text("name"), cache_of(block), block.text("signature")
    arguments = text_of(block.any("input"))
    return Call(block.text("id"), name, arguments, signature=signature, cache=cache, extra=block.rest())


def _result(block: Members) -> Part:
    content, cache = content_of(block, "content"), cache_of(block)
    failed = bool(block.truth("is_error"))
    return Result(block.text("tool_use_id"), content, failed=failed, cache=cache, extra=block.rest())


def _image(block: Members) -> Part:
    return _media("image", block)


def _document(block: Members) -> Part:
    return _media("document", block)


def _media(kind: str, block: Members) -> Part:
    source = block.object("source")
    if source is None:
        raise MalformedChat(f"{block.at('source')}: is missing.")
    raw = {**source.left}
    how = source.text("type")
    media = Media(kind, source.text("media_type"), name=block.text("title"), cache=cache_of(block))
    match how:
        case "base64":
            media.data = source.text("data")
        case "url":
            media.url = source.text("url")
        case "file":
            media.file = source.text("file_id")
        case "text":
            media.text = source.text("data")
        case "content" if (texts := _texts(raw.get("content"))) is not None:
            media.text, media.type = texts, "text/plain"
            block.left["source"] = raw  # as it was
        case _:
            return Native(NAME, {"type": kind, "source": raw, **block.left})
    media.extra = block.rest()
    return media


def _search_result(block: Members) -> Part:
    """To others, a document."""
    texts = _texts(block.left.get("content"))
    raw = {"type": "search_result", **block.left}
    if texts is None:
        return Native(NAME, raw)
    title, cache = block.text("title"), cache_of(block)
    return Media("document", "text/plain", text=texts, name=title, cache=cache, extra=raw)


def _texts(content: object) -> str | None:
    """The text of blocks that are nothing else; None: there are others."""
    if type(content) is str:
        return content
    blocks = [object_or_none(block) or {} for block in list_or_none(content) or ()]
    texts = [block["text"] for block in blocks if type(block.get("text")) is str]
    return "\n".join(texts) if texts and len(texts) == len(blocks) else None


def cache_of(block: Members) -> Cache | None:
    """The mark for the cache."""
    told = block.object("cache_control")
    return None if told is None else Cache(told.text("ttl"))


_READERS = {
    "text": _text,
    "image": _image,
    "document": _document,
    "search_result": _search_result,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "tool_use": _call,
    "tool_result": _result,
}
