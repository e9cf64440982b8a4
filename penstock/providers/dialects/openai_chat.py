"""OpenAI chat completions, and the many who speak it too."""

import re
from typing import Any

from penstock.core.budget import SMALL, Allowance
from penstock.core.codec import DecodeError, Raw, Struct, decode, decoder, encode
from penstock.core.errors import PenstockError
from penstock.model.reply import Reading
from penstock.model.usage import Asked, Reported, Usage
from penstock.providers.dialects import _shapes
from penstock.providers.dialects._shapes import NOTHING, name, openai_usage, present, service_tier
from penstock.wire.sse import Events, Piece, Refrain, data_of, split


class _Answer(Struct):
    """An answer, and a chunk of a streamed one."""

    model: Any = ""
    usage: Raw = NOTHING
    error: Raw = NOTHING
    service_tier: Any = ""


class _Options(Struct):
    include_usage: Any = None


class _UsageChunk(Struct):
    choices: Any = None
    usage: Raw = NOTHING


# a finish reason: within a text its quotes would be escaped
_FINISH = re.compile(rb'"finish_reason"\s*:\s*"[^"]')

_decode_answer = decoder(_Answer).decode
_decode_options = decoder(_Options).decode
_decode_usage_chunk = decoder(_UsageChunk).decode


class OpenAIChat:
    """The dialect."""

    name = "openai_chat"
    asks = True

    def asked(self, body: bytes) -> Asked:
        """What a request body asks for."""
        try:
            ask = _shapes.decode_ask(body)
        except DecodeError:
            return Asked()
        stream = ask.stream is True
        return Asked(name(ask.model), stream, stream and _includes_usage(ask.stream_options) is True)

    def reported(self, body: bytes) -> Reported:
        """What a complete, decoded answer says of itself."""
        try:
            answer = _decode_answer(body)
        except DecodeError:
            return Reported("", None)
        usage = openai_usage(bytes(answer.usage))
        return Reported(name(answer.model), usage, present(answer.error), service_tier(answer.service_tier))

    def reader(self) -> "OpenAIChatReader":
        """A reader for one streamed answer."""
        return OpenAIChatReader()

    def ask_usage(self, body: bytes) -> bytes | None:
        """The body of a stream with ``stream_options.include_usage`` set, where its client did not set it.

        Without ``stream_options`` the member is written after the opening brace; into an object without
        ``include_usage``, likewise; every other byte stays. An object with ``include_usage: false`` is written anew
        (its members and their order stay): that client did not ask for the frame, and will not see it. Anything else
        there is the provider's to refuse.
        """
        try:
            ask = _shapes.decode_ask(body)
        except DecodeError:
            return None
        if ask.stream is not True:
            return None
        options = bytes(ask.stream_options)
        if not options:
            return body.replace(b"{", b'{"stream_options":{"include_usage":true},', 1)
        asking = _asking(options)
        return None if asking is None else _put(body, options, asking)

    def error_frame(self, error: PenstockError) -> bytes:
        """The frame that tells the client of a stream that it broke; complete with its blank line."""
        told = {"message": error.message, "type": "server_error", "param": None, "code": str(error.code)}
        return b"data: " + encode({"error": told}) + b"\n\n"


class OpenAIChatReader:
    """The last usage object counts: some report a growing one on every chunk, most a null until the end."""

    __slots__ = ("_ended", "_error", "_model", "_refrain", "_tier", "_usage")

    def __init__(self) -> None:
        self._model = ""
        self._tier = ""
        self._usage = b""
        self._error = False
        self._ended = False
        self._refrain = Refrain(b'"content":"')

    def dull(self, data: bytes) -> bool:
        """Whether no event in ``data`` says anything new."""
        if self._refrain.recognises(data):
            return True
        if b"{" not in data:  # no chunk: the end, or the name of an event
            return b"[DONE]" not in data and b"error" not in data
        if not self._model or _has_usage(data) or b'"error"' in data or b"event:" in data:
            return False
        if not self._ended and (_FINISH.search(data) or b"[DONE]" in data):
            return False
        self._refrain.learn(data)
        return True

    def event(self, data: bytes) -> None:
        """Takes one SSE event, with or without its blank line. Never raises."""
        if self.dull(data):
            return
        self._error = self._error or _shapes.is_error_event(data)
        self._ended = self._ended or data_of(data) == b"[DONE]" or _FINISH.search(data) is not None
        try:
            chunk = _decode_answer(data_of(data))
        except DecodeError:
            return
        self._model = name(chunk.model) or self._model
        self._tier = service_tier(chunk.service_tier) or self._tier
        self._error = self._error or present(chunk.error)
        if present(chunk.usage):
            self._usage = bytes(chunk.usage)

    def reported(self) -> Reported:
        """What the stream has said of itself so far."""
        usage: Usage | None = openai_usage(self._usage) if self._usage else None
        return Reported(self._model, usage, self._error, self._tier, self._ended)


