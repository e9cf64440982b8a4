"""Items of the output, for answers."""

from typing import Any

from penstock.core import ids
from penstock.core.codec import DecodeError, decode
from penstock.model.chat import Call, ChatRequest, Citation, Function, Media, Native, Part, Reasoning, Refusal, Text
from penstock.providers.dialects._shapes.members import list_or_none, object_or_none, written
from penstock.providers.dialects.openai_responses.chat.sealed import seal, seal_signature
from penstock.providers.dialects.openai_responses.chat.words import NAME

Json = dict[str, Any]


def new_id(kind: str) -> str:
    """An id as OpenAI spells them."""
    return f"{kind}_{ids.new().hex()}"


def output_of(content: list[Part], asked: ChatRequest, status: str, logprobs: Any = None) -> list[Json]:
    """Texts and refusals that follow each other are one message. ``status``: that of the last item."""
    items: list[Json] = []
    free = free_tools(asked)
    said: list[Json] = []
    for part in content:
        if type(part) is Refusal or (type(part) is Text and part.text):
            if not said:
                items.append(message(new_id("msg"), said, "completed"))
            said.append(content_part(part, tokens(logprobs) if not said else []))
        elif type(part) is not Text:
            said = []
        items += whole_items(part, free)
    if status != "completed":
        cut_short(items)
    return items


def cut_short(items: list[Json]) -> None:
    """The last of them is not whole."""
    if items and items[-1]["type"] in ("message", "function_call"):
        items[-1] = {**items[-1], "status": "incomplete"}


def whole_items(part: Part, free: frozenset[str]) -> list[Json]:
    """Those of one part, without the text of a message."""
    match part:
        case Reasoning():
            return [reasoning(new_id("rs"), part)]
        case Call():
            item = call(part, free)
            return [carrier(part.signature, item["call_id"]), item] if part.signature else [item]
        case Text():
            return [carrier(part.signature)] if part.signature else []
        case Media() if part.kind == "image" and part.data:
            return [drawn(part), carrier(part.signature)] if part.signature else [drawn(part)]
        case Native() if part.dialect == NAME:
            return [part.value]
        case _:
            return []


def message(name: str, content: list[Json], status: str) -> Json:
    """A message item."""
    return {"id": name, "type": "message", "status": status, "role": "assistant", "content": content}


def content_part(part: Part, logprobs: list[Any]) -> Json:
    """A part of a message."""
    if type(part) is Refusal:
        return {"type": "refusal", "refusal": part.text}
    assert type(part) is Text
    annotations = [told for one in part.citations or () if (told := annotation(one, len(part.text))) is not None]
    return {"type": "output_text", "text": part.text, "annotations": annotations, "logprobs": logprobs}


def annotation(cited: Citation, end: int) -> Json | None:
    """A web page, or what this dialect alone has. ``end``: of the text. None: neither."""
    if not cited.url:
        return cited.extra if cited.extra is not None and cited.extra.get("type") in _SOURCES else None
    return {
        "type": "url_citation",
        "url": cited.url,
        "title": cited.title,
        "start_index": cited.start or 0,
        "end_index": end if cited.end is None else cited.end,
    }


_SOURCES = ("file_citation", "container_file_citation", "file_path")


def tokens(logprobs: Any) -> list[Any]:
    """OpenAI chat has those of a text under ``content``, and null where a token has no bytes of its own."""
    content = list_or_none((object_or_none(logprobs) or {}).get("content")) or []
    return [
        {**token, "bytes": token.get("bytes") or [], "top_logprobs": token.get("top_logprobs") or []}
        for token in map(object_or_none, content)
        if token is not None
    ]


def reasoning(name: str, part: Reasoning) -> Json:
    """A reasoning item. Signatures and sealed thinking of other dialects come back in ``encrypted_content``."""
    item: Json = {
        "id": name,
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": part.text}] if part.text else [],
        "status": "completed",
    }
    if part.origin == NAME:
        item["id"] = part.id or name
        return written({**item, "encrypted_content": part.sealed or None}, part.extra)
    if part.signature or part.sealed:
        item["encrypted_content"] = seal(part)
    return item


def carrier(signature: str, of_call: str = "") -> Json:
    """An item that brings a signature back which has no place elsewhere."""
    content = seal_signature(signature, of_call)
    return {
        "id": new_id("rs"),
        "type": "reasoning",
        "summary": [],
        "encrypted_content": content,
        "status": "completed",
    }


def call(part: Call, free: frozenset[str]) -> Json:
    """A call of a function, or of a custom tool."""
    name = part.id or new_id("call")
    if part.free or part.name in free:
        text = part.arguments if part.free else free_input(part.arguments)
        kind = {"id": new_id("ctc"), "type": "custom_tool_call", "status": "completed"}
        return {**kind, "call_id": name, "name": part.name, "input": text}
    kind = {"id": new_id("fc"), "type": "function_call", "status": "completed"}
    return {**kind, "call_id": name, "name": part.name, "arguments": part.arguments or "{}"}


def drawn(part: Media) -> Json:
    """An image in an answer."""
    form = part.type.partition("/")[2] or "png"
    kind = {"id": new_id("ig"), "type": "image_generation_call", "status": "completed"}
    return {**kind, "result": part.data, "output_format": form}


def free_tools(asked: ChatRequest) -> frozenset[str]:
    """Names of the custom tools, which a provider without them calls as functions with one argument."""
    return frozenset([tool.name for tool in asked.tools or () if type(tool) is Function and tool.free])


def free_input(arguments: str) -> str:
    """The text in the one argument of such a call; of any other arguments, all of them."""
    try:
        value = object_or_none(decode(arguments.encode("utf-8", "replace")))
    except DecodeError:
        return arguments
    if value is not None and len(value) == 1 and type(only := next(iter(value.values()))) is str:
        return only
    return arguments
