"""What an answer of Workers AI used. Its figures are OpenAI's."""

from penstock.model.usage import Reported
from penstock.providers.dialects._shapes.bodies import read, read_edges
from penstock.providers.dialects._shapes.values import BOM, NO_OBJECT, is_object, name, usage_of
from penstock.providers.dialects.workers_ai.errors import is_error
from penstock.providers.dialects.workers_ai.shapes import Answer, decode_answer

_MEMBERS = (b"success", b"errors", b"result")
_RESULT = (b"usage", b"model")


def reported(body: bytes) -> Reported:
    """What a complete, decoded answer says of itself."""
    return _told(read(body, decode_answer, _MEMBERS), body)


def reported_edges(head: bytes, tail: bytes) -> Reported:
    """The same of an answer of which only the beginning and the end are here."""
    return _told(read_edges(head, tail, decode_answer, _MEMBERS), head)


def _told(answer: Answer | None, body: bytes) -> Reported:
    if answer is None:  # images and speech come as they are, and tell nothing
        return Reported(unread=NO_OBJECT) if body.removeprefix(BOM).lstrip().startswith(b"{") else Reported()
    inner = read(bytes(answer.result), decode_answer, _RESULT) if is_object(answer.result) else answer
    if inner is None:
        return Reported(error=is_error(answer), unread=NO_OBJECT)
    raw, unread = usage_of(inner.usage)
    return Reported(name(inner.model), raw, is_error(answer), unread=unread)
