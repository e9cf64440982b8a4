"""Errors of Gemini: one that an answer with status 200 carries, and one that is told to a client."""

from penstock.core.codec import encode
from penstock.core.errors import PenstockError
from penstock.providers.dialects._shapes.values import present
from penstock.providers.dialects.gemini.shapes import Answer


def is_error(answer: Answer) -> bool:
    """Whether an answer is an error. A prompt that was blocked is answered, without a candidate."""
    return present(answer.error)


def error_frame(error: PenstockError) -> bytes:
    """The frame that tells the client of a stream that it broke; complete with its blank line."""
    told = {"code": error.status, "message": error.message, "status": "UNAVAILABLE"}
    return b"data: " + encode({"error": told}) + b"\n\n"
