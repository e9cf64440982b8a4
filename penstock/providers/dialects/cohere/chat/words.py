"""Words of Cohere that have others in the neutral form: why a model stopped, what it used, what it cites."""

from typing import Any

from penstock.model.chat import Citation, StopReason, Usage
from penstock.providers.dialects._shapes.members import list_or_none, object_or_none

NAME = "cohere"
Json = dict[str, Any]

_READ = {
    "COMPLETE": StopReason.END,
    "STOP_SEQUENCE": StopReason.SEQUENCE,
    "MAX_TOKENS": StopReason.LENGTH,
    "TOOL_CALL": StopReason.TOOLS,
    "ERROR": StopReason.ERROR,
    "TIMEOUT": StopReason.ERROR,
}


def stop_of(word: str) -> str:
    """The neutral reason; a word that is not known means the ordinary end."""
    return _READ.get(word, StopReason.END) if word else ""


def usage_of(told: Json) -> Usage:
    """What is billed, or where that is not told, the tokens that the model saw."""
    units = object_or_none(told.get("billed_units")) or object_or_none(told.get("tokens")) or {}
    cached = told.get("cached_tokens")
    return Usage(
        _count(units, "input_tokens"),
        _count(units, "output_tokens"),
        cache_read=cached if type(cached) is int else None,
    )


def citations_of(told: Json) -> list[Citation]:
    """One for each source of a piece of the text. A source of which no page is told is named by its id."""
    start, end, quoted = told.get("start"), told.get("end"), told.get("text")
    places = (start if type(start) is int else None, end if type(end) is int else None)
    found: list[Citation] = []
    for source in map(object_or_none, list_or_none(told.get("sources")) or ()):
        if source is not None:
            page = object_or_none(source.get("document")) or object_or_none(source.get("tool_output")) or {}
            title = page.get("title") or source.get("id") or ""
            found.append(Citation(str(page.get("url") or ""), str(title), str(quoted or ""), *places))
    return found


def is_of_text(told: Json) -> bool:
    """Whether a citation is of the answer's text, and not of a plan or of thinking."""
    return told.get("type") in (None, "TEXT_CONTENT")


def _count(told: Json, name: str) -> int | None:
    """Billed units are written as floats."""
    value = told.get(name)
    return int(value) if isinstance(value, int | float) else None
