"""Blocks of an answer of Converse.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
"""

from typing import Any

from penstock.model.chat import Call, Citation, Media, Native, Part, Reasoning, Text
from penstock.providers.dialects._shapes.members import Members, list_or_none, object_or_none, text_of
from penstock.providers.dialects.bedrock_converse.chat.words import NAME, Json


def part_of(block: Members) -> Part:  # noqa: PLR0911  a table
    """One block: an object with one member, which says what it is."""
    match block.left:
        case {"text": str(text)}:
            return Text(text)
        case {"toolUse": {**tool}} if "type" not in tool:
            return Call(str(tool.get("toolUseId") or ""), str(tool.get("name") or ""), text_of(tool.get("input")))
        case {"reasoningContent": {"reasoningText": {**told}}}:
            return Reasoning(str(told.get("text") or ""), str(told.get("signature") or ""), origin=NAME)
        case {"reasoningContent": {"redactedContent": str(sealed)}}:
            return Reasoning("", sealed=sealed, origin=NAME)
        case {"citationsContent": {**told}}:
            return _cited(told)
        case {"image": {"format": str(kind), "source": {"bytes": str(data)}}}:
            return Media("image", f"image/{kind}", data)
        case _:
            return Native(NAME, block.left)


def _cited(told: Json) -> Text:
    citations = [citation_of(one) for one in map(object_or_none, list_or_none(told.get("citations")) or ()) if one]
    return Text(_text(told.get("content")), citations or None)


def citation_of(told: Json) -> Citation:
    """A web page's address, or what names a document; the place is one in the source."""
    web = object_or_none((object_or_none(told.get("location")) or {}).get("web")) or {}
    source = str(told.get("source") or "")
    url = str(web.get("url") or "") or (source if "://" in source else "")
    return Citation(url, str(told.get("title") or ""), _text(told.get("sourceContent")))


def _text(pieces: Any) -> str:
    return "".join([str(one.get("text") or "") for one in map(object_or_none, list_or_none(pieces) or ()) if one])
