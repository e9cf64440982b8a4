"""What is read of an answer of Anthropic messages, and of an event of a streamed one."""

from penstock.core.codec import Raw, Struct, decoder
from penstock.providers.dialects._shapes.values import NOTHING


class Message(Struct):
    """An answer, and an event."""

    type: Raw = NOTHING
    model: Raw = NOTHING
    usage: Raw = NOTHING
    error: Raw = NOTHING
    message: Raw = NOTHING  # of an event; and of an error
    detail: Raw = NOTHING  # of an error


class Growing(Struct):
    """The members of a usage object that a later event of a stream may tell anew."""

    input_tokens: Raw = NOTHING
    output_tokens: Raw = NOTHING
    cache_creation_input_tokens: Raw = NOTHING
    cache_read_input_tokens: Raw = NOTHING
    cache_creation: Raw = NOTHING
    server_tool_use: Raw = NOTHING
    output_tokens_details: Raw = NOTHING
    iterations: Raw = NOTHING
    service_tier: Raw = NOTHING
    inference_geo: Raw = NOTHING
    speed: Raw = NOTHING
    cost: Raw = NOTHING  # this and the others are of those who speak it too
    cost_details: Raw = NOTHING
    cost_in_usd_ticks: Raw = NOTHING
    is_byok: Raw = NOTHING
    num_sources_used: Raw = NOTHING
    server_side_tool_usage_details: Raw = NOTHING


decode_message = decoder(Message).decode
decode_growing = decoder(Growing).decode
