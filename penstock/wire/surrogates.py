r"""JSON in which half a surrogate pair is escaped (``"\ud800"``), as JavaScript writes a text that it has cut in two.

Providers take it. Our reader refuses it, also where it only looks for the end of a value. So other escapes stand in the
place of these while the values are found, and each value is turned back into what it was.
"""

import re
from collections.abc import Callable

_HALVES = (rb"\ud", rb"\uD")
_MOST = 1 << 16  # of each that are replaced: a body of nothing else would take a quarter of a second
_OTHERS = [b"\\u" + digit for digit in (b"E", b"B", b"A", b"C", b"e", b"b", b"a", b"c")]
_ESCAPE = re.compile(  # each in turn, so that a backslash which is escaped begins none
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)

Back = Callable[[bytes], bytes]


def without(body: bytes) -> tuple[bytes, Back] | None:
    """The body with other escapes in the place of surrogates, and what turns a part of it back.

    None: there are none, or too many, or the body has every escape that could stand for them.
    """
    found = [half for half in _HALVES if half in body]
    free = (other for other in _OTHERS if other not in body)
    pairs = list(zip(found, free, strict=False))
    if not found or len(pairs) < len(found) or any(body.count(half) > _MOST for half in found):
        return None
    for half, other in pairs:
        body = body.replace(half, other)

    def back(part: bytes) -> bytes:
        for half, other in pairs:
            part = part.replace(other, half)
        return part

    return body, back


def replaced(text: bytes) -> bytes:
    """JSON with U+FFFD in the place of each half that lacks its other."""
    return _ESCAPE.sub(lambda match: rb"\ufffd" if match[1] else match[0], text)
