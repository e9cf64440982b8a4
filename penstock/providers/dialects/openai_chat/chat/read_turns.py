"""Messages of OpenAI chat, of requests and of answers."""

from penstock.core.errors import MalformedChat
from penstock.model.chat import Cache, Call, Citation, Media, Native, Part, Reasoning, Refusal, Result, Text, Turn
from penstock.providers.dialects._shapes.inline import inline
from penstock.providers.dialects._shapes.members import Members, list_or_none, object_or_none

NAME = "openai_chat"


def turn_of(message: Members) -> Turn:
    """One message. Raises MalformedChat."""
    role = message.text("role")
    if role in ("tool", "function"):
        content: list[Part] = [_result(message)]
        return Turn("tool", content, extra=message.rest())
    if role not in ("system", "developer", "user", "assistant"):
        raise MalformedChat(f"{message.at('role')}: must be system, developer, user, assistant or tool.")
    content = content_of(message) if role != "assistant" else answer_of(message)
    return Turn(role, content, message.text("name"), message.rest())


def answer_of(message: Members) -> list[Part]:
    """What an assistant has said: thinking, text, refusal, calls, in this order."""
    parts: list[Part] = [*reasoning_of(message), *content_of(message)]
    annotations = citations_of(message)
    if annotations and (text := next((part for part in parts if type(part) is Text), None)) is not None:
        text.citations = annotations
    if refusal := message.text("refusal"):
        parts.append(Refusal(refusal))
    parts += [_call(call) for call in message.objects("tool_calls")]
    if (older := message.object("function_call")) is not None:
        parts.append(Call(older.text("name"), older.text("name"), older.text("arguments")))
    return parts


def reasoning_of(message: Members) -> list[Part]:
    """``reasoning_details`` (with signatures), or else the plain text that some providers give."""
    parts: list[Part] = []
    for detail in message.objects("reasoning_details"):
        kind, origin = detail.text("type"), detail.text("format")
        text = detail.text("text") or detail.text("summary")
        sealed = detail.text("data") if kind == "reasoning.encrypted" else ""
        parts.append(Reasoning(text, detail.text("signature"), sealed, origin, detail.text("id")))
    plain = message.text("reasoning_content") or message.text("reasoning")
    return parts or ([Reasoning(plain)] if plain else [])


def citations_of(message: Members) -> list[Citation] | None:
    """Those of ``annotations``."""
    found = [annotation.object("url_citation") for annotation in message.objects("annotations")]
    return [_citation(told) for told in found if told is not None] or None


def _citation(told: Members) -> Citation:
    url, title, quoted = told.text("url"), told.text("title"), told.text("content")
    return Citation(url, title, quoted, told.whole("start_index"), told.whole("end_index"))


def content_of(message: Members) -> list[Part]:
    """A text, or a list of parts; null and absent: nothing."""
    value = message.any("content")
    if value is None:
        return []
    if type(value) is str:
        return [Text(value)] if value else []
    parts = list_or_none(value)
    if parts is None:
        raise MalformedChat(f"{message.at('content')}: must be a text or a list of parts.")
    return [part_of(Members(part, f"{message.at('content')}[{number}]")) for number, part in enumerate(parts)]


def part_of(told: Members) -> Part:
    """One part of a content."""
    kind = told.text("type", "text")
    cache = _cache(told.object("cache_control"))
    if kind == "text":
        return Text(told.text("text"), cache=cache, extra=told.rest())
    if kind == "refusal":
        return Refusal(told.text("refusal"))
    read = _MEDIA.get(kind)
    if read is None or (inner := told.object(_MEMBER.get(kind, kind))) is None:
        return Native(NAME, {"type": kind, **(told.rest() or {})})
    media = read(inner)
    media.cache = cache
    media.extra = inner.rest()
    return media


def _image(told: Members) -> Media:
    url = told.text("url")
    kind, data = inline(url)
    return Media("image", kind, data, "" if data else url, detail=told.text("detail"))


def _audio(told: Members) -> Media:
    return Media("audio", f"audio/{told.text('format')}", told.text("data"))


def _document(told: Members) -> Media:
    data = told.text("file_data")
    kind, inner = inline(data)
    return Media("document", kind, inner or data, "", told.text("file_id"), name=told.text("filename"))


_MEDIA = {"image_url": _image, "input_audio": _audio, "file": _document}
_MEMBER: dict[str, str] = {}


def _cache(told: Members | None) -> Cache | None:
    return None if told is None else Cache(told.text("ttl"))


def _call(told: Members) -> Call:
    kind, name = told.text("type", "function"), told.text("id")
    extra = object_or_none(told.any("extra_content")) or {}
    signature = str((object_or_none(extra.get("google")) or {}).get("thought_signature") or "")
    if kind == "custom" and (custom := told.object("custom")) is not None:
        return Call(name, custom.text("name"), custom.text("input"), free=True, signature=signature)
    function = told.object("function")
    if function is None:
        raise MalformedChat(f"{told.at('function')}: is missing.")
    told.left.pop("index", None)
    return Call(name, function.text("name"), function.text("arguments"), signature=signature, extra=told.rest())


def _result(message: Members) -> Result:
    name = message.text("name")
    return Result(message.text("tool_call_id") or name, content_of(message), name)
