"""What requests of these dialects have in common: a model, whether the answer is to be a stream, and its length."""

from penstock.core.codec import DecodeError, Raw, Struct, decoder
from penstock.model.usage import Asked
from penstock.providers.dialects._shapes.bodies import read, read_edges
from penstock.providers.dialects._shapes.values import NOTHING, is_true, name, short, whole


class Ask(Struct):
    """A request body. Each dialect has one of the names for the longest output."""

    model: Raw = NOTHING
    stream: Raw = NOTHING
    stream_options: Raw = NOTHING
    max_tokens: Raw = NOTHING
    max_completion_tokens: Raw = NOTHING
    max_output_tokens: Raw = NOTHING
    max_gen_len: Raw = NOTHING  # Llama on Bedrock
    n: Raw = NOTHING
    generationConfig: Raw = NOTHING  # noqa: N815  Gemini
    generation_config: Raw = NOTHING
    inferenceConfig: Raw = NOTHING  # noqa: N815  Bedrock, and Nova there
    textGenerationConfig: Raw = NOTHING  # noqa: N815  Titan


class _Config(Struct):
    """The object in which some dialects say it."""

    maxOutputTokens: Raw = NOTHING  # noqa: N815
    max_output_tokens: Raw = NOTHING
    maxTokens: Raw = NOTHING  # noqa: N815
    max_new_tokens: Raw = NOTHING
    maxTokenCount: Raw = NOTHING  # noqa: N815
    candidateCount: Raw = NOTHING  # noqa: N815


_decode = decoder(Ask).decode
_decode_config = decoder(_Config).decode
_MEMBERS = (b"stream_options", b"stream", b"model")


def ask_of(body: bytes) -> Ask | None:
    """What is read of a request body; None where it is no JSON object, as far as it is looked at."""
    return read(body, _decode, _MEMBERS)


def ask_of_edges(head: bytes, tail: bytes) -> Ask | None:
    """The same of a large body's edges; without ``tail``, of a whole body."""
    return read_edges(head, tail, _decode, _MEMBERS) if tail else ask_of(head)


def asked_of_reporting(body: bytes) -> Asked:
    """What a body asks for, where the dialect's streams report usage without being asked."""
    ask = ask_of(body)
    if ask is None:
        return Asked()
    stream = is_true(ask.stream)
    return asked_of(ask, stream, stream)


def asked_of(ask: Ask, stream: bool = False, wants_usage: bool = False) -> Asked:  # noqa: FBT001, FBT002  as Asked has them
    """The same of a body that was read."""
    config = ask.generationConfig or ask.generation_config or ask.inferenceConfig or ask.textGenerationConfig
    if config:
        most, choices = _of_config(config)
    else:
        lengths = ask.max_tokens, ask.max_completion_tokens, ask.max_output_tokens, ask.max_gen_len
        most, choices = max(map(whole, lengths)), whole(ask.n)
    return Asked(name(ask.model), stream, wants_usage, most=most, choices=choices or 1)


def _of_config(raw: Raw) -> tuple[int, int]:
    try:
        config = _decode_config(short(raw))
    except DecodeError:
        return 0, 1
    told = config.maxOutputTokens or config.max_output_tokens or config.maxTokens
    return whole(told or config.max_new_tokens or config.maxTokenCount), whole(config.candidateCount)
