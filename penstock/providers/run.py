"""The body of ``run``: a model's input, of whatever kind. Pure."""

from collections.abc import Iterable
from typing import Literal, NamedTuple
from urllib.parse import unquote

from penstock.core.codec import DecodeError, Raw, Struct, decoder, encode
from penstock.core.errors import MalformedChat
from penstock.providers.unified import CHAT, Unified

RUN = "run"  # in the place of a kind: the input tells it
_PLAIN, _RESPONSES, _GEMINI = "openai_chat", "openai_responses", "gemini"
_NATIVE = frozenset(
    {"anthropic"}
)  # dialects in which their own providers are asked and answer; all others: OpenAI chat
_NOTHING = Raw(b"")


class Options(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """How it is run."""

    reject_if_busy: bool = False  # of Workers AI
    background: bool = False
    webhook_url: str = ""
    webhook_format: Literal["raw", "chat"] | None = None


class _Body(Struct):
    model: str
    input: Raw
    options: Options = Options()


class _Input(Struct):
    """The members that tell the kind."""

    messages: Raw = _NOTHING
    contents: Raw = _NOTHING
    prompt: Raw = _NOTHING
    voice: Raw = _NOTHING
    input: Raw = _NOTHING


class Run(NamedTuple):
    """What is asked of which model."""

    model: str
    input: bytes
    options: Options


_decode = decoder(_Body).decode
_decode_input = decoder(_Input).decode


def read(path: bytes, body: bytes) -> Run:
    """Of a call to ``run``, or to ``run/`` and the model, whose body is the input alone. Raises MalformedChat."""
    model = path.removeprefix(b"run").removeprefix(b"/")
    if model:
        return Run(unquote(model), body, Options())
    try:
        told = _decode(body)
    except DecodeError as error:
        raise MalformedChat(f"run bad format: {error}; send {{model, input, options}}.") from None
    return Run(told.model, bytes(told.input), told.options)


def kind(run: Run, ways: Iterable[Unified]) -> tuple[str, str]:
    """Which operation of the provider is meant, and of a chat the dialect of input and answer. Raises MalformedChat."""
    try:
        has = _decode_input(run.input)
    except DecodeError as error:
        raise MalformedChat(f"run bad format: input: {error}") from None
    if has.messages:
        own = next((way.dialect for way in ways if way.kind == CHAT), _PLAIN)
        return CHAT, own if own in _NATIVE else _PLAIN
    if has.contents:
        return CHAT, _GEMINI
    if has.voice:
        return "audio/speech", ""
    if has.input:
        return ("embeddings", "") if "embed" in run.model else (CHAT, _RESPONSES)
    if has.prompt:
        return "images/generations", ""
    raise MalformedChat("run bad format: input has none of messages, contents, prompt, voice, input.")


def busy(run: Run) -> bytes:
    """The body that asks Workers AI to refuse at once what would have to wait."""
    return encode({"model": run.model, "input": Raw(run.input), "options": {"rejectIfBusy": True}})
