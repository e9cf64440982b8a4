"""What an answer of Gemini is grounded on, and the citations of its text.

https://ai.google.dev/api/generate-content#GroundingMetadata
"""

from collections.abc import Iterable
from typing import Any

from penstock.model.chat import Citation
from penstock.providers.dialects._shapes.members import list_or_none, object_or_none, written

Json = dict[str, Any]


def citations_of(told: Json, text: str) -> list[Citation]:
    """Those of a ``groundingMetadata``; its places are bytes of ``text``."""
    sources = [_source(one) for one in list_or_none(told.get("groundingChunks")) or ()]
    supports = [object_or_none(one) or {} for one in list_or_none(told.get("groundingSupports")) or ()]
    segments = [object_or_none(one.get("segment")) or {} for one in supports]
    places = _characters(text, [one.get(name) for one in segments for name in ("startIndex", "endIndex")])
    found: list[Citation] = []
    for support, segment in zip(supports, segments, strict=True):
        end = places.get(segment.get("endIndex"))
        start = None if end is None else places.get(segment.get("startIndex"), 0)
        for number in list_or_none(support.get("groundingChunkIndices")) or ():
            if type(number) is int and 0 <= number < len(sources):
                url, title = sources[number]
                found.append(Citation(url, title, _text(segment.get("text")), start, end))
    return found or [Citation(url, title) for url, title in sources if url]


def written_grounding(citations: list[Citation], text: str) -> Json | None:
    """A ``groundingMetadata``, of citations with places; None: nothing is cited."""
    if not citations:
        return None
    sources = {one.url: {"web": written({"uri": one.url, "title": one.title or None})} for one in citations}
    numbers = {url: number for number, url in enumerate(sources)}
    places = _bytes(text, [place for one in citations for place in (one.start, one.end)])
    supports: list[Json] = []
    for one in citations:
        segment = {
            "startIndex": places.get(one.start),
            "endIndex": places.get(one.end),
            "text": one.quoted or text[one.start or 0 : one.end],
        }
        supports.append({"segment": written(segment), "groundingChunkIndices": [numbers[one.url]]})
    return {"groundingChunks": [*sources.values()], "groundingSupports": supports}


def _characters(text: str, places: list[Any]) -> dict[Any, int]:
    """Where the bytes at these places are among the characters."""
    known = _places(places)
    if text.isascii():
        return {place: place for place in known}
    whole = text.encode("utf-8", "replace")
    made: dict[Any, int] = {}
    before = characters = 0
    for place in known:
        characters += len(whole[before:place].decode("utf-8", "ignore"))
        before = place
        made[place] = characters
    return made


def _bytes(text: str, places: list[Any]) -> dict[Any, int]:
    """Where the characters at these places are among the bytes."""
    known = _places(places)
    if text.isascii():
        return {place: place for place in known}
    made: dict[Any, int] = {}
    before = size = 0
    for place in known:
        size += len(text[before:place].encode("utf-8", "replace"))
        before = place
        made[place] = size
    return made


def _places(places: Iterable[Any]) -> list[int]:
    return sorted({place for place in places if type(place) is int and place >= 0})


def _source(told: object) -> tuple[str, str]:
    """Address and title, whatever kind of source it is."""
    for one in (object_or_none(told) or {}).values():
        if (source := object_or_none(one)) is not None:
            return _text(source.get("uri")), _text(source.get("title"))
    return "", ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
