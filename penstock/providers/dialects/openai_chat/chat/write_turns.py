"""Messages of OpenAI chat, for requests and for answers."""

from typing import Any

from penstock.core.errors import MalformedChat
from penstock.model.chat import Call, Citation, Media, Native, Notes, Part, Reasoning, Refusal, Result, Text, Turn
from penstock.providers.dialects._shapes.members import written

NAME = "openai_chat"
Json = dict[str, Any]


def messages_of(turns: list[Turn], notes: Notes) -> list[Json]:
    """One message a turn; results of tools have messages of their own, before what else their turn has."""
    messages: list[Json] = []
    for turn in turns:
        results = [part for part in turn.content if type(part) is Result]
        messages += [_result(part, notes) for part in results]
        others = [part for part in turn.content if type(part) is not Result] if results else turn.content
        if turn.role == "assistant":
            messages.append(
                written({"role": "assistant", **said(others, notes), "name": turn.name or None}, turn.extra)
            )
        elif others or not results:
            told = {"role": turn.role, "content": _content(others, notes), "name": turn.name or None}
            messages.append(written(told, turn.extra))
    return messages


def said(parts: list[Part], notes: Notes) -> Json:
    """Members of an assistant's message: content, refusal, calls, thinking."""
    texts: list[Part] = [part for part in parts if type(part) in (Text, Media, Native)]
    calls = [_call(part) for part in parts if type(part) is Call]
    refusal = "".join([part.text for part in parts if type(part) is Refusal])
    told: Json = {
        "content": _content(texts, notes) if texts else None if calls or refusal else "",
        "refusal": refusal or None,
        "tool_calls": calls or None,
    }
    if reasoning := [part for part in parts if type(part) is Reasoning]:
        told |= thinking(reasoning)
    return told


def thinking(parts: list[Reasoning]) -> Json:
    """The plain text, and with signatures, which a client sends back as it came, the parts one by one."""
    told: Json = {"reasoning_content": "".join([part.text for part in parts]) or None}
    if any(part.signature or part.sealed for part in parts):
        told["reasoning_details"] = [detail(part) for part in parts]
    return told


def detail(part: Reasoning) -> Json:
    """One of ``reasoning_details``."""
    kind = "reasoning.encrypted" if part.sealed else "reasoning.text"
    return written(
        {
            "type": kind,
            "text": part.text or None,
            "signature": part.signature or None,
            "data": part.sealed or None,
            "format": part.origin or None,
            "id": part.id or None,
        }
    )


def annotations(citations: list[Citation]) -> list[Json]:
    """The web pages among them."""
    return [
        {
            "type": "url_citation",
            "url_citation": written(
                {
                    "url": one.url,
                    "title": one.title,
                    "start_index": one.start or 0,
                    "end_index": one.end or 0,
                    "content": one.quoted or None,
                }
            ),
        }
        for one in citations
        if one.url
    ]


def _call(part: Call) -> Json:
    signed = {"google": {"thought_signature": part.signature}} if part.signature else None
    if part.free:
        custom = {"name": part.name, "input": part.arguments}
        return written({"id": part.id, "type": "custom", "custom": custom, "extra_content": signed})
    function = {"name": part.name, "arguments": part.arguments}
    return written({"id": part.id, "type": "function", "function": function, "extra_content": signed}, part.extra)


def _result(part: Result, notes: Notes) -> Json:
    content = [one for one in part.content if type(one) is Text]
    if len(content) != len(part.content):
        notes.lost("content of a tool's result that is no text")
    if part.failed:
        notes.lost("is_error of a tool's result")
    text: Any = content[0].text if len(content) == 1 and content[0].cache is None else _content([*content], notes)
    return {"role": "tool", "tool_call_id": part.call, "content": text}


def _content(parts: list[Part], notes: Notes) -> Any:
    """A plain text where that says it all, else a list of parts."""
    if len(parts) == 1 and type(one := parts[0]) is Text and one.cache is None and one.extra is None:
        return one.text
    if not parts:
        return ""
    return [told for part in parts if (told := _part(part, notes)) is not None]


def _part(part: Part, notes: Notes) -> Json | None:
    match part:
        case Text():
            return written({"type": "text", "text": part.text, "cache_control": _cache(part)}, part.extra)
        case Media():
            return written({**_media(part), "cache_control": _cache(part)})
        case Refusal():
            return {"type": "refusal", "refusal": part.text}
        case Native() if part.dialect == NAME:
            return part.value
        case Native():
            notes.lost(f"content[type={part.kind}]")
        case _:
            notes.lost(f"content[{type(part).__name__.lower()}]")
    return None


def _media(part: Media) -> Json:
    if part.kind == "image":
        url = part.url or f"data:{part.type or 'image/png'};base64,{part.data}"
        if not (part.url or part.data):
            raise MalformedChat("an image that is a file of another provider cannot be sent in OpenAI chat.")
        image = {"url": url, "detail": part.detail or None}
        return {"type": "image_url", "image_url": written(image, part.extra)}
    if part.kind == "audio" and part.data:
        audio = {"data": part.data, "format": _audio_format(part.type)}
        return {"type": "input_audio", "input_audio": written(audio, part.extra)}
    if part.text:
        return {"type": "text", "text": part.text}
    if part.url:
        raise MalformedChat(f"a {part.kind} by URL cannot be sent in OpenAI chat: send its bytes.")
    if part.kind == "video":
        raise MalformedChat("video cannot be sent in OpenAI chat.")
    data = f"data:{part.type or 'application/pdf'};base64,{part.data}" if part.data else None
    told = {"file_data": data, "file_id": part.file or None, "filename": part.name or None}
    return {"type": "file", "file": written(told, part.extra)}


def _audio_format(kind: str) -> str:
    name = kind.partition("/")[2]
    return {"mpeg": "mp3", "x-wav": "wav", "wave": "wav"}.get(name, name)


def _cache(part: Text | Media) -> Json | None:
    if part.cache is None:
        return None
    return {"type": "ephemeral", "ttl": part.cache.ttl} if part.cache.ttl else {"type": "ephemeral"}
