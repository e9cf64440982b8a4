"""Writes another model's name into a request body, and leaves every other byte as it is."""

from collections.abc import Callable

from penstock.core.codec import DecodeError, Raw, decoder, encode

_TRIES = 8
_SPACE = b" \t\r\n"
_FAR = 210  # bytes before the value, in which its member's name stands
_members = decoder(dict[str, Raw]).decode


def renamed(body: bytes, old: str, new: str, read: Callable[[bytes], str]) -> bytes | None:
    """The body with ``model`` changed. ``read`` tells a body's model, which ``old`` is.

    The name may also stand deeper inside; the replacement that shows when the body is read is the right one. Where the
    name is written with escapes, the members are written anew, in their order. None: it is no object.
    """
    name, value = encode(new), encode(old)
    tries, at = _TRIES, body.find(value)
    while at >= 0 and tries:
        if _names_model(body[max(at - _FAR, 0) : at]):
            rest = memoryview(body)  # a large body is copied once
            put = b"".join((rest[:at], name, rest[at + len(value) :]))
            if read(put) == new:
                return put
            tries -= 1
        at = body.find(value, at + len(value))
    try:
        members = _members(body)
    except DecodeError:
        return None
    members["model"] = Raw(name)
    return encode(members)


def _names_model(before: bytes) -> bool:
    """Whether what stands before a value is the name of the member ``model``."""
    before = before.rstrip(_SPACE)
    return before.endswith(b":") and before[:-1].rstrip(_SPACE).endswith(b'"model"')
