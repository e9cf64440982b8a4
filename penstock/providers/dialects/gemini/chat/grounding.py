"""What an answer of Gemini is grounded on, and the citations of its text.

https://ai.google.dev/api/generate-content#GroundingMetadata
"""

from typing import Any

from penstock.model.chat import Citation
from penstock.providers.dialects._shapes.members import list_or_none, object_or_none, written

Json = dict[str, Any]


def citations_of(told: Json, text: str) -> list[Citation]:
    """Those of a ``groundingMetadata``; its places are bytes of ``text``."""
    sources = [_source(one) for one in list_or_none(told.get("groundingChunks")) or ()]
    found: list[Citation] = []
    plain = text.isascii()
    whole = b"" if plain else text.encode("utf-8", "replace")
    for one in list_or_none(told.get("groundingSupports")) or ():
        support = object_or_none(one) or {}
        segment = object_or_none(support.get("segment")) or {}
        start, end = (_place(segment.get(name), plain, whole) for name in ("startIndex", "endIndex"))
        for number in list_or_none(support.get("groundingChunkIndices")) or ():
            if type(number) is int and 0 <= number < len(sources):
                url, title = sources[number]
                found.append(Citation(url, title, _text(segment.get("text")), None if end is None else start or 0, end))
    return found or [Citation(url, title) for url, title in sources if url]


def written_grounding(citations: list[Citation], text: str) -> Json | None:
    """A ``groundingMetadata``; None: nothing is cited."""
    if not citations:
        return None
    sources = {one.url: {"web": written({"uri": one.url, "title": one.title or None})} for one in citations}
    places = {url: number for number, url in enumerate(sources)}
    supports: list[Json] = []
    for one in citations:
        if one.end is None:
            continue
        start = len(text[: one.start or 0].encode("utf-8", "replace"))
        end = start + len(text[one.start or 0 : one.end].encode("utf-8", "replace"))
        segment = {"startIndex": start, "endIndex": end, "text": one.quoted or text[one.start or 0 : one.end]}
        supports.append({"segment": segment, "groundingChunkIndices": [places[one.url]]})
    return {"groundingChunks": [*sources.values()], "groundingSupports": supports}


def _source(told: object) -> tuple[str, str]:
    """Address and title, whatever kind of source it is."""
    for one in (object_or_none(told) or {}).values():
        if (source := object_or_none(one)) is not None:
            return _text(source.get("uri")), _text(source.get("title"))
    return "", ""


def _place(value: object, plain: bool, whole: bytes) -> int | None:  # noqa: FBT001
    if type(value) is not int:
        return None
    return value if plain else len(whole[:value].decode("utf-8", "ignore"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
