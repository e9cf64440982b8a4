"""What is read of an answer of Converse, and of an event of a streamed one."""

from penstock.core.codec import Raw, Struct, decoder
from penstock.providers.dialects._shapes.values import NOTHING


class Answer(Struct, rename="camel"):
    """An answer, and the last event of a stream."""

    usage: Raw = NOTHING
    service_tier: Raw = NOTHING
    performance_config: Raw = NOTHING
    trace: Raw = NOTHING
    output: Raw = NOTHING
    message: Raw = NOTHING  # of an error


class Event(Struct, rename="camel"):
    """An event: a member of its type's name."""

    message_stop: Raw = NOTHING
    metadata: Raw = NOTHING


class Tier(Struct):
    """The service tier, and how fast the model was asked to be."""

    type: Raw = NOTHING
    latency: Raw = NOTHING


class Router(Struct, rename="camel"):
    """What a prompt router did."""

    invoked_model_id: Raw = NOTHING


class Trace(Struct, rename="camel"):
    """What happened on the way."""

    prompt_router: Raw = NOTHING


decode_answer = decoder(Answer).decode
decode_event = decoder(Event).decode
decode_tier = decoder(Tier).decode
decode_trace = decoder(Trace).decode
decode_router = decoder(Router).decode
