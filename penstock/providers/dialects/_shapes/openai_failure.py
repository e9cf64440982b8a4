"""Errors as OpenAI tells them, read and written."""

from typing import Any

from penstock.core.codec import DecodeError, decode, encode
from penstock.model.chat import Failure
from penstock.providers.dialects._shapes.members import list_or_none, object_or_none

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
}


def read_failure(body: bytes) -> Failure:
    """Of an error's body, however it is told."""
    try:
        told: Any = decode(body)
    except DecodeError:
        return Failure(_words(body))
    if (members := object_or_none(told)) is not None:
        several = list_or_none(members.get("errors"))  # of Workers AI
        one = members.get("error") or members.get("detail") or members.get("message")
        return failure_of(one or (several[0] if several else members))
    several = list_or_none(told)
    return failure_of(several[0]) if several else Failure(_words(body))


def failure_of(value: object) -> Failure:
    """Of an error object, or a plain text."""
    told = object_or_none(value)
    if told is None:
        return Failure(str(value))
    told = object_or_none(told.get("error")) or told
    message = told.get("message")
    return Failure(
        message if type(message) is str else encode(told).decode(),
        _text(told.get("type")),
        _text(told.get("code")),
        _text(told.get("param")),
    )


def write_failure(status: int, failure: Failure) -> bytes:
    """An error's body."""
    kind = failure.kind or _KINDS.get(status, "api_error" if status >= 500 else "invalid_request_error")  # noqa: PLR2004
    return encode({"error": told_failure(Failure(failure.message, kind, failure.code, failure.param))})


def told_failure(failure: Failure) -> dict[str, Any]:
    """An error object."""
    return {
        "message": failure.message,
        "type": failure.kind or "server_error",
        "param": failure.param or None,
        "code": failure.code or None,
    }


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) else ""


def _words(body: bytes) -> str:
    return body[:_MOST].decode("utf-8", "replace") or "The provider gave no reason."


_MOST = 2048  # bytes of a body that is no JSON
