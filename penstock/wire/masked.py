"""What the log says of a word that a client chose: never a token of ours, wherever it stood."""

from functools import lru_cache

from penstock.wire.credentials import Known, along
from penstock.wire.headers import like_ours

MASK = "***"
LONGEST = 256  # characters of a word that are kept
_REMEMBERED = 1024  # words that are not looked into again: most clients send the same ones


def word(value: bytes) -> str:
    """The value of a header, cut to a length; masked where that holds what looks like a token of ours."""
    return _word(value[: 2 * LONGEST])  # so that a token is seen that the cut would leave a part of


@lru_cache(_REMEMBERED)
def _word(value: bytes) -> str:
    return MASK if like_ours(value) else value[:LONGEST].decode("latin-1")


def path(value: bytes, known: Known[object], limit: int) -> str:
    """A path, cut to a length, with every segment masked that is, holds, or looks like a token of ours."""
    if like_ours(value) or along(value, known):
        value = b"/".join(MASK.encode() if _holds(part, known) else part for part in value.split(b"/"))
        if like_ours(value):  # it reaches over several segments
            return MASK
    return value[:limit].decode("latin-1")


def _holds(part: bytes, known: Known[object]) -> bool:
    return like_ours(part) or along(part, known)
