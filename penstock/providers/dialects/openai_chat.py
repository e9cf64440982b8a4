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
    choices: Raw = NOTHING
    object: Raw = NOTHING
    message: Raw = NOTHING
    detail: Raw = NOTHING
    x_groq: Raw = NOTHING


class _Error(Struct):
    error: Raw = NOTHING


class _Choice(_Error):
    index: Raw = NOTHING
    finish_reason: Raw = NOTHING


class _Options(Struct):
    include_usage: Raw = NOTHING


class _UsageChunk(Struct):
    choices: Raw = NOTHING
    usage: Raw = NOTHING


_decode_answer = decoder(_Answer).decode
_decode_answers = decoder(list[_Answer]).decode
_decode_choices = decoder(list[_Choice]).decode
_decode_error = decoder(_Error).decode
_decode_options = decoder(_Options).decode
_decode_usage_chunk = decoder(_UsageChunk).decode
_MEMBERS = (b"model", b"usage", b"error", b"service_tier")

# a finish reason: within a text its quotes would be escaped
_FINISH = re.compile(rb'"finish_reason"\s{0,99}:\s{0,99}"[^"]')
_DONE = b"[DONE]"
_FAILURES = ("error", "insufficient_system_resource")  # finish reasons
_LATER = re.compile(rb'"index"\s{0,9}:\s{0,9}([1-9][0-9]{0,3})')  # of a choice, or of a call of a tool
_COUNTS = re.compile(rb'_tokens"\s{0,9}:\s{0,9}[1-9]')


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
        answer = _shapes.read(body, _decode_answer, _MEMBERS)
        if answer is None:
            return _told(_listed(body))
        told = _told(answer)
        if not told.error and (b'"error"' in body or b'"insufficient_system_resource"' in body):
            told.error = any(map(_failed, _choices(answer)))
        return told

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
    """The last usage object that has a count in it is the answer's: some report a growing one on every chunk, most a
    null until the end.

    The stream has ended with ``[DONE]``, or when each choice has its finish reason.
    """

    __slots__ = ("_done", "_ended", "_finished", "_last", "_refrain", "_told")

    def __init__(self) -> None:
        self._told = Reported()
        self._done = False
        self._ended = False
        self._finished: set[int] = set()  # indices of choices
        self._last = 0  # index of a choice
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
        chunks = data.count(b'"choices":[{"index":0')
        if (not chunks or chunks < data.count(b"\n\n") or chunks < data.count(b'"index"')) and self._has_more(data):
            return False
        self._refrain.learn(data)
        return True

    def _has_more(self, data: bytes) -> bool:
        """Whether there is an event that is no chunk, or a choice that has not been seen."""
        chunks = data.count(b'"choices"')
        if not chunks or chunks < data.count(b"\n\n"):
            return True
        return any(int(at[1]) > self._last for at in _LATER.finditer(data))

    def event(self, data: bytes) -> None:
        """Takes one SSE event, with or without its blank line. Never raises."""
        if self.dull(data):
            return
        told = self._told
        told.error = told.error or _shapes.is_error_event(data)
        for piece in _shapes.pieces(data):
            if piece.strip() == _DONE:
                self._done = self._ended = True
            elif (chunk := _shapes.read(piece, _decode_answer, _MEMBERS) or _listed(piece)) is not None:
                if _FINISH.search(piece) or _LATER.search(piece) or b'"error"' in piece:
                    self._take(_choices(chunk))
                told.model = name(chunk.model) or told.model
                told.tier = name(chunk.service_tier) or told.tier
                told.error = told.error or _is_error(chunk)
                if present(chunk.usage):
                    raw, unread = usage_of(chunk.usage)
                    if unread or not told.raw or _COUNTS.search(raw):
                        told.raw, told.unread = raw, unread

    def _take(self, choices: list[_Choice]) -> None:
        for choice in choices:
            index = _index(choice.index)
            self._last = max(self._last, index)
            if name(choice.finish_reason):
                self._finished.add(index)
            self._told.error = self._told.error or _failed(choice)
        self._ended = self._done or len(self._finished) > self._last

    def reported(self) -> Reported:
        """What the stream has said of itself so far."""
        self._told.complete = self._ended
        return self._told


def _choices(answer: _Answer) -> list[_Choice]:
    return (_shapes.items_of(answer.choices, _decode_choices) or []) if len(answer.choices) else []


def _index(raw: Raw) -> int:
    text = bytes(raw) if len(raw) <= _DIGITS else b""
    return int(text) if text.isdigit() else 0


_DIGITS = 4  # of the index of a choice


def _failed(choice: _Choice) -> bool:
    return present(choice.error) or name(choice.finish_reason) in _FAILURES


