"""A request as it goes to a provider: what a signature covers, what a cache key is made of, what is written."""

from penstock.core.headers import Headers
from penstock.model.body import RequestBody
from penstock.model.plan import Origin


class Outgoing:
    """``path`` and ``query`` (with its question mark) are the request target; ``headers`` are all but host and framing.

    ``body`` is there where the request is held whole, or else ``stream``. One for all attempts of a step.
    """

    __slots__ = ("body", "headers", "host", "method", "origin", "path", "query", "stale", "stream", "told")

    def __init__(
        self,
        origin: Origin,
        method: bytes,
        host: bytes,
        path: bytes,
        query: bytes = b"",
        headers: Headers | None = None,
    ) -> None:
        self.origin = origin
        self.method = method
        self.host = host
        self.path = path
        self.query = query
        self.headers: Headers = [] if headers is None else headers
        self.body = b""
        self.stream: RequestBody | None = None
        self.told = False  # the length of an empty body is told
        self.stale: float | None = None  # of the last attempt: seconds until its pooled connection was found closed

    def put(self, name: bytes, value: bytes) -> None:
        """Replaces every header of a lower-case name by one."""
        self.headers = [header for header in self.headers if header[0] != name]
        self.headers.append((name, name, value))

    def again(self) -> None:
        """Before each attempt: what streamed before may be held whole by now."""
        self.stale = None
        if self.stream is not None and (body := self.stream.whole()) is not None:
            self.body, self.stream = body, None

    def head(self, place: bytes = b"") -> list[bytes]:
        """The head in pieces, complete but for the blank line. ``place`` goes before the path."""
        pieces = [self.method, b" ", place, self.path, self.query, b" HTTP/1.1\r\nhost: ", self.host, b"\r\n"]
        for _, name, value in self.headers:
            pieces += (name, b": ", value, b"\r\n")
        length = len(self.body) if self.stream is None else self.stream.length
        if length is None:
            pieces.append(b"transfer-encoding: chunked\r\n")
        elif length or self.told:
            pieces.append(b"content-length: %d\r\n" % length)
        return pieces
