"""What is read of an answer of Cohere, and of an event of a streamed one."""

from penstock.core.codec import Raw, Struct, decoder
from penstock.providers.dialects._shapes.values import NOTHING


class Answer(Struct):
    """An answer, and what the last event of a stream holds of it."""

    model: Raw = NOTHING  # Cohere does not tell it, others who speak this do
    usage: Raw = NOTHING  # of the second version's chat
    meta: Raw = NOTHING  # of all others
    finish_reason: Raw = NOTHING
    message: Raw = NOTHING  # a text: of an error
    error: Raw = NOTHING


class Event(Struct):
    """An event: of the second version with a type, of the first with an event_type."""

    type: Raw = NOTHING
    event_type: Raw = NOTHING
    delta: Raw = NOTHING  # of the second version's last event
    response: Raw = NOTHING  # of the first's
    finish_reason: Raw = NOTHING
    message: Raw = NOTHING  # of an error


decode_answer = decoder(Answer).decode
decode_event = decoder(Event).decode
