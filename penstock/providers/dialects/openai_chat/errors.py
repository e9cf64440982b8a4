"""Errors of OpenAI chat: one that an answer with status 200 carries, and one that is told to a client."""

from penstock.core.codec import encode
from penstock.core.errors import PenstockError
from penstock.providers.dialects._shapes import openai
from penstock.providers.dialects._shapes.values import name, present
from penstock.providers.dialects.openai_chat.shapes import Answer, Choice, groq_of

_FAILURES = ("error", "insufficient_system_resource")  # finish reasons


def is_error(answer: Answer) -> bool:
    """Whether an answer, or a chunk, is an error in one of the forms that providers give it."""
    if len(answer.choices) and not (len(answer.error) and present(answer.error)):
        return len(answer.x_groq) > 0 and present(groq_of(answer.x_groq).error)
    return openai.is_error(answer)


def has_failed(choice: Choice) -> bool:
    """Whether one choice of an answer is an error."""
    return present(choice.error) or name(choice.finish_reason) in _FAILURES


def may_have_failed(body: bytes) -> bool:
    """Whether one of the words is there with which a choice says that it failed."""
    return b'"error"' in body or b'"insufficient_system_resource"' in body


def error_frame(error: PenstockError) -> bytes:
    """The frame that tells the client of a stream that it broke; complete with its blank line."""
    told = {"message": error.message, "type": "server_error", "param": None, "code": str(error.code)}
    return b"data: " + encode({"error": told}) + b"\n\n"
