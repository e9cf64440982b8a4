"""Errors of Gemini: an object with a status word, alone or in a list."""

from typing import Any

from penstock.core.codec import DecodeError, decode, encode
from penstock.model.chat import Failure
from penstock.providers.dialects._shapes.members import list_or_none, object_or_none

_WORDS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_OTHERS = {"FAILED_PRECONDITION", "OUT_OF_RANGE", "ALREADY_EXISTS", "INTERNAL", "UNKNOWN", "DATA_LOSS"}
_MOST = 2048  # bytes of a body that is no JSON


def read_failure(body: bytes) -> Failure:
    """Of an error's body, however it is told."""
    try:
        told: Any = decode(body)
    except DecodeError:
        return Failure(body[:_MOST].decode("utf-8", "replace") or "The provider gave no reason.")
    if several := list_or_none(told):
        told = several[0]
    members = object_or_none(told)
    return failure_of(told if members is None else members.get("error") or members.get("message") or members)


def failure_of(value: object) -> Failure:
    """Of an error object, or a plain text. ``kind`` is its status word, ``code`` the reason among its details."""
    told = object_or_none(value)
    if told is None:
        return Failure(value if isinstance(value, str) else encode(value).decode())
    message, kind = told.get("message"), told.get("status")
    details = [object_or_none(one) or {} for one in list_or_none(told.get("details")) or ()]
    reason = next((one["reason"] for one in details if isinstance(one.get("reason"), str)), "")
    return Failure(
        message if isinstance(message, str) else encode(told).decode(), kind if isinstance(kind, str) else "", reason
    )


def write_failure(status: int, failure: Failure) -> bytes:
    """An error's body."""
    return encode({"error": told_failure(status, failure)})


def told_failure(status: int, failure: Failure) -> dict[str, Any]:
    """An error object. A word that Gemini does not have is not told."""
    own = failure.kind in _OTHERS or failure.kind in _WORDS.values()
    word = failure.kind if own else _WORDS.get(status, "INTERNAL" if status >= 500 else "FAILED_PRECONDITION")  # noqa: PLR2004
    return {"code": status, "message": failure.message, "status": word}
