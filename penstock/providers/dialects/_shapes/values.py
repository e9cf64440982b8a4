"""Values of members, each read only as far as it is short and of the kind that is wanted."""

from collections.abc import Callable
from typing import TypeVar

from penstock.core.codec import DecodeError, Raw, Struct, decoder

S = TypeVar("S", bound=Struct)

NOTHING = Raw(b"")
BOM = b"\xef\xbb\xbf"
NAME_LIMIT = 256  # characters: names are remembered and stored, and callers choose them
SHORT = 16 * 1024  # bytes of an object that is decoded: options, usage
LONG = 1 << 20  # bytes of a text of which the beginning is a name
DIGITS = 9  # of a number that is counted with
OBJECTS = 4096  # in a list that is decoded
NO_OBJECT = "the answer is no JSON object, or its beginning and end do not show it"
TOO_LONG = f"the usage object has more than {SHORT} bytes"

_decode_text = decoder(str).decode


def name(raw: Raw) -> str:
    """A model's name, or a tier's, as far as names go; empty where it is not a text."""
    if not 0 < len(raw) <= LONG:
        return ""
    text = bytes(raw)
    try:
        return _decode_text(text)[:NAME_LIMIT] if text.startswith(b'"') else ""
    except DecodeError:
        return ""


def whole(raw: Raw) -> int:
    """A whole number above 0, of nine digits at most; 0: it is none."""
    text = bytes(raw) if 0 < len(raw) <= DIGITS else b""
    return int(text) if text.isdigit() else 0


def is_true(raw: Raw) -> bool:
    """Whether a member is true."""
    return len(raw) == 4 and bytes(raw) == b"true"  # noqa: PLR2004


def is_false(raw: Raw) -> bool:
    """Whether a member is false."""
    return len(raw) == 5 and bytes(raw) == b"false"  # noqa: PLR2004


def present(raw: Raw) -> bool:
    """Whether a member was there and not null."""
    return len(raw) > 4 or bytes(raw) not in (b"", b"null")  # noqa: PLR2004


def is_object(raw: Raw) -> bool:
    """Whether a member is an object, however large."""
    return bytes(memoryview(raw)[:1]) == b"{"


def short(raw: Raw) -> bytes:
    """A member that is an object and short; else empty."""
    return text if len(raw) <= SHORT and (text := bytes(raw)).startswith(b"{") else b""


def items_of(raw: Raw, decode: Callable[[bytes], list[S]]) -> list[S] | None:
    """A list of objects; None: it cannot be read, or has too many objects in it."""
    text = bytes(raw)
    if text.count(b"{") > OBJECTS:
        return None
    try:
        return decode(text)
    except DecodeError:
        return None


def usage_of(raw: Raw) -> tuple[bytes, str]:
    """A usage object as it is read and kept; empty, and why, where it is not."""
    if not present(raw):
        return b"", ""
    if len(raw) > SHORT:
        return b"", TOO_LONG
    return bytes(raw), ""
