"""Writes another model's name into a request body, and leaves every other byte as it is."""

import re
from collections.abc import Callable

from penstock.core.codec import DecodeError, Raw, decoder, encode

_TRIES = 8
_members = decoder(dict[str, Raw]).decode


def renamed(body: bytes, old: str, new: str, read: Callable[[bytes], str]) -> bytes | None:
    """The body with ``model`` changed. ``read`` tells a body's model, which ``old`` is.

    The name may also stand deeper inside; the replacement that shows when the body is read is the right one. Where the
    name is written with escapes, the members are written anew, in their order. None: it is no object.
    """
    name = encode(new)
    pattern = re.compile(rb'"model"\s{0,99}:\s{0,99}' + re.escape(encode(old)))
    for _, match in zip(range(_TRIES), pattern.finditer(body), strict=False):
        begin = match.end() - len(encode(old))
        rest = memoryview(body)  # a large body is copied once
        put = b"".join((rest[:begin], name, rest[match.end() :]))
        if read(put) == new:
            return put
    try:
        members = _members(body)
    except DecodeError:
        return None
    members["model"] = Raw(name)
    return encode(members)
