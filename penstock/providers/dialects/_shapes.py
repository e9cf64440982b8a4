"""The parts of provider bodies that several dialects share: only what is read of them is named."""

from typing import Annotated, Any

from msgspec import Meta

from penstock.core.codec import DecodeError, Raw, Struct, decode, decoder
from penstock.model.usage import Asked, Usage

Count = Annotated[int, Meta(ge=0, le=1 << 53)] | None  # tokens; a figure outside is not believed, nor its object

NOTHING = Raw(b"")
NAME_LIMIT = 256  # characters: names are remembered and stored, and callers choose them


class Ask(Struct):
    """A request body."""

    model: Any = ""
    stream: Any = False
    stream_options: Raw = NOTHING


decode_ask = decoder(Ask).decode


def asked(body: bytes, *, always: bool) -> Asked:
    """What a body asks for, where the dialect's streams ``always`` (or never) report usage without being asked."""
    try:
        ask = decode_ask(body)
    except DecodeError:
        return Asked()
    stream = ask.stream is True
    return Asked(name(ask.model), stream, stream and always)


def name(value: object) -> str:
    """A model's name, or a tier's, as far as names go; empty where it is not a text."""
    return value[:NAME_LIMIT] if isinstance(value, str) else ""


def present(raw: Raw) -> bool:
    """Whether a member was there and not null."""
    return bytes(raw) not in (b"", b"null")


def is_error_event(event: bytes) -> bool:
    """Whether an SSE event says by its name that it is an error."""
    return event.startswith((b"event: error\n", b"event: error\r", b"event:error\n", b"event:error\r"))


def verbatim(usage: bytes) -> bytes:
    """A usage object as it is kept; empty where it cannot be read again: members without a name here are skipped."""
    try:
        decode(usage)
    except DecodeError:
        return b""
    return usage


class _Details(Struct):
    cached_tokens: Count = None
    cache_write_tokens: Count = None
    audio_tokens: Count = None
    reasoning_tokens: Count = None


class _OpenAIUsage(Struct):
    prompt_tokens: Count = None
    completion_tokens: Count = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None
    input_tokens: Count = None
    output_tokens: Count = None
    input_tokens_details: _Details | None = None
    output_tokens_details: _Details | None = None


_decode_usage = decoder(_OpenAIUsage).decode
_NO_DETAILS = _Details()


def openai_usage(raw: bytes) -> Usage | None:
    """OpenAI's usage object: chat and embeddings name it by prompt and completion, responses by input and output.

    Its cached tokens are part of the input. None where it is no such object or holds no figure.
    """
    try:
        said = _decode_usage(raw)
    except DecodeError:
        return None
    tokens_in = said.input_tokens if said.prompt_tokens is None else said.prompt_tokens
    tokens_out = said.output_tokens if said.completion_tokens is None else said.completion_tokens
    if tokens_in is None and tokens_out is None:
        return None
    tokens_in = tokens_in or 0
    into = said.prompt_tokens_details or said.input_tokens_details or _NO_DETAILS
    out = said.completion_tokens_details or said.output_tokens_details or _NO_DETAILS
    read, written = into.cached_tokens or 0, into.cache_write_tokens or 0
    return Usage(
        tokens_in=tokens_in,
        tokens_out=tokens_out or 0,
        fresh_in=max(0, tokens_in - read - written),
        cache_read=read,
        cache_write=written,
        reasoning_out=out.reasoning_tokens or 0,
        audio_in=into.audio_tokens or 0,
        audio_out=out.audio_tokens or 0,
        raw=verbatim(raw),
    )


def service_tier(value: object) -> str:
    """An answer's ``service_tier`` as ``Reported.tier`` wants it."""
    tier = name(value)
    return f"service_tier={tier}" if tier else ""
