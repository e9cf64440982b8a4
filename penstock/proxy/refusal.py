"""What is said to a request that no call answers, in the words of the plane it was addressed to."""

import re
from collections.abc import Sequence

from penstock.core.errors import Bug, MalformedRequest, PenstockError, RequestTimeout, UpgradeRequired
from penstock.proxy import head, surfaces
from penstock.proxy.render import api_body, error_body, status_line

Pairs = Sequence[tuple[bytes, bytes]]


def render(error: PenstockError, url: bytes, common: Pairs = (), *, whole: bool) -> bytes:
    """The whole answer; the connection ends with it.

    ``url`` is the request target; where it is not ``whole``, as much of it as was read. ``common`` are further headers.
    """
    if _is_control(url, whole=whole):
        body, pairs = control_body(error), control_headers(error)
    else:
        body, pairs = error_body(error), _headers(error)
    lines = b"".join(b"%b: %b\r\n" % pair for pair in (*pairs, *common))
    length = b"content-length: %d\r\n" % len(body)
    return b"".join((status_line(error.status, b""), lines, length, b"connection: close\r\n\r\n", body))


def control_body(error: PenstockError) -> bytes:
    """The control plane's error envelope (docs/errors.md)."""
    return api_body(error, {error.code: 7001 if error.status < Bug.status else 7000})


def control_headers(error: PenstockError) -> Pairs:
    """The headers that go with it."""
    headers = _headers(error)
    if error.status < Bug.status and not isinstance(error, RequestTimeout):
        headers.append((b"x-should-retry", b"false"))
    return headers


def url_in(data: bytes) -> bytes:
    """The request target in the first bytes of a head that the parser refused before it told."""
    found = _BEGINNING.match(data)
    return found[1] if found else b""


def _headers(error: PenstockError) -> list[tuple[bytes, bytes]]:
    headers = [(b"content-type", b"application/json")]
    if error.retry_after is not None:
        headers.append((b"retry-after", b"%d" % error.retry_after))
    if isinstance(error, UpgradeRequired):  # RFC 9110, 15.5.22
        headers += ((b"upgrade", b"HTTP/1.1"), (b"connection", b"upgrade"))
    return headers


def _is_control(url: bytes, *, whole: bool) -> bool:
    """Whether errors at a target come in the envelope of the API, for certain."""
    try:
        path = head.target(url)
    except MalformedRequest:
        return False
    if not whole and surfaces.V1.startswith(path):
        return False
    surface = surfaces.find(path)
    return surface is None or surface.api


_BEGINNING = re.compile(rb"[\r\n]*(?:[A-Z-]* +)?([!-~]*)")  # the method may have come before
