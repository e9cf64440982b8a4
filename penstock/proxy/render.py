"""Errors and heads as bytes."""

import time
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus

from penstock.core.codec import encode
from penstock.core.errors import MethodNotAllowed, PenstockError
from penstock.core.headers import Headers
from penstock.features.explain import explained
from penstock.features.record import holding
from penstock.model.exchange import Exchange
from penstock.model.reply import Body, Reply
from penstock.model.surface import Surface
from penstock.wire.headers import back


def error_body(error: PenstockError) -> bytes:
    """The data plane's error envelope (docs/errors.md)."""
    return encode(
        {
            "success": False,
            "result": [],
            "messages": [],
            "error": [{"code": error.code, "message": error.message}],
            "name": "AiGatewayError",
            "httpCode": error.status,
            "internalCode": error.code,
            "message": error.message,
            "description": error.message,
        }
    )


def api_body(error: PenstockError, codes: Mapping[int, int]) -> bytes:
    """The envelope of the API. ``codes`` are those that are other ones there."""
    errors = [{"code": codes.get(error.code, error.code), "message": error.message}]
    return encode({"success": False, "errors": errors, "messages": [], "result": None})


def error_reply(error: PenstockError, surface: Surface) -> Reply:
    """A complete reply in the envelope of the surface that was called."""
    data = api_body(error, surface.codes) if surface.api else error_body(error)
    body = Body()
    body.feed(data)
    body.finish()
    headers: Headers = [(b"content-type", b"content-type", b"application/json")]
    if error.retry_after is not None:
        headers.append((b"retry-after", b"retry-after", b"%d" % error.retry_after))
    if isinstance(error, MethodNotAllowed):  # RFC 9110, 15.5.6
        headers.append((b"allow", b"allow", b", ".join(sorted(surface.methods))))
    reply = Reply(error.status, b"", headers, body)
    reply.length = len(data)
    return reply


def head(reply: Reply, ex: Exchange, framing: bytes, *, close: bool) -> bytes:
    """Status line and headers, the blank line included. ``framing`` is a whole header line, or empty."""
    pieces = [status_line(reply.status, reply.reason)]
    for _, name, value in back(reply.headers):
        pieces += (name, b": ", value, b"\r\n")
    step, options = ex.step, holding(ex, ex.step)
    if options.log:
        pieces += (b"cf-aig-log-id: ", step.name.encode(), b"\r\n")
    if ex.request.surface.steps == "universal" if ex.itinerary is None else ex.itinerary.shows_step:
        pieces += (b"cf-aig-step: %d\r\n" % step.index,)
    if step.decisions.route is not None and step.target is not None:
        pieces += (b"cf-aig-model: ", step.request.asked.model.encode(), b"\r\ncf-aig-provider: ")
        pieces += (step.target.provider.encode(), b"\r\n")
    if (cache := step.decisions.cache) is not None:
        pieces += (b"cf-aig-cache-status: ", cache.status.encode(), b"\r\n")
    if options.explain:
        pieces += (b"cf-aig-explain: ", explained(ex, time.monotonic()), b"\r\n")
    pieces += (
        b"cf-aig-request-id: ",
        ex.name.encode(),
        b"\r\ncf-aig-event-id: ",
        ex.event_id.encode("latin-1"),
        b"\r\n",
    )
    pieces += (framing, b"connection: close\r\n\r\n" if close else b"\r\n")
    return b"".join(pieces)


@lru_cache(256)
def status_line(status: int, reason: bytes) -> bytes:
    """The provider's reason phrase where it sent one."""
    if not reason:
        reason = HTTPStatus(status).phrase.encode() if status in _KNOWN else b"Unknown"
    return b"HTTP/1.1 %d %b\r\n" % (status, reason)


_KNOWN = frozenset(HTTPStatus)
