"""What the head of a request says of the message itself: where to, how framed, what follows."""

import httptools

from penstock.core.errors import MalformedRequest
from penstock.core.headers import Headers

_VERSIONS = frozenset({"1.0", "1.1"})


def read(parser: httptools.HttpRequestParser, headers: Headers) -> tuple[int | None, bool, bool, bool]:
    """Returns the length of the body (None: chunked), and whether the request is the connection's last, is HTTP/1.0,
    and waits to be told to go on.

    Raises MalformedRequest.
    """
    length: int | None = 0
    last, named, expects = not parser.should_keep_alive(), False, False
    hosts = 0
    for lower, _, value in headers:
        if lower == b"content-length":
            length = int(value)
        elif lower == b"host":
            hosts += 1
        elif lower == b"transfer-encoding":
            if value.lower() != b"chunked":
                raise MalformedRequest("Malformed HTTP request: the only transfer coding understood is chunked.")
            length = None
        elif lower == b"expect":
            expects = True
        elif lower == b"connection":
            named = True
    # The parser spells the version out at a price: a connection kept without a word about it is HTTP/1.1.
    version = parser.get_http_version() if last or named else "1.1"
    if version not in _VERSIONS:
        raise MalformedRequest("Malformed HTTP request: the versions understood are HTTP/1.1 and HTTP/1.0.")
    http10 = version == "1.0"
    if hosts != 1 and (hosts or not http10):
        raise MalformedRequest("Malformed HTTP request: it must have one Host header.")
    return length, last or http10, http10, expects and not http10


def size(url: bytes, headers: Headers) -> int:
    """Bytes of a head, as it was on the wire."""
    return len(url) + sum(len(name) + len(value) + 4 for _, name, value in headers)


def target(url: bytes) -> bytes:
    """The path of a request target, absolute form included, with its query; or ``*``. Raises MalformedRequest."""
    if url.startswith(b"/") or url == b"*":
        return url
    try:
        parsed = httptools.parse_url(url)
    except httptools.HttpParserInvalidURLError as error:
        raise MalformedRequest("Malformed HTTP request: the request target is no path.") from error
    return (parsed.path or b"/") + (b"?" + parsed.query if parsed.query else b"")
