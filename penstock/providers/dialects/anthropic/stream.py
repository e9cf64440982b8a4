"""A stream of Anthropic messages, read event by event: its model, its usage, and whether it is whole."""

import re

from penstock.core.codec import DecodeError, Raw, decoder, encode
from penstock.model.usage import Reported
from penstock.providers.dialects._shapes.bodies import read
from penstock.providers.dialects._shapes.events import pieces
from penstock.providers.dialects._shapes.values import SHORT, TOO_LONG, is_object, name, present, short, usage_of
from penstock.providers.dialects.anthropic.shapes import Growing, Message, decode_growing, decode_message

_decode_members = decoder(dict[str, Raw]).decode


class Reader:
    """``message_start`` has the model and the input, each ``message_delta`` the figures that have grown since.

    The figures are cumulative, so a later one replaces an earlier one: the last of each is kept, and put into the
    start's object at the end. Of a stream that ended early, what had been said until then is reported: the input in
    full, the output too low (``growing``).
    """

    __slots__ = ("_grown", "_told")

    def __init__(self) -> None:
        self._told = Reported(complete=False)  # its ``raw`` is the start's object
        self._grown: dict[str, bytes] = {}

    def dull(self, data: bytes) -> bool:
        """Whether ``data`` holds pieces of the answer alone."""
        return b'"message_' not in data and b'"error"' not in data

    def event(self, data: bytes) -> None:
        """Takes one SSE event, with or without its blank line. Never raises."""
        if self.dull(data):
            return
        told = self._told
        for piece in pieces(data):
            if (event := read(piece, decode_message, ())) is None:
                continue
            kind = name(event.type)
            told.complete = told.complete or kind == "message_stop"
            told.error = told.error or kind == "error" or present(event.error)
            if is_object(event.message):
                self._start(decode_message(event.message))
            if present(event.usage):
                self._grow(event.usage)

    def reported(self) -> Reported:
        """What the stream has said of itself so far."""
        told = self._told
        if self._grown:
            told.raw = _merged(told.raw, self._grown)
            told.growing, self._grown = told.growing and "output_tokens" not in self._grown, {}
            if len(told.raw) > SHORT:
                told.raw, told.unread = b"", TOO_LONG
        return told

    def _start(self, message: Message) -> None:
        self._told.model = name(message.model) or self._told.model
        if present(message.usage):
            self._told.raw, self._told.unread = usage_of(message.usage)
            self._told.growing = True

    def _grow(self, usage: Raw) -> None:
        if not (text := short(usage)):
            _, self._told.unread = usage_of(usage)
            return
        try:
            grown = decode_growing(text)
        except DecodeError:
            return
        for member in _GROWING:
            if present(value := getattr(grown, member)):
                self._grown[member] = _fuller(self._grown.get(member), bytes(value))


_GROWING = Growing.__struct_fields__


def _merged(start: bytes, grown: dict[str, bytes]) -> bytes:
    try:
        members = _decode_members(start) if start else {}
    except DecodeError:
        members = {}
    return encode({**members, **{name: Raw(_fuller(members.get(name), value)) for name, value in grown.items()}})


_FIGURE = re.compile(rb":\s{0,9}(?!0\s{0,9}[,}]|null|\{|\[)\S")


def _fuller(old: bytes | Raw | None, new: bytes) -> bytes:
    """The newer of two values of a member, unless it is empty: figures grow."""
    empty = new == b"0" or (new.startswith((b"{", b"[")) and _FIGURE.search(new) is None)
    return bytes(old) if empty and old is not None and present(Raw(old)) else new
