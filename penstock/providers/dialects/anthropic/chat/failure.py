"""Errors of Anthropic messages.

https://platform.claude.com/docs/en/api/errors
"""

from typing import Any

from penstock.core.codec import DecodeError, decode, encode
from penstock.model.chat import Failure
from penstock.providers.dialects._shapes.members import object_or_none

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_OWN = {*_KINDS.values(), "api_error"}
_OTHERS = {"rate_limit_exceeded": "rate_limit_error", "insufficient_quota": "billing_error"}
_MOST = 2048  # bytes of a body that is no JSON


def read_failure(body: bytes) -> Failure:
    """Of an error's body, however it is told."""
    try:
        told = object_or_none(decode(body))
    except DecodeError:
        told = None
    if told is None:
        return Failure(body[:_MOST].decode("utf-8", "replace") or "The provider gave no reason.")
    return failure_of(told.get("error") or told.get("message") or told.get("detail") or told)


def failure_of(value: object) -> Failure:
    """Of an error object, or a plain text."""
    told = object_or_none(value)
    if told is None:
        return Failure(str(value))
    message, kind, code = told.get("message"), told.get("type"), told.get("code")
    return Failure(
        message if type(message) is str else encode(told).decode(),
        kind if type(kind) is str else "",
        code if type(code) is str else "",
    )


def write_failure(status: int, failure: Failure) -> bytes:
    """An error's body. A word that another dialect has for it is replaced by that of the status."""
    by_status = _KINDS.get(status, "api_error" if status >= 500 else "invalid_request_error")  # noqa: PLR2004
    return encode(_told(failure.message, failure.kind if failure.kind in _OWN else by_status))


def error_event(failure: Failure) -> bytes:
    """The event that tells that a stream broke."""
    kind = failure.kind if failure.kind in _OWN else _OTHERS.get(failure.kind, "api_error")
    return b"event: error\ndata: " + encode(_told(failure.message, kind)) + b"\n\n"


def _told(message: str, kind: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": None}
