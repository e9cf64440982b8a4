"""Anthropic messages."""

from typing import Any

from penstock.core.codec import DecodeError, Raw, Struct, decoder, encode
from penstock.core.errors import PenstockError
from penstock.model.usage import Asked, Reported, Usage
from penstock.providers.dialects import _shapes
from penstock.providers.dialects._shapes import NOTHING, Count, name, present, verbatim
from penstock.wire.sse import data_of


class _Message(Struct):
    type: Any = ""
    model: Any = ""
    usage: Raw = NOTHING
    error: Raw = NOTHING


class _Event(_Message):
    message: _Message | None = None


class _CacheCreation(Struct):
    ephemeral_5m_input_tokens: Count = None
    ephemeral_1h_input_tokens: Count = None


class _ServerTools(Struct):
    web_search_requests: Count = None


class _OutputDetails(Struct):
    thinking_tokens: Count = None


class _Usage(Struct):
    input_tokens: Count = None
    output_tokens: Count = None
    cache_creation_input_tokens: Count = None
    cache_read_input_tokens: Count = None
    cache_creation: _CacheCreation | None = None
    server_tool_use: _ServerTools | None = None
    output_tokens_details: _OutputDetails | None = None
    speed: Any = None


_decode_message = decoder(_Message).decode
_decode_event = decoder(_Event).decode
_decode_members = decoder(dict[str, Any]).decode
_decode_usage = decoder(_Usage).decode


class Anthropic:
    """The dialect. Its streams always report usage: the input at the start, the output at the end."""

    name = "anthropic"
    asks = False

    def asked(self, body: bytes) -> Asked:
        """What a request body asks for."""
        return _shapes.asked(body, always=True)

    def reported(self, body: bytes) -> Reported:
        """What a complete, decoded answer says of itself."""
        try:
            message = _decode_message(body)
        except DecodeError:
            return Reported("", None)
        error = message.type == "error" or present(message.error)
        return _reported(name(message.model), bytes(message.usage), error=error)

    def reader(self) -> "AnthropicReader":
        """A reader for one streamed answer."""
        return AnthropicReader()

    def ask_usage(self, body: bytes) -> bytes | None:
        """Nothing to ask."""
        return None

    def error_frame(self, error: PenstockError) -> bytes:
        """The frame that tells the client of a stream that it broke; complete with its blank line."""
        told = {"type": "error", "error": {"type": "api_error", "message": error.message}}
        return b"event: error\ndata: " + encode(told) + b"\n\n"


class AnthropicReader:
    """``message_start`` has the model and the input, each ``message_delta`` the figures that have grown since.

    The figures are cumulative, so a later one replaces an earlier one; ``raw`` is the start's object with those of
    the deltas put in. Of a stream that ended early, what had been said until then is reported: the input in full, the
    output too low.
    """

    __slots__ = ("_ended", "_error", "_model", "_usage")

    def __init__(self) -> None:
        self._model = ""
        self._usage = b""
        self._error = False
        self._ended = False

    def dull(self, data: bytes) -> bool:
        """Whether ``data`` holds pieces of the answer alone."""
        return b'"message_' not in data and b'"error"' not in data

    def event(self, data: bytes) -> None:
        """Takes one SSE event, with or without its blank line. Never raises."""
        if self.dull(data):
            return
        try:
            event = _decode_event(data_of(data))
        except DecodeError:
            return
        said: _Message = event
        if event.message is not None:
            said = event.message
            self._model = name(said.model) or self._model
        self._ended = self._ended or event.type == "message_stop"
        self._error = self._error or event.type == "error" or present(event.error)
        if present(said.usage):
            self._usage = _merged(self._usage, bytes(said.usage))

    def reported(self) -> Reported:
        """What the stream has said of itself so far."""
        return _reported(self._model, self._usage, error=self._error, complete=self._ended)


def _reported(model: str, raw: bytes, *, error: bool, complete: bool = True) -> Reported:
    try:
        said = _decode_usage(raw)
    except DecodeError:
        return Reported(model, None, error, complete=complete)
    if said.input_tokens is None and said.output_tokens is None:
        return Reported(model, None, error, complete=complete)
    speed = name(said.speed)
    return Reported(model, _usage(said, raw), error, f"speed={speed}" if speed else "", complete)


def _usage(said: _Usage, raw: bytes) -> Usage:
    """Cached tokens are beside ``input_tokens``, not in it."""
    created = said.cache_creation or _CacheCreation()
    hour = created.ephemeral_1h_input_tokens or 0
    written = said.cache_creation_input_tokens
    if written is None:
        written = (created.ephemeral_5m_input_tokens or 0) + hour
    return Usage(
        tokens_in=said.input_tokens or 0,
        tokens_out=said.output_tokens or 0,
        fresh_in=said.input_tokens or 0,
        cache_read=said.cache_read_input_tokens or 0,
        cache_write=written,
        cache_write_1h=min(hour, written),
        reasoning_out=(said.output_tokens_details.thinking_tokens or 0) if said.output_tokens_details else 0,
        web_searches=(said.server_tool_use.web_search_requests or 0) if said.server_tool_use else 0,
        raw=verbatim(raw),
    )


def _merged(before: bytes, after: bytes) -> bytes:
    if not before:
        return after
    try:
        old, new = _decode_members(before), _decode_members(after)
    except DecodeError:
        return after
    return encode({**old, **{key: value for key, value in new.items() if value is not None}})
