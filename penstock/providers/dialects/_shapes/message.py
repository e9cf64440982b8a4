"""How a message is put together from the chunks of a stored stream, for the log.

A stored stream may hold millions of values, so chunks are decoded one at a time, and the pieces of a text are joined
once. A chunk that is not what it seems to be is left out, as is one that is too large for a piece of a message.
"""

from collections.abc import Callable, Iterable
from typing import Any

from penstock.core.codec import DecodeError, decode

_LARGE = 64 * 1024  # bytes of a chunk from which on it is not decoded: no piece of a message is so long
_MANY = 1000  # lists and objects in it, likewise
_ODD = (*DecodeError, AttributeError, IndexError, KeyError, TypeError, ValueError)  # what comes of other chunks

Members = dict[str, Any]


def take_each(chunks: Iterable[bytes], take: Callable[[Any], None]) -> None:
    """Hands on the chunks, decoded. ``take`` may assume that each is what it seems to be."""
    for data in chunks:
        if len(data) > _LARGE or data.count(b"[") + data.count(b"{") > _MANY:
            continue
        try:
            take(decode(data))
        except _ODD:
            continue


class Texts(Members):
    """Members of an object, of which texts grow."""

    def grow(self, name: str, text: str) -> None:
        """Adds a piece to a text."""
        said = self.get(name)
        if isinstance(said, _Pieces):
            said.append(text)
        else:
            self[name] = _Pieces([*([said] if isinstance(said, str) else []), text])

    def joined(self) -> Members:
        """The members with their whole texts."""
        return {name: "".join(value) if isinstance(value, _Pieces) else value for name, value in self.items()}


class _Pieces(list[str]):
    """Of a text."""
