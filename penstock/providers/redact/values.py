"""Values replaced in JSON."""

from collections.abc import Iterator
from typing import Any, cast

from penstock.core.codec import DecodeError, decode, encode
from penstock.providers.redact.paths import Tree

REDACTED = "[redacted]"


class Damaged(Exception):
    """Something of which nobody can say that it holds none of the values."""


def replaced(data: bytes, tree: Tree, taken: list[Any]) -> bytes:
    """The JSON without the values; ``taken`` gets those. Raises Damaged where it is no JSON."""
    try:
        return encode(_without(decode(data), tree, taken))
    except (*DecodeError, ValueError) as error:
        raise Damaged from error


def _without(value: Any, tree: Tree, taken: list[Any]) -> Any:
    if tree.whole:
        taken.append(value)
        return REDACTED
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        for name, part in tree.members.items():
            if name in members:
                members[name] = _without(members[name], part, taken)
    elif isinstance(value, list):
        elements = cast("list[Any]", value)
        for place, part in tree.elements.items():
            if place < len(elements):
                elements[place] = _without(elements[place], part, taken)
        if every := tree.every:
            elements[:] = [_without(element, every, taken) for element in elements]
    return cast("Any", value)


def texts(taken: list[Any]) -> set[str]:
    """The texts and numbers that were taken out."""
    return {text for value in taken for text in _texts(value)}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in cast("dict[str, Any]", value).values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in cast("list[Any]", value):
            yield from _texts(part)
    elif not isinstance(value, bool | None):
        yield str(value)
