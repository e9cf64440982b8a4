"""Errors of OpenAI responses: one that an answer with status 200 carries, and one that is told to a client."""

from penstock.core.codec import encode
from penstock.core.errors import PenstockError
from penstock.providers.dialects._shapes.values import present
from penstock.providers.dialects.openai_responses.shapes import Answer

_FAILED = ("failed", "cancelled")


def is_error(answer: Answer, status: str) -> bool:
    """Whether an answer with this status is an error in one of the forms that providers give it."""
    if present(answer.error) or status in _FAILED:
        return True
    return not (len(answer.output) or len(answer.usage)) and (present(answer.message) or present(answer.detail))


def error_frame(error: PenstockError) -> bytes:
    """The frame that tells the client of a stream that it broke; complete with its blank line.

    Its sequence number is 0, as that of the last event sent is not known here.
    """
    told = {"type": "error", "code": str(error.code), "message": error.message, "param": None, "sequence_number": 0}
    return b"event: error\ndata: " + encode(told) + b"\n\n"