_SPARE = 4096  # bytes of an event that is not complete which nobody counts


class HideUsage:
    """A stage that takes out the usage frame that the client did not ask for: no choice, and a usage object.

    A last frame that carries choices and usage stays, as does everything else, byte for byte. An event that is not
    complete yet is held back until it is, as far as the ``room`` has room for it. ``reading`` has seen every frame
    before it comes here.
    """

    __slots__ = ("_events", "_held", "_reading", "_room")

    def __init__(self, reading: Reading, room: Allowance) -> None:
        self._events = Events()
        self._reading = reading
        self._room = room
        self._held = 0

    def feed(self, data: bytes) -> bytes:
        """Takes a frame; returns what may go on now."""
        events = self._events
        if not events.holding and (self._reading.dull or (data.endswith(b"\n\n") and b'"usage"' not in data)):
            return data
        told = b"".join(map(_without_usage_frames, events.feed(data)))
        held = max(0, events.held - _SPARE)
        if held > self._held and not self._room.try_take(held - self._held, small=held <= SMALL):
            told += events.rest()
            held = 0
        if held < self._held:
            self._room.give(self._held - held)
        self._held = held
        return told

    def end(self) -> bytes:
        """What was held back."""
        return _without_usage_frames(self._events.rest())

    def close(self, _: object = None) -> None:
        """The call has ended."""
        self._room.give(self._held)
        self._held = 0


def _without_usage_frames(block: bytes) -> bytes:
    if type(block) is Piece or not _may_hold_usage_frame(block):
        return block
    return b"".join([event for event in split(block) if not _is_usage_frame(event)])


def _may_hold_usage_frame(block: bytes) -> bool:
    return _has_usage(block) and b'"choices"' in block


def _has_usage(event: bytes) -> bool:
    """Whether a chunk may carry a usage object: the word is there, other than once and with a null."""
    if b'"usage"' not in event:
        return False
    return b'"usage":null' not in event or event.count(b'"usage"') > 1


def _is_usage_frame(event: bytes) -> bool:
    if not _may_hold_usage_frame(event):
        return False
    try:
        chunk = _decode_usage_chunk(data_of(event))
    except DecodeError:
        return False
    return chunk.choices == [] and bytes(chunk.usage).startswith(b"{")


def _includes_usage(options: Raw) -> object:
    try:
        return _decode_options(options).include_usage
    except DecodeError:
        return None


def _asking(options: bytes) -> bytes | None:
    """A ``stream_options`` object with ``include_usage`` set; None where it is set already, or is no such object."""
    try:
        said = decode(options)
    except DecodeError:
        return None
    if not isinstance(said, dict):
        return None
    if "include_usage" not in said:
        return options.replace(b"{", b'{"include_usage":true,' if said else b'{"include_usage":true', 1)
    if said["include_usage"] is not False:
        return None
    said["include_usage"] = True
    return encode(said)


def _options_of(body: bytes) -> bytes:
    """Empty where the body is no JSON: what was replaced stood within a text."""
    try:
        return bytes(_shapes.decode_ask(body).stream_options)
    except DecodeError:
        return b""


_TRIES = 8


def _put(body: bytes, old: bytes, new: bytes) -> bytes | None:
    """The body with its own ``stream_options`` replaced.

    The name may also occur deeper inside; the replacement that shows when the body is read is the right one. Gives
    up (None) after a few, or where the name is written with escapes.
    """
    at = 0
    for _ in range(_TRIES):
        at = body.find(b'"stream_options"', at)
        if at < 0:
            return None
        begin = body.find(old, at)
        if begin < 0:
            return None
        candidate = body[:begin] + new + body[begin + len(old) :]
        if _options_of(candidate) == new:
            return candidate
        at += 1
    return None
