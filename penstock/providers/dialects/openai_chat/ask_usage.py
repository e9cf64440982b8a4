"""Asks a stream of OpenAI chat for the frame with its usage: ``stream_options.include_usage`` of the request."""

import re

from penstock.core.codec import DecodeError, decode, encode
from penstock.providers.dialects._shapes.asked import ask_of, ask_of_edges
from penstock.providers.dialects._shapes.bodies import EDGE, WHOLE
from penstock.providers.dialects._shapes.values import SHORT, is_true

_TRIES = 8


def ask(body: bytes) -> bytes | None:
    """The body of a stream with ``stream_options.include_usage`` set, where its client did not set it.

    Without ``stream_options`` the member is written after the opening brace; into an object without
    ``include_usage``, likewise; every other byte stays. Null, and an object with ``include_usage: false``, are
    written anew (members and their order stay): that client did not ask for the frame, and will not see it.
    Anything else there is the provider's to refuse.
    """
    asked = ask_of(body)
    if asked is None or not is_true(asked.stream):
        return None
    if not len(asked.stream_options):
        if len(body) > WHOLE and b'"stream_options"' in body:
            return None  # it stands where a large body is not looked at
        after = body.index(b"{") + 1
        rest = memoryview(body)  # a large body is copied once
        return b"".join((rest[:after], b'"stream_options":{"include_usage":true},', rest[after:]))
    options = bytes(asked.stream_options) if len(asked.stream_options) <= SHORT else b""
    asking = _asking(options)
    return None if asking is None else _put(body, options, asking)


def _asking(options: bytes) -> bytes | None:
    """A ``stream_options`` with ``include_usage`` set; None where it is set already, or is neither object nor null."""
    try:
        said = decode(options)
    except DecodeError:
        return None
    if said is None:
        return b'{"include_usage":true}'
    if not isinstance(said, dict):
        return None
    if "include_usage" not in said:
        return options.replace(b"{", b'{"include_usage":true,' if said else b'{"include_usage":true', 1)
    if said["include_usage"] not in (False, None):
        return None
    said["include_usage"] = True
    return encode(said)


def _put(body: bytes, old: bytes, new: bytes) -> bytes | None:
    """The body with its own ``stream_options`` replaced.

    The same may also stand deeper inside; the replacement that shows when the body is read is the right one. Gives
    up (None) after a few, or where the name is written with escapes. Of a large body this is tried in the edges, as
    nothing else of it is read.
    """
    pattern = re.compile(rb'"stream_options"\s{0,99}:\s{0,99}' + re.escape(old))
    cut = EDGE if len(body) > WHOLE else len(body)
    head, tail = body[:cut], body[max(cut, len(body) - cut) :]
    for edge, offset in ((head, 0), (tail, len(body) - len(tail))):
        for _, match in zip(range(_TRIES), pattern.finditer(edge), strict=False):
            begin, end = match.end() - len(old), match.end()
            put = edge[:begin] + new + edge[end:]
            found = ask_of_edges(head, put) if offset else ask_of_edges(put, tail)
            if found is not None and bytes(found.stream_options) == new:
                rest = memoryview(body)  # a large body is copied once
                return b"".join((rest[: offset + begin], new, rest[offset + end :]))
    return None
