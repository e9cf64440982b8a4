"""What is read of an answer of Gemini, and of one of those that a stream consists of."""

from penstock.core.codec import Raw, Struct, decoder
from penstock.providers.dialects._shapes.values import NOTHING


class Answer(Struct):
    """The names are Google's."""

    candidates: Raw = NOTHING
    promptFeedback: Raw = NOTHING  # noqa: N815
    usageMetadata: Raw = NOTHING  # noqa: N815
    modelVersion: Raw = NOTHING  # noqa: N815
    error: Raw = NOTHING


class Candidate(Struct):
    index: Raw = NOTHING
    finishReason: Raw = NOTHING  # noqa: N815
    groundingMetadata: Raw = NOTHING  # noqa: N815


class Feedback(Struct):
    blockReason: Raw = NOTHING  # noqa: N815


class Grounding(Struct):
    webSearchQueries: Raw = NOTHING  # noqa: N815


decode_answer = decoder(Answer).decode
decode_answers = decoder(list[Answer]).decode
decode_candidates = decoder(list[Candidate]).decode
decode_feedback = decoder(Feedback).decode

MEMBERS = (b"usageMetadata", b"modelVersion", b"promptFeedback", b"error")
