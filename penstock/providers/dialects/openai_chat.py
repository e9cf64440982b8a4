"""OpenAI chat completions, and the many who speak it too."""

import re

from penstock.core.budget import SMALL, Allowance
from penstock.core.codec import DecodeError, Raw, Struct, decode, decoder, encode
from penstock.core.errors import PenstockError
from penstock.model.reply import Reading
from penstock.model.usage import Asked, Reported
from penstock.providers.dialects import _shapes
from penstock.providers.dialects._shapes import NOTHING, OPENAI_FIGURES, is_true, name, present, short, usage_of
from penstock.wire.sse import Events, Piece, Refrain, data_of, split


class _Answer(Struct):
    """An answer, and a chunk of a streamed one."""

    model: Raw = NOTHING
    usage: Raw = NOTHING
    error: Raw = NOTHING
    service_tier: Raw = NOTHING


class _Options(Struct):
    include_usage: Raw = NOTHING


class _UsageChunk(Struct):
    choices: Raw = NOTHING
    usage: Raw = NOTHING


_decode_answer = decoder(_Answer).decode
_decode_options = decoder(_Options).decode
_decode_usage_chunk = decoder(_UsageChunk).decode
_MEMBERS = (b"model", b"usage", b"error", b"service_tier")

# a finish reason: within a text its quotes would be escaped
_FINISH = re.compile(rb'"finish_reason"\s{0,99}:\s{0,99}"[^"]')
_DONE = b"[DONE]"


class OpenAIChat:
    """The dialect."""

    name = "openai_chat"
    asks = True
    figures = OPENAI_FIGURES

    def asked(self, body: bytes) -> Asked:
        """What a request body asks for."""
        ask = _shapes.ask_of(body)
        if ask is None:
            return Asked()
        stream = is_true(ask.stream)
        return Asked(name(ask.model), stream, stream and _includes_usage(ask.stream_options))

    def reported(self, body: bytes) -> Reported:
        """What a complete, decoded answer says of itself."""
        return _told(_shapes.read(body, _decode_answer, _MEMBERS))

    def reported_edges(self, head: bytes, tail: bytes) -> Reported:
        """The same of an answer of which only the beginning and the end are here."""
        return _told(_shapes.read_edges(head, tail, _decode_answer, _MEMBERS))

    def reader(self) -> "OpenAIChatReader":
        """A reader for one streamed answer."""
        return OpenAIChatReader()

    def ask_usage(self, body: bytes) -> bytes | None:
        """The body of a stream with ``stream_options.include_usage`` set, where its client did not set it.

        Without ``stream_options`` the member is written after the opening brace; into an object without
        ``include_usage``, likewise; every other byte stays. Null, and an object with ``include_usage: false``, are
        written anew (members and their order stay): that client did not ask for the frame, and will not see it.
        Anything else there is the provider's to refuse.
        """
        ask = _shapes.ask_of(body)
        if ask is None or not is_true(ask.stream):
            return None
        if not len(ask.stream_options):
            if len(body) > _shapes.WHOLE and b'"stream_options"' in body:
                return None  # it stands where a large body is not looked at
            after = body.index(b"{") + 1
            rest = memoryview(body)  # a large body is copied once
            return b"".join((rest[:after], b'"stream_options":{"include_usage":true},', rest[after:]))
        options = bytes(ask.stream_options) if len(ask.stream_options) <= _shapes.SHORT else b""
        asking = _asking(options)
        return None if asking is None else _put(body, options, asking)

    def error_frame(self, error: PenstockError) -> bytes:
        """The frame that tells the client of a stream that it broke; complete with its blank line."""
        told = {"message": error.message, "type": "server_error", "param": None, "code": str(error.code)}
        return b"data: " + encode({"error": told}) + b"\n\n"


