"""Bodies, looked into for the members of a shape: all of a small one, the edges of a large one."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from penstock.core.codec import DecodeError, Struct
from penstock.providers.dialects._shapes.values import BOM, SHORT

S = TypeVar("S", bound=Struct)

WHOLE = 1 << 20  # bytes of a body that is looked through; of a larger one,
EDGE = 1 << 17  # so many at its beginning and at its end
_TRIES = 6  # places in an edge where a member is looked for

# a short value behind a member's name; an object may hold objects, as a usage object does
_VALUE = rb'"\s{0,99}:\s{0,99}(?:"(?:[^"\\]|\\.){0,512}"|[-\w.+]{1,40}|\{(?:[^{}]|\{[^{}]{0,4096}\}){0,4096}\})'


def read(body: bytes, decode: Callable[[bytes], S], members: tuple[bytes, ...]) -> S | None:
    """A JSON object's members; None where it is none. Of a large body, those of ``members`` in its edges alone."""
    if len(body) > WHOLE:
        return read_edges(body[:EDGE], body[-EDGE:], decode, members)
    try:
        return decode(body)
    except DecodeError:
        plain = _mended(body)
    try:
        return None if plain is body else decode(plain)
    except DecodeError:
        return None


def read_edges(head: bytes, tail: bytes, decode: Callable[[bytes], S], members: tuple[bytes, ...]) -> S | None:
    """The same of a body of which only the beginning and the end are here.

    What is found there is the body's own member if all before it, or all after it, makes a whole object with it.
    """
    begun = _first(decode, (head[:end] + b"}" for end in sorted(_ends(head, members), reverse=True)[:_TRIES]))
    ended = _first(decode, (b"{" + tail[at:] for at in sorted(_begins(tail, members))[:_TRIES]))
    if begun is None or ended is None:
        return ended or begun
    for member in members:
        if not len(getattr(ended, member.decode())):
            setattr(ended, member.decode(), getattr(begun, member.decode()))
    return ended


def _ends(head: bytes, members: tuple[bytes, ...]) -> Iterator[int]:
    """Where the first value behind each of these names ends."""
    for member in members:
        if (match := re.search(b'"' + member + _VALUE, head)) is not None:
            yield match.end()


def _begins(tail: bytes, members: tuple[bytes, ...]) -> Iterator[int]:
    """Where each of these names stands for the last time, and for the time before that."""
    for member in members:
        at = len(tail)
        for _ in range(2):
            if (at := tail.rfind(b'"' + member + b'"', 0, at)) >= 0:
                yield at
            else:
                break


def _first(decode: Callable[[bytes], S], candidates: Iterable[bytes]) -> S | None:
    return next((found for one in candidates if (found := read(one, decode, ())) is not None), None)


def _mended(body: bytes) -> bytes:
    """The body as JSON's reader takes it: without a byte order mark, and with other characters in the place of those
    that are written as surrogates, which may lack their other half. Nobody reads those texts.
    """
    body = body.removeprefix(BOM)
    return body.replace(rb"\ud", rb"\u0").replace(rb"\uD", rb"\u0") if rb"\u" in body else body


def read_listed(body: bytes, decode: Callable[[bytes], list[S]]) -> S | None:
    """The first object of a short list, as which some tell an error."""
    try:
        found = decode(body) if len(body) <= SHORT else []
    except DecodeError:
        return None
    return found[0] if found else None
