"""What is read of an answer of an invoked model, and of an event of a streamed one."""

from penstock.core.codec import Raw, Struct, decoder
from penstock.providers.dialects._shapes.values import NOTHING


class Answer(Struct, rename={"metrics": "amazon-bedrock-invocationMetrics"}):
    """An answer, and an event."""

    type: Raw = NOTHING  # of Claude
    usage: Raw = NOTHING  # of Claude, Nova, and those shaped as OpenAI's
    metadata: Raw = NOTHING  # of an event of Nova: it has the usage
    prompt_token_count: Raw = NOTHING  # of Llama
    generation_token_count: Raw = NOTHING
    inputTextTokenCount: Raw = NOTHING  # noqa: N815  of Titan
    results: Raw = NOTHING
    error: Raw = NOTHING
    message: Raw = NOTHING  # a text: of an error
    metrics: Raw = NOTHING  # of the last event of a stream


class Metadata(Struct):
    """What the last event of Nova holds."""

    usage: Raw = NOTHING


class Result(Struct):
    """One of the texts that Titan answers."""

    tokenCount: Raw = NOTHING  # noqa: N815


decode_answer = decoder(Answer).decode
decode_metadata = decoder(Metadata).decode
decode_results = decoder(list[Result]).decode
