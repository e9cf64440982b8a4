"""What an answer of OpenAI embeddings used."""

from penstock.core.codec import decoder
from penstock.model.usage import Reported
from penstock.providers.dialects._shapes.bodies import read, read_edges, read_listed
from penstock.providers.dialects._shapes.openai import MEMBERS, Answer, is_error
from penstock.providers.dialects._shapes.values import NO_OBJECT, name, usage_of

_decode = decoder(Answer).decode
_decode_list = decoder(list[Answer]).decode


def reported(body: bytes) -> Reported:
    """What a complete, decoded answer says of itself."""
    return _told(read(body, _decode, MEMBERS) or read_listed(body, _decode_list))


def reported_edges(head: bytes, tail: bytes) -> Reported:
    """The same of an answer of which only the beginning and the end are here."""
    return _told(read_edges(head, tail, _decode, MEMBERS))


def _told(answer: Answer | None) -> Reported:
    if answer is None:
        return Reported(unread=NO_OBJECT)
    raw, unread = usage_of(answer.usage)
    return Reported(name(answer.model), raw, is_error(answer), tier=name(answer.service_tier), unread=unread)
