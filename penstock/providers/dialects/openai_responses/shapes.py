"""What is read of an answer of OpenAI responses, and of an event of a streamed one."""

from penstock.core.codec import Raw, Struct, decoder
from penstock.providers.dialects._shapes.values import NOTHING


class Answer(Struct):
    id: Raw = NOTHING
    status: Raw = NOTHING
    model: Raw = NOTHING
    usage: Raw = NOTHING
    error: Raw = NOTHING
    service_tier: Raw = NOTHING
    tool_usage: Raw = NOTHING
    output: Raw = NOTHING
    tools: Raw = NOTHING
    message: Raw = NOTHING  # of an error
    detail: Raw = NOTHING  # of an error


class Event(Struct):
    type: Raw = NOTHING
    object: Raw = NOTHING
    response: Raw = NOTHING
    error: Raw = NOTHING


decode_answer = decoder(Answer).decode
decode_event = decoder(Event).decode

_UNSEEN = ("output", "tools", "message", "detail")
MEMBERS = tuple(member.encode() for member in Answer.__struct_fields__ if member not in _UNSEEN)
