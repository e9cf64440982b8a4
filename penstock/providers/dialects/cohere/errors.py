"""Errors of Cohere: one that an answer with status 200 carries, and one that is told to a client."""

from penstock.core.codec import Raw, encode
from penstock.core.errors import PenstockError
from penstock.providers.dialects._shapes.values import name, present
from penstock.providers.dialects.cohere.shapes import Answer

_TIMEOUT = "TIMEOUT"


def is_error(answer: Answer) -> bool:
    """Whether an answer, or the end of a stream, is an error."""
    return has_failed(answer.finish_reason) or present(answer.error) or name(answer.message) != ""


def has_failed(finish_reason: Raw) -> bool:
    """Whether a finish reason is that of an error, as ERROR, ERROR_TOXIC and TIMEOUT are."""
    reason = name(finish_reason).upper()
    return reason.startswith("ERROR") or reason == _TIMEOUT


def error_frame(error: PenstockError) -> bytes:
    """The frame that tells the client of a stream that it broke; complete with its blank line."""
    told = {"type": "message-end", "delta": {"finish_reason": "ERROR", "error": error.message}}
    return b"event: message-end\ndata: " + encode(told) + b"\n\n"
