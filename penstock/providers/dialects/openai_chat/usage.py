"""What an answer of OpenAI chat used."""

import re

from penstock.core.codec import Raw
from penstock.model.usage import Reported
from penstock.providers.dialects._shapes.bodies import read, read_edges, read_listed
from penstock.providers.dialects._shapes.openai import MEMBERS
from penstock.providers.dialects._shapes.values import NO_OBJECT, name, usage_of
from penstock.providers.dialects.openai_chat.errors import has_failed, is_error, may_have_failed
from penstock.providers.dialects.openai_chat.shapes import Answer, choices_of, decode_answer, decode_answers

_NO_CHOICE = re.compile(rb"\[\s{0,99}\]")


def reported(body: bytes) -> Reported:
    """What a complete, decoded answer says of itself."""
    answer = read(body, decode_answer, MEMBERS)
    if answer is None:
        return _told(read_listed(body, decode_answers))
    told = _told(answer)
    if not told.error and may_have_failed(body):
        told.error = any(map(has_failed, choices_of(answer)))
    return told


def reported_edges(head: bytes, tail: bytes) -> Reported:
    """The same of an answer of which only the beginning and the end are here."""
    return _told(read_edges(head, tail, decode_answer, MEMBERS))


def _told(answer: Answer | None) -> Reported:
    if answer is None:
        return Reported(unread=NO_OBJECT)
    raw, unread = usage_of(answer.usage)
    error = is_error(answer) or (not raw and not unread and has_no_choice(answer.choices))
    return Reported(name(answer.model), raw, error, tier=name(answer.service_tier), unread=unread)


def has_no_choice(choices: Raw) -> bool:
    """Whether this is a list without anything in it."""
    return _NO_CHOICE.fullmatch(choices) is not None


def has_usage(event: bytes) -> bool:
    """Whether a chunk may carry a usage object: the word is there, other than once and with a null."""
    if b'"usage"' not in event:
        return False
    return b'"usage":null' not in event or event.count(b'"usage"') > 1
