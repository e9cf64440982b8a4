"""A stream of Gemini that is one JSON list: the answers in it."""

from collections.abc import Iterator

from penstock.core.codec import DecodeError, Raw, decoder
from penstock.providers.dialects._shapes.values import BOM, OBJECTS

_LATEST = 64  # answers that are read: what counts is in the last
_BETWEEN = b"\n,"  # two of them: within one, no line begins with a comma, and no text has a line feed in it

_decode = decoder(list[Raw]).decode


def is_list(body: bytes) -> bool:
    """Whether a body is a list, or the beginning of one."""
    return body[:64].removeprefix(BOM).lstrip().startswith(b"[")


def latest(body: bytes, *, whole: bool = True) -> Iterator[bytes]:
    """The last answers of a list, the first of them first, also of one that was cut.

    ``whole``: the list begins where ``body`` does, else somewhere before.
    """
    parts = body.rsplit(_BETWEEN, _LATEST)
    if len(parts) > _LATEST or not whole:
        del parts[0]
    elif len(parts) == 1:
        yield from _compact(body)
        return
    else:
        parts[0] = parts[0].removeprefix(BOM).lstrip().removeprefix(b"[")
    for part in parts:
        yield part.rstrip().removesuffix(b"]")


def _compact(body: bytes) -> Iterator[bytes]:
    """The answers of a list that has no line ends between them."""
    plain = body.removeprefix(BOM).strip()
    try:
        yield from map(bytes, _decode(plain) if plain.count(b"{") <= OBJECTS else ())
    except DecodeError:
        yield plain.removeprefix(b"[").removesuffix(b"]")  # the only answer of a list that was cut
