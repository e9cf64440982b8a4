"""Values replaced in JSON. What no path leads to stays as it was written."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast

from penstock.core.codec import DecodeError, Raw, decode, decoder, encode
from penstock.providers.redact.paths import Tree

REDACTED = "[redacted]"

_MASK = Raw(encode(REDACTED))
_SPACE = b" \t\r\n"
_members = decoder(dict[str, Raw]).decode
_elements = decoder(list[Raw]).decode


class Damaged(Exception):
    """Something of which nobody can say that it holds none of the values."""


def replaced(data: bytes, tree: Tree, taken: list[bytes]) -> bytes:
    """The JSON without the values; ``taken`` gets those. Raises Damaged where it is no JSON."""
    try:
        (value,) = _elements(b"[%b]" % data)  # within a list even what is only passed on is judged
        return bytes(_without(value, tree, taken))
    except (*DecodeError, ValueError) as error:
        raise Damaged from error


def _without(value: Raw, tree: Tree, taken: list[bytes]) -> Raw:
    data = bytes(value)
    if tree.whole:
        taken.append(data)
        return _MASK
    kind = data.lstrip(_SPACE)[:1]
    if kind == b"{" and tree.members:
        members = _members(data)
        for name, part in tree.members.items():
            if name in members:
                members[name] = _without(members[name], part, taken)
        return Raw(encode(members))
    if kind == b"[" and (tree.elements or tree.every):
        elements = _elements(data)
        for place, part in tree.elements.items():
            if place < len(elements):
                elements[place] = _without(elements[place], part, taken)
        if every := tree.every:
            elements = [_without(element, every, taken) for element in elements]
        return Raw(encode(elements))
    return value


def texts(taken: list[bytes]) -> set[str]:
    """The texts and numbers that were taken out, but what is none that could be quoted."""
    found = set[str]()
    for data in taken:
        with suppress(*DecodeError, ValueError):
            found.update(_texts(decode(data)))
    return found


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
