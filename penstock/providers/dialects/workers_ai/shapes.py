"""What is read of an answer of Workers AI, and of an event of a streamed one."""

from penstock.core.codec import Raw, Struct, decoder
from penstock.providers.dialects._shapes.values import NOTHING


class Answer(Struct):
    """The envelope, what is within, and an event: a model's answer stands in the envelope's ``result``."""

    result: Raw = NOTHING
    success: Raw = NOTHING
    errors: Raw = NOTHING
    error: Raw = NOTHING
    usage: Raw = NOTHING
    model: Raw = NOTHING
    type: Raw = NOTHING  # of an event of OpenAI responses, which some models speak
    response: Raw = NOTHING  # a text; of these events, the answer


decode_answer = decoder(Answer).decode