def _listed(body: bytes) -> _Answer | None:
    """The one object of a short list, as which some tell an error."""
    try:
        answers = _decode_answers(body) if len(body) <= _shapes.SHORT else []
    except DecodeError:
        return None
    return answers[0] if answers else None


_LOOKS = 16  # events of one stream that may be the frame that was asked for: a provider sends one
_SPARE = 4096  # bytes of an event that is not complete which nobody counts


class HideUsage:
    """A stage that takes out the usage frame that the client did not ask for: no choice, and a usage object.

    A last frame that carries choices and usage stays, as does everything else, byte for byte. An event that is not
    complete yet is held back until it is, as far as the ``room`` has room for it. ``reading`` has seen every frame
    before it comes here. After a few events that looked like the frame, all others are handed on unseen.
    """

    __slots__ = ("_events", "_held", "_looks", "_reading", "_room")

    def __init__(self, reading: Reading, room: Allowance) -> None:
        self._events = Events()
        self._reading = reading
        self._room = room
        self._held = 0
        self._looks = _LOOKS

    def feed(self, data: bytes) -> bytes:
        """Takes a frame; returns what may go on now."""
        events = self._events
        if not events.holding and (
            self._reading.dull or not self._looks or (data.endswith(b"\n\n") and b'"usage"' not in data)
        ):
            return data
        told = b"".join(map(self._without_usage_frames, events.feed(data)))
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
        return self._without_usage_frames(self._events.rest())

    def close(self, _: object = None) -> None:
        """The call has ended."""
        self._room.give(self._held)
        self._held = 0

    def _without_usage_frames(self, block: bytes) -> bytes:
        if type(block) is Piece or not self._looks or not _may_be_usage_frame(block):
            return block
        return b"".join([event for event in split(block) if not self._is_usage_frame(event)])

    def _is_usage_frame(self, event: bytes) -> bool:
        if not self._looks or not _may_be_usage_frame(event):
            return False
        self._looks -= 1
        try:
            chunk = _decode_usage_chunk(data_of(event))
        except DecodeError:
            return False
        return _NO_CHOICE.fullmatch(chunk.choices) is not None and bytes(memoryview(chunk.usage)[:1]) == b"{"


def _told(answer: _Answer | None) -> Reported:
    if answer is None:
        return Reported(unread="the answer is no JSON object, or its beginning and end do not show it")
    raw, unread = usage_of(answer.usage)
    error = _is_error(answer) or (not raw and not unread and _NO_CHOICE.fullmatch(answer.choices) is not None)
    return Reported(name(answer.model), raw, error, tier=name(answer.service_tier), unread=unread)


def _is_error(answer: _Answer) -> bool:
    """Whether an answer, or a chunk, is an error in one of the forms that providers give it."""
    if len(answer.error) and present(answer.error):
        return True
    if len(answer.choices):
        return len(answer.x_groq) > 0 and present(_error_in(answer.x_groq))
    if len(answer.usage):
        return False
    return bytes(answer.object) == b'"error"' or present(answer.message) or present(answer.detail)


def _error_in(raw: Raw) -> Raw:
    try:
        return _decode_error(short(raw)).error
    except DecodeError:
        return NOTHING


def _has_usage(event: bytes) -> bool:
    """Whether a chunk may carry a usage object: the word is there, other than once and with a null."""
    if b'"usage"' not in event:
        return False
    return b'"usage":null' not in event or event.count(b'"usage"') > 1


_NO_CHOICE = re.compile(rb"\[\s{0,99}\]")
_NO_CHOICES = re.compile(rb'"choices"\s{0,99}:\s{0,99}\[\s{0,99}\]')


def _may_be_usage_frame(events: bytes) -> bool:
    return b'"choices"' in events and _has_usage(events) and _NO_CHOICES.search(events) is not None


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
    up (None) after a few, or where the name is written with escapes. Of a large body this is tried in the edges, as
    nothing else of it is read.
    """
    pattern = re.compile(rb'"stream_options"\s{0,99}:\s{0,99}' + re.escape(old))
    cut = _shapes.EDGE if len(body) > _shapes.WHOLE else len(body)
    head, tail = body[:cut], body[max(cut, len(body) - cut) :]
    for edge, offset in ((head, 0), (tail, len(body) - len(tail))):
        for _, match in zip(range(_TRIES), pattern.finditer(edge), strict=False):
            begin, end = match.end() - len(old), match.end()
            put = edge[:begin] + new + edge[end:]
            ask = _shapes.ask_of_edges(head, put) if offset else _shapes.ask_of_edges(put, tail)
            if ask is not None and bytes(ask.stream_options) == new:
                rest = memoryview(body)  # a large body is copied once
                return b"".join((rest[: offset + begin], new, rest[offset + end :]))
    return None
