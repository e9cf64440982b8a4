"""JSON in which the long texts are set aside, so that finding its members takes little time in one go.

Most of a large body is pictures or documents: long texts, whose ends are found at once. What is left of such a body is
small. A body of which much is left has more members than anyone needs, and is not read.
"""

import asyncio
import re
import secrets
from collections.abc import Callable

DIRECT = 1 << 18  # bytes of a body of which nothing is set aside
MOST = 6 << 20  # bytes that may be left, and
MEMBERS = 500_000  # commas and opening brackets among them
QUOTES = 500_000  # quotation marks of the whole body
_SHORT = 256  # bytes of a text that is left where it is, and
_FEW = 8192  # texts of a large body that are set aside at most
_SLICE = 2048  # quotation marks that are looked at in one go
_RUN = 1 << 16  # backslashes in a row, which no text has
_ESCAPE = ord("\\")

Back = Callable[[bytes], bytes]


async def without(body: bytes) -> tuple[bytes, Back] | None:
    """The body with short texts in the place of long ones, and what turns a part of it back.

    None: too much is left. Lets others run meanwhile.
    """
    spans = await _long(body)
    if spans is None or len(body) - sum(end - start for start, end in spans) > MOST:
        return None
    mark = secrets.token_hex(8)  # nobody can have put it into the body
    pieces: list[bytes] = []
    at = 0
    for number, (start, end) in enumerate(spans):
        pieces += (body[at:start], f'"{mark}{number}"'.encode())
        at = end
    left = b"".join([*pieces, body[at:]])
    if len(left) > MOST or sum(left.count(sign) for sign in (b",", b"[", b"{")) > MEMBERS:
        return None
    place = re.compile(rb'"%b(\d+)"' % mark.encode())
    whole = memoryview(body)

    def back(part: bytes) -> bytes:
        pieces: list[bytes | memoryview] = [*place.split(part)]
        if len(pieces) == 1:
            return part
        for at in range(1, len(pieces), 2):
            start, end = spans[int(pieces[at])]
            pieces[at] = whole[start:end]
        return b"".join(pieces)

    return left, back


async def _long(body: bytes) -> list[tuple[int, int]] | None:
    """Where long texts begin and end, quotation marks included; None: the body is too odd to tell."""
    long = max(_SHORT, len(body) // _FEW)
    spans: list[tuple[int, int]] = []
    at = seen = 0
    start = -1  # of the text that has not ended
    while (mark := body.find(b'"', at)) >= 0:
        seen += 1
        if not seen % _SLICE:
            if seen > QUOTES:
                return None
            await asyncio.sleep(0)
        at, before = mark + 1, at
        if start < 0:
            start = mark
            continue
        escapes = int(body[mark - 1] == _ESCAPE)
        if escapes and body[mark - 2] == _ESCAPE:
            run = body[max(before, mark - _RUN) : mark]
            escapes = len(run) - len(run.rstrip(b"\\"))
        if escapes == _RUN:
            return None
        if escapes % 2 == 0:  # they escape one another, and not the mark
            if mark - start > long:
                spans.append((start, mark + 1))
            start = -1
    return spans
