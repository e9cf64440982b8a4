"""Errors of Workers AI: one that an answer with status 200 carries, and one that is told to a client."""

from penstock.core.codec import encode
from penstock.core.errors import PenstockError
from penstock.providers.dialects._shapes.values import is_false, present
from penstock.providers.dialects.workers_ai.shapes import Answer

_NONE = (b"", b"null", b"[]", b"{}")


def is_error(answer: Answer) -> bool:
    """Whether an envelope, or an event, is an error."""
    return is_false(answer.success) or present(answer.error) or bytes(answer.errors) not in _NONE


def error_frame(error: PenstockError) -> bytes:
    """The frame that tells the client of a stream that it broke; complete with its blank line."""
    told = {
        "result": None,
        "success": False,
        "errors": [{"code": error.code, "message": error.message}],
        "messages": [],
    }
    return b"data: " + encode(told) + b"\n\n"
