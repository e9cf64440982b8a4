"""Items of OpenAI responses: each is a turn of its own."""

from collections.abc import Callable
from typing import Any

from penstock.core.errors import MalformedChat
from penstock.model.chat import Cache, Call, Citation, Media, Native, Part, Reasoning, Refusal, Result, Text, Turn
from penstock.providers.dialects._shapes.inline import inline
from penstock.providers.dialects._shapes.members import Members, list_or_none
from penstock.providers.dialects.openai_responses.chat.sealed import CALL, SAID, unseal
from penstock.providers.dialects.openai_responses.chat.words import NAME

_ROLES = ("system", "developer", "user", "assistant")


def turns_of(items: list[Members]) -> list[Turn]:
    """Those of all items. Raises MalformedChat."""
    turns: list[Turn] = []
    signatures: dict[str, str] = {}  # of calls, by id
    for item in items:
        sealed = unseal(item.left.get("encrypted_content") or "") if item.left.get("type") == "reasoning" else None
        of = (sealed or {}).get("of")
        if sealed is None or of is None:
            turns.append(turn_of(item, sealed))
        elif of == CALL:
            signatures[sealed.get("call", "")] = sealed.get("signature", "")
        elif of == SAID:
            _sign(turns, sealed.get("signature", ""))
    if signatures:
        for turn in turns:
            for part in turn.content:
                if type(part) is Call:
                    part.signature = signatures.get(part.id, "")
    return turns


def _sign(turns: list[Turn], signature: str) -> None:
    """The last text or image of the assistant gets its signature back."""
    last = turns[-1].content[-1] if turns and turns[-1].role == "assistant" and turns[-1].content else None
    if type(last) is Text or type(last) is Media:
        last.signature = signature


def turn_of(item: Members, sealed: dict[str, Any] | None = None) -> Turn:
    """One item. ``sealed``: what was in its encrypted content, if it is another dialect's."""
    kind = item.text("type")
    if kind == "message" or (not kind and "role" in item.left):
        return _message(item)
    if kind == "reasoning":
        return Turn("assistant", [_reasoning(item, sealed)])
    read = _ITEMS.get(kind)
    if read is not None and not (read is _drawn and not item.left.get("result")):
        return Turn("tool" if kind.endswith("_output") else "assistant", [read(item)])
    return Turn("assistant", [Native(NAME, {"type": kind or "item_reference", **(item.rest() or {})})])


def _message(item: Members) -> Turn:
    role = item.text("role")
    if role not in _ROLES:
        raise MalformedChat(f"{item.at('role')}: must be system, developer, user or assistant.")
    content = content_of(item, "content")
    return Turn(role, content, extra=item.rest())


def content_of(item: Members, name: str) -> list[Part]:
    """A text, or a list of parts; null and absent: nothing."""
    value = item.any(name)
    if value is None:
        return []
    if type(value) is str:
        return [Text(value)] if value else []
    parts = list_or_none(value)
    if parts is None:
        raise MalformedChat(f"{item.at(name)}: must be a text or a list of parts.")
    return [_part(Members(part, f"{item.at(name)}[{number}]")) for number, part in enumerate(parts)]


def _part(told: Members) -> Part:
    kind = told.text("type", "input_text")
    read = _PARTS.get(kind)
    if read is None:
        return Native(NAME, {"type": kind, **(told.rest() or {})})
    marked = told.left.get("prompt_cache_breakpoint") is not None
    part = read(told)
    if marked and isinstance(part, Text | Media):
        part.cache = Cache()
    return part


def _text(told: Members) -> Text:
    text = told.text("text")
    citations = [citation_of(one) for one in told.objects("annotations")]
    if not told.left.get("logprobs"):
        told.any("logprobs")
    return Text(text, citations or None, extra=told.rest())


def citation_of(told: Members) -> Citation:
    """A web page; of any other source, only what the dialect has."""
    if told.left.get("type") != "url_citation":
        return Citation(extra=told.rest())
    told.any("type")
    url, title = told.text("url"), told.text("title")
    return Citation(url, title, "", told.whole("start_index"), told.whole("end_index"), told.rest())


def _refusal(told: Members) -> Refusal:
    return Refusal(told.text("refusal"), told.rest())


def _image(told: Members) -> Part:
    url = told.text("image_url")
    kind, data = inline(url)
    file, detail = told.text("file_id"), told.text("detail")
    return Media("image", kind, data, "" if data else url, file, detail=detail, extra=told.rest())


def _file(told: Members) -> Media:
    data, url, file, name = told.text("file_data"), told.text("file_url"), told.text("file_id"), told.text("filename")
    kind, inner = inline(data)
    return Media("document", kind, inner or data, url, file, name=name, extra=told.rest())


def _audio(told: Members) -> Media:
    audio = told.object("input_audio")
    if audio is None:
        raise MalformedChat(f"{told.at('input_audio')}: is missing.")
    return Media("audio", f"audio/{audio.text('format')}", audio.text("data"), extra=told.rest())


_PARTS: dict[str, Callable[[Members], Part]] = {
    "input_text": _text,
    "output_text": _text,
    "text": _text,
    "refusal": _refusal,
    "input_image": _image,
    "input_file": _file,
    "input_audio": _audio,
}


def _reasoning(item: Members, sealed: dict[str, Any] | None) -> Reasoning:
    """``extra`` holds the parts of its text where there is more to them than one summary."""
    summary, content = item.items("summary") or [], item.items("content") or []
    texts = [Members(one, item.at("summary")).text("text") for one in summary or content]
    told = "\n\n".join(texts)
    kept = item.text("encrypted_content")
    name = item.text("id")
    if sealed is not None:
        text = sealed.get("text") or told
        return Reasoning(text, sealed.get("signature", ""), sealed.get("sealed", ""), sealed.get("origin", ""), name)
    extra = item.rest() or {}
    if content or len(summary) > 1:
        extra["summary"] = summary
    if content:
        extra["content"] = content
    return Reasoning(told, "", kept, NAME if kept else "", name, extra or None)


def _call(item: Members) -> Call:
    call, name, arguments = item.text("call_id"), item.text("name"), item.text("arguments")
    return Call(call, name, arguments, extra=item.rest())


def _custom_call(item: Members) -> Call:
    call, name, text = item.text("call_id"), item.text("name"), item.text("input")
    return Call(call, name, text, free=True, extra=item.rest())


def _result(item: Members) -> Result:
    call, name = item.text("call_id"), item.text("name")
    return Result(call, content_of(item, "output"), name, extra=item.rest())


def _custom_result(item: Members) -> Result:
    result = _result(item)
    result.free = True
    return result


def _drawn(item: Members) -> Media:
    form = item.left.get("output_format")
    return Media("image", f"image/{form if type(form) is str else 'png'}", item.text("result"), extra=item.rest())


_ITEMS: dict[str, Callable[[Members], Part]] = {
    "function_call": _call,
    "custom_tool_call": _custom_call,
    "function_call_output": _result,
    "custom_tool_call_output": _custom_result,
    "image_generation_call": _drawn,
}
