"""An ASGI application's answer as the bytes of HTTP/1.1, without I/O."""

import re
from collections.abc import Iterable

from penstock.proxy.render import status_line

_NO_CONTENT = 204
_NO_BODY = frozenset({_NO_CONTENT, 304})
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSPEAKABLE = re.compile(rb"[\r\n\x00]")

Pairs = Iterable[tuple[bytes, bytes]]


class Answer:
    """One answer: ``start``, then ``feed`` until the last piece. Its head leaves with the first piece of its body."""

    __slots__ = (
        "_bodiless",
        "_chunked",
        "_head",
        "_http10",
        "_left",
        "_method",
        "_status",
        "begun",
        "close",
        "complete",
    )

    def __init__(self, method: bytes, *, http10: bool) -> None:
        self._method = method
        self._http10 = http10
        self._head: list[bytes] = []
        self._status = 0
        self._left: int | None = None  # bytes of the body that were told and have not come
        self._bodiless = False
        self._chunked = False
        self.begun = False  # bytes of it were handed out
        self.complete = False
        self.close = False  # the connection ends with it

    def start(self, status: int, headers: Pairs) -> None:
        """Takes status and headers. Raises ValueError where they would not make a head."""
        if self._head:
            raise ValueError("The answer was started twice.")
        if not 200 <= status <= 999:  # noqa: PLR2004
            raise ValueError(f"{status} is no status of an answer.")
        head = [status_line(status, b"")]
        for name, value in headers:
            if not _NAME.fullmatch(name) or _UNSPEAKABLE.search(value):
                raise ValueError(f"A header must be a name and one line: {name!r}")
            lower = name.lower()
            if lower == b"content-length":
                self._left = _length(value)
            elif lower == b"connection":
                self.close = self.close or b"close" in value.lower()
            elif lower != b"transfer-encoding":  # the framing is decided here
                head += (name, b": ", value, b"\r\n")
        self._status, self._head = status, head
        self._bodiless = self._method == b"HEAD" or status in _NO_BODY

    def feed(self, data: bytes, *, more: bool, common: Pairs, close: bool) -> bytes:
        """Returns what to send for a piece of the body, the first time with the head before it.

        ``common`` are headers of every answer; with ``close`` the connection ends with this one. Raises ValueError
        where the piece does not fit what was told of the body: then nothing of it may go out.
        """
        if not self._head:
            raise ValueError("The body came before the start of the answer.")
        head = b"" if self.begun else self._first(len(data), more=more, common=common, close=close)
        if self._bodiless:
            data = b""
        elif self._left is not None:
            self._left -= len(data)
            if self._left < 0 or (self._left and not more):
                raise ValueError("The body is not as long as its content-length says.")
        if self._chunked:
            data = (b"%x\r\n%b\r\n" % (len(data), data) if data else b"") + (b"" if more else b"0\r\n\r\n")
        self.begun, self.complete = True, not more
        return head + data

    def _first(self, size: int, *, more: bool, common: Pairs, close: bool) -> bytes:
        head = self._head
        for name, value in common:
            head += (name, b": ", value, b"\r\n")
        if self._left is None and not more and (size or not self._bodiless):
            self._left = size
        if self._left is not None:
            if self._status != _NO_CONTENT:
                head.append(b"content-length: %d\r\n" % self._left)
        elif self._http10:
            close = close or not self._bodiless
        elif not self._bodiless:
            self._chunked = True
            head.append(b"transfer-encoding: chunked\r\n")
        self.close = self.close or close
        head.append(b"connection: close\r\n\r\n" if self.close else b"\r\n")
        return b"".join(head)


def _length(value: bytes) -> int:
    if not value.isdigit():
        raise ValueError(f"content-length must be a number: {value!r}")
    return int(value)
