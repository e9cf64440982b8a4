"""What an answer of OpenAI responses used."""

from penstock.model.usage import Reported
from penstock.providers.dialects._shapes.bodies import WHOLE, read, read_edges
from penstock.providers.dialects._shapes.values import NO_OBJECT, name, usage_of
from penstock.providers.dialects.openai_responses.errors import is_error
from penstock.providers.dialects.openai_responses.fees import ANY, fees
from penstock.providers.dialects.openai_responses.shapes import MEMBERS, Answer, decode_answer

_UNFINISHED = ("queued", "in_progress")


def reported(body: bytes) -> Reported:
    """What a complete, decoded answer says of itself."""
    return told(read(body, decode_answer, MEMBERS), body if len(body) > WHOLE else b"")


def reported_edges(head: bytes, tail: bytes) -> Reported:
    """The same of an answer of which only the beginning and the end are here."""
    return told(read_edges(head, tail, decode_answer, MEMBERS), ANY)


def told(answer: Answer | None, unseen: bytes = b"") -> Reported:
    """``unseen``: the answer's bytes, where its output is too large to be read."""
    if answer is None:
        return Reported(unread=NO_OBJECT)
    raw, unread = usage_of(answer.usage)
    status = name(answer.status)
    return Reported(
        name(answer.model),
        raw,
        is_error(answer, status),
        tier=name(answer.service_tier),
        fees=fees(answer, unseen),
        unread=unread,
        id=name(answer.id),
        unfinished=status in _UNFINISHED,
    )
