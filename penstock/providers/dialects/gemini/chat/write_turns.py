"""Contents of Gemini, for requests and for answers."""

from collections.abc import Callable
from typing import Any, NamedTuple

from penstock.core.errors import MalformedChat
from penstock.model.chat import (
    Call,
    ChatRequest,
    Extra,
    Media,
    Native,
    Notes,
    Part,
    Reasoning,
    Refusal,
    Result,
    Text,
    Turn,
)
from penstock.providers.dialects._shapes.members import object_text, written
from penstock.providers.dialects.gemini.chat.models import before_3
from penstock.providers.dialects.gemini.chat.sealing import sealed
from penstock.providers.dialects.gemini.chat.words import MADE, NAME, response_of

Json = dict[str, Any]

# For calls that another model made, in a conversation that goes on with Gemini 3: it refuses those without a signature.
# https://ai.google.dev/gemini-api/docs/thought-signatures#faqs
_UNSIGNED = "skip_thought_signature_validator"
_TYPES = {"image": "image/jpeg", "audio": "audio/mpeg", "video": "video/mp4", "document": "application/pdf"}
_BY_NAME = {
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "wav": "audio/wav",
    "webm": "video/webm",
    "mov": "video/quicktime",
    "txt": "text/plain",
    "html": "text/html",
    "csv": "text/csv",
}


class Way(NamedTuple):
    """How parts are written. ``own``: they were Gemini's, and are the same again."""

    notes: Notes
    own: bool = True
    nested: bool = True  # results of functions may hold media
    names: dict[str, str] = {}  # noqa: RUF012  of the functions called, by the calls' ids; never changed
    answer: bool = False  # they are for a client


def contents_of(request: ChatRequest, notes: Notes) -> tuple[list[Json], list[Json]]:
    """The parts of the system instruction, and the contents.

    Another dialect's turns are made fit: system turns in the middle go to the front, turns of one role become one, and
    results of functions come first in theirs.
    """
    own, older = request.dialect == NAME, before_3(request.model)
    names = {part.id: part.name for turn in request.turns for part in turn.content if type(part) is Call}
    way = Way(notes, own, not older, names)
    system: list[Json] = []
    contents: list[Json] = []
    for turn in request.turns:
        parts = parts_of(turn.content, way)
        if turn.role in ("system", "developer"):
            system += parts
        elif own:
            contents.append(written({"role": _role(turn), "parts": parts}, turn.extra))
        elif parts:
            _append(contents, _role(turn), parts)
        if turn.name:
            notes.lost("name")
    if not own:
        for content in contents:
            _order(content["parts"], signed=content["role"] == "model" and not older)
        if not contents:  # a conversation of system turns alone
            return [], [{"role": "user", "parts": system}]
    return system, contents


def _role(turn: Turn) -> str:
    return "model" if turn.role == "assistant" else "user"


def _append(contents: list[Json], role: str, parts: list[Json]) -> None:
    if contents and contents[-1]["role"] == role:
        contents[-1]["parts"] += parts
    else:
        contents.append({"role": role, "parts": parts})


def _order(parts: list[Json], *, signed: bool) -> None:
    parts.sort(key=lambda part: "functionResponse" not in part)
    call = next((part for part in parts if "functionCall" in part), None) if signed else None
    if call is not None and "thoughtSignature" not in call:
        call["thoughtSignature"] = _UNSIGNED


def parts_of(parts: list[Part], way: Way) -> list[Json]:
    """Parts in order; what cannot be told is left out and noted."""
    told: list[Json] = []
    for part in parts:
        told += _WRITE[type(part)](part, way)
        if getattr(part, "cache", None) is not None:
            way.notes.lost("cache_control")
    return told


def _text(part: Text, way: Way) -> list[Json]:
    if way.own:
        return [written({"text": part.text, "thoughtSignature": part.signature or None}, part.extra)]
    if part.citations:
        way.notes.lost("citations")
    told = written({"text": part.text, "thoughtSignature": part.signature or None})
    return [told] if part.text or part.signature else []


def _reasoning(part: Reasoning, way: Way) -> list[Json]:
    """Thinking of another model means nothing to Gemini; a client sends it back as it came."""
    if part.origin != NAME and not way.answer and not way.own:
        return []
    told = {"text": part.text, "thought": True, "thoughtSignature": sealed(part) or None}
    return [written(told, part.extra if way.own else None)]


def _refusal(part: Refusal, way: Way) -> list[Json]:
    return [{"text": part.text}]


def _native(part: Native, way: Way) -> list[Json]:
    if part.dialect == NAME:
        return [part.value]
    way.notes.lost(f"content[type={part.kind}]")
    return []


def _call(part: Call, way: Way) -> list[Json]:
    known = None if part.id.startswith(MADE) else part.id or None
    inner = {"id": known, "name": part.name, "args": object_text(part.arguments)}
    return [_whole("functionCall", written(inner), part.signature, part.extra if way.own else None)]


def _result(part: Result, way: Way) -> list[Json]:
    """A ``functionResponse``; for models that take no media in it, they follow it."""
    text = "\n".join([one.text for one in part.content if type(one) is Text])
    media = [one for one in part.content if type(one) is Media]
    if len([one for one in part.content if type(one) in (Text, Media)]) != len(part.content):
        way.notes.lost("content of a tool's result that is neither text nor media")
    inner = {
        "id": None if part.call.startswith(MADE) else part.call or None,
        "name": part.name or way.names.get(part.call) or part.call,
        "response": response_of(text, failed=part.failed),
        "parts": [_blob(one, way) for one in media] if media and (way.own or way.nested) else None,
    }
    told = [_whole("functionResponse", written(inner), "", part.extra if way.own else None)]
    if not (way.own or way.nested):
        told += [_blob(one, way) for one in media]
    return told


def _media(part: Media, way: Way) -> list[Json]:
    return [_blob(part, way)]


def _blob(part: Media, way: Way) -> Json:
    if part.text:
        return {"text": part.text}
    if part.detail not in ("", "auto"):
        way.notes.lost("detail")
    extra, name = (part.extra, part.name or None) if way.own else (None, None)
    address = part.url or part.file
    kind = part.type or None if way.own else part.type or _type(part.kind, address)
    if address:
        if not (way.own or way.answer or "://" in address):
            raise MalformedChat(f"file: {address!r} is kept by another provider, send its bytes or its address.")
        told = {"mimeType": kind, "fileUri": address, "displayName": name}
        return _whole("fileData", written(told), part.signature, extra)
    told = {"mimeType": kind, "data": part.data, "displayName": name}
    return _whole("inlineData", written(told), part.signature, extra)


def _type(kind: str, address: str) -> str:
    """What a file whose media type is not told probably is."""
    name = address.partition("?")[0].rpartition(".")[2].lower()
    return _BY_NAME.get(name, _TYPES.get(kind, "application/octet-stream"))


def _whole(name: str, inner: Json, signature: str, extra: Extra) -> Json:
    """A part with an object in it; each with what only Gemini has."""
    if extra is not None:
        inner = inner | extra.get(name, {})
        extra = {other: value for other, value in extra.items() if other != name}
    return written({name: inner, "thoughtSignature": signature or None}, extra)


_WRITE: dict[type, Callable[[Any, Way], list[Json]]] = {
    Text: _text,
    Media: _media,
    Call: _call,
    Result: _result,
    Reasoning: _reasoning,
    Refusal: _refusal,
    Native: _native,
}
