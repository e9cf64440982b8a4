"""What the head of a request says of the message itself: where to, how framed, what follows."""

import re

import httptools

from penstock.core.errors import MalformedRequest
from penstock.core.headers import Headers

VERSIONS = "Malformed HTTP request: the versions understood are HTTP/1.1 and HTTP/1.0."
_ABSOLUTE = re.compile(rb"(?i:https?)://[^/?]+(.*)", re.DOTALL)


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
            expects = value.lower() == b"100-continue"
        elif lower == b"connection":
            named = True
    # The parser spells the version out at a price: a connection kept without a word about it is HTTP/1.1.
    version = parser.get_http_version() if last or named else "1.1"
    http10 = version != "1.1" and _is_old(version, chunked=length is None)
    if hosts != 1 and (hosts or not http10):
        raise MalformedRequest("Malformed HTTP request: it must have one Host header.")
    return length, last or http10, http10, expects and not http10


def _is_old(version: str, *, chunked: bool) -> bool:
    """True for HTTP/1.0. Raises MalformedRequest for any other, and for what HTTP/1.0 does not have."""
    if version != "1.0":
        raise MalformedRequest(VERSIONS)
    if chunked:  # whoever is before this server may have read it otherwise (RFC 9112, 6.1)
        raise MalformedRequest("Malformed HTTP request: HTTP/1.0 has no transfer codings.")
    return True


def offers_websocket(parser: httptools.HttpRequestParser, headers: Headers) -> bool:
    """Whether a request that offers another protocol is the handshake of a WebSocket (RFC 6455, 4.1)."""
    if parser.get_method() != b"GET" or parser.get_http_version() != "1.1":
        return False
    offers = b",".join(value for lower, _, value in headers if lower == b"upgrade")
    return b"websocket" in (offer.strip() for offer in offers.lower().split(b","))


def size(url: bytes, headers: Headers) -> int:
    """Bytes of a head, as it was on the wire."""
    return len(url) + sum(len(name) + len(value) + 4 for _, name, value in headers)


def target(url: bytes) -> bytes:
    """The path of a request target, absolute form included, with its query; or ``*``. Raises MalformedRequest.

    What an absolute form or the Host header say of the server counts for nothing.
    """
    if b"#" in url:  # a provider might drop what follows, and be asked for something else than what was looked at here
        raise MalformedRequest("Malformed HTTP request: the request target has a fragment.")
    if url.startswith(b"/") or url == b"*":
        return url
    absolute = _ABSOLUTE.fullmatch(url)
    if absolute is None or not _is_url(url):
        raise MalformedRequest("Malformed HTTP request: the request target is no path.")
    path = absolute[1]
    return path if path.startswith(b"/") else b"/" + path


def _is_url(url: bytes) -> bool:
    try:
        httptools.parse_url(url)
    except httptools.HttpParserInvalidURLError:
        return False
    return True
