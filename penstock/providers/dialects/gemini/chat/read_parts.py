"""Parts of Gemini's contents, of requests and of answers.

https://ai.google.dev/api/caching#Part
"""

from collections.abc import Callable
from typing import Any

from penstock.core.codec import encode
from penstock.model.chat import Call, Extra, Media, Native, Part, Result, Text
from penstock.providers.dialects._shapes.members import Members, object_or_none, text_of
from penstock.providers.dialects.gemini.chat.sealing import opened
from penstock.providers.dialects.gemini.chat.words import NAME, response_of

_KEPT = ("https://generativelanguage.googleapis.com/", "gs://")  # begin addresses of files that Google keeps


def parts_of(content: Members, made: Callable[[], str]) -> list[Part]:
    """``made`` gives an id to a call that has none."""
    return [part_of(one, made) for one in content.objects("parts")]


def part_of(told: Members, made: Callable[[], str]) -> Part:
    """One part. What only Gemini has stays as it stands: code it ran, thinking in images."""
    has = told.left
    kind = next((name for name in _KINDS if has.get(name) is not None), "")
    if has.get("thought") and kind == "text":
        told.any("thought")
        thought = opened(told.text("text"), told.text("thoughtSignature"))
        thought.extra = told.rest()
        return thought
    if has.get("thought") or not (kind or has.keys() <= {"text", "thought", "thoughtSignature"}):
        return Native(NAME, told.rest() or {})
    told.any("thought")
    signature = told.text("thoughtSignature")
    inner = None if kind == "text" else told.object(kind)
    if inner is None:
        return Text(told.text("text"), signature=signature, extra=told.rest())
    if kind == "functionCall":
        name, call, arguments = inner.text("name"), inner.text("id") or made(), text_of(inner.any("args"))
        return Call(call, name, arguments, signature=signature, extra=_extra(told, kind, inner))
    if kind == "functionResponse":
        return _result(told, inner)
    media = media_of(inner, inline=kind == "inlineData")
    media.signature = signature
    media.extra = _extra(told, kind, inner)
    return media


_KINDS = ("text", "functionCall", "functionResponse", "inlineData", "fileData")


def media_of(told: Members, *, inline: bool) -> Media:
    """A blob, or a file by its address."""
    kind, name = told.text("mimeType"), told.text("displayName")
    family = kind.partition("/")[0]
    media = Media(family if family in ("image", "audio", "video") else "document", kind, name=name)
    if inline:
        media.data = told.text("data")
    elif (uri := told.text("fileUri")).startswith(_KEPT):
        media.file = uri
    else:
        media.url = uri
    return media


def _result(told: Members, inner: Members) -> Result:
    """What is not spelt as ``response_of`` does is kept as it stood, beside its text."""
    call, name = inner.text("id"), inner.text("name")
    response = object_or_none(inner.any("response")) or {}
    failed = response.keys() == {"error"}
    value: Any = next(iter(response.values())) if response.keys() <= _PLAIN and len(response) == 1 else response
    text = value if isinstance(value, str) else encode(value).decode()
    content: list[Part] = [Text(text)]
    for one in inner.objects("parts"):
        blob, file = one.object("inlineData"), one.object("fileData")
        if (media := blob or file) is not None:
            content.append(media_of(media, inline=media is blob))
    if response_of(text, failed=failed) != response:
        inner.left["response"] = response
    extra = _extra(told, "functionResponse", inner)
    return Result(call, content, name, failed, extra=extra)


_PLAIN = {"output", "result", "error"}


def _extra(told: Members, name: str, inner: Members) -> Extra:
    """What else the part has, and under its name what the object in it has."""
    extra, more = told.rest(), inner.rest()
    return extra if more is None else {**(extra or {}), name: more}
