"""One field of a form with files (``multipart/form-data``, RFC 7578)."""

import asyncio
import re

_BOUNDARY = re.compile(
    rb'multipart/form-data\s*;(?:[^"]{0,200};)?\s*boundary=(?:"([^"]{1,70})"|([^\s;,"]{1,70})(?=[\s;]|$))',
    re.IGNORECASE,
)
_NAME = re.compile(
    rb'content-disposition:\s*form-data\s*;[^\r\n]{0,200}?\bname="?([^";\r\n]{0,200})"?',
    re.IGNORECASE,
)
_SLICE = 1 << 20  # bytes that are searched in one go
_PARTS = 256
_HEAD = 4096  # bytes of a part's headers
_VALUE = 1024  # bytes of a field that is wanted


def boundary(content_type: bytes) -> bytes | None:
    """What separates the parts; None: it is no form with files."""
    told = _BOUNDARY.match(content_type)
    return None if told is None else told[1] or told[2]


async def field(body: bytes, boundary: bytes, name: bytes) -> slice | None:
    """Where the value of a field stands; None: there is none, or what is there is no form.

    Lets others run meanwhile.
    """
    mark = b"--" + boundary
    if not body.startswith(mark):
        return None
    begin, mark = len(mark), b"\r\n" + mark
    for _ in range(_PARTS):
        if body[begin : begin + 2] != b"\r\n":  # after the last part: two hyphens
            return None
        head = body.find(b"\r\n\r\n", begin, begin + _HEAD)
        if head < 0:
            return None
        end = await _find(body, mark, head + 2)  # of an empty value, what ends its head begins the mark
        if end < 0:
            return None
        named = _NAME.search(body, begin, head)
        if named is not None and named[1] == name:
            return slice(head + 4, max(end, head + 4)) if end - head <= _VALUE else None
        begin = end + len(mark)
    return None


async def _find(body: bytes, mark: bytes, begin: int) -> int:
    while True:
        at = body.find(mark, begin, begin + _SLICE + len(mark))
        begin += _SLICE
        if at >= 0 or begin >= len(body):
            return at
        await asyncio.sleep(0)
