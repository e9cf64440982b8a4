"""Errors of Anthropic messages: one that an answer with status 200 carries, and one that is told to a client."""

from penstock.core.codec import encode
from penstock.core.errors import PenstockError
from penstock.providers.dialects._shapes.values import name, present
from penstock.providers.dialects.anthropic.shapes import Message


def is_error(answer: Message) -> bool:
    """Whether an answer is an error in one of the forms that providers give it."""
    if name(answer.type) == "error" or present(answer.error):
        return True
    return not len(answer.usage) and (present(answer.message) or present(answer.detail))


def error_frame(error: PenstockError) -> bytes:
    """The frame that tells the client of a stream that it broke; complete with its blank line."""
    told = {"type": "error", "error": {"type": "api_error", "message": error.message}}
    return b"event: error\ndata: " + encode(told) + b"\n\n"