class OpenAIChatReader:
    """The last usage object counts: some report a growing one on every chunk, most a null until the end."""

    __slots__ = ("_ended", "_refrain", "_told")

    def __init__(self) -> None:
        self._told = Reported()
        self._ended = False
        self._refrain = Refrain(b'"content":"')

    def dull(self, data: bytes) -> bool:
        """Whether no event in ``data`` says anything new."""
        if self._refrain.recognises(data):
            return True
        if b"{" not in data:  # no chunk: the end, or the name of an event
            return _DONE not in data and b"error" not in data
        if _has_usage(data) or b'"error"' in data or b"event:" in data or (not self._told.model and b'"model"' in data):
            return False
        if not self._ended and (_FINISH.search(data) or _DONE in data):
            return False
        self._refrain.learn(data)
        return True

    def event(self, data: bytes) -> None:
        """Takes one SSE event, with or without its blank line. Never raises."""
        if self.dull(data):
            return
        told = self._told
        told.error = told.error or _shapes.is_error_event(data)
        for piece in _shapes.pieces(data):
            if piece.strip() == _DONE:
                self._ended = True
            elif (chunk := _shapes.read(piece, _decode_answer, _MEMBERS)) is not None:
                self._ended = self._ended or _FINISH.search(piece) is not None
                told.model = name(chunk.model) or told.model
                told.tier = name(chunk.service_tier) or told.tier
                told.error = told.error or present(chunk.error)
                if present(chunk.usage):
                    told.raw, told.unread = usage_of(chunk.usage)

    def reported(self) -> Reported:
        """What the stream has said of itself so far."""
        self._told.complete = self._ended
        return self._told


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


def _told(answer: _Answer | None) -> Reported:
    if answer is None:
        return Reported(unread="the answer is no JSON object, or its beginning and end do not show it")
    raw, unread = usage_of(answer.usage)
    return Reported(name(answer.model), raw, present(answer.error), tier=name(answer.service_tier), unread=unread)


def _has_usage(event: bytes) -> bool:
    """Whether a chunk may carry a usage object: the word is there, other than once and with a null."""
    if b'"usage"' not in event:
        return False
    return b'"usage":null' not in event or event.count(b'"usage"') > 1


_NO_CHOICE = re.compile(rb"\[\s{0,99}\]")


def _is_usage_frame(event: bytes) -> bool:
    if not _may_hold_usage_frame(event):
        return False
    try:
        chunk = _decode_usage_chunk(data_of(event))
    except DecodeError:
        return False
    return _NO_CHOICE.fullmatch(chunk.choices) is not None and bytes(memoryview(chunk.usage)[:1]) == b"{"


def _includes_usage(options: Raw) -> bool:
    try:
        return is_true(_decode_options(short(options)).include_usage)
    except DecodeError:
        return False


def _asking(options: bytes) -> bytes | None:
    """A ``stream_options`` with ``include_usage`` set; None where it is set already, or is neither object nor null."""
    try:
        said = decode(options)
    except DecodeError:
        return None
    if said is None:
        return b'{"include_usage":true}'
    if not isinstance(said, dict):
        return None
    if "include_usage" not in said:
        return options.replace(b"{", b'{"include_usage":true,' if said else b'{"include_usage":true', 1)
    if said["include_usage"] not in (False, None):
        return None
    said["include_usage"] = True
    return encode(said)


_TRIES = 8


def _put(body: bytes, old: bytes, new: bytes) -> bytes | None:
    """The body with its own ``stream_options`` replaced.

    The same may also stand deeper inside; the replacement that shows when the body is read is the right one. Gives
    up (None) after a few, or where the name is written with escapes.
    """
    places = re.finditer(rb'"stream_options"\s{0,99}:\s{0,99}' + re.escape(old), body)
    for _, match in zip(range(_TRIES), places, strict=False):
        candidate = body[: match.end() - len(old)] + new + body[match.end() :]
        ask = _shapes.ask_of(candidate)
        if ask is not None and bytes(ask.stream_options) == new:
            return candidate
    return None
