"""Takes the frame with the usage of a chat out of its stream again, where the client did not ask for it."""

import re

from penstock.core.budget import SMALL, Allowance
from penstock.core.codec import DecodeError, Raw, Struct, decoder
from penstock.model.reply import Reading
from penstock.providers.dialects._shapes.values import NOTHING, is_object
from penstock.providers.dialects.openai_chat.usage import has_no_choice, has_usage
from penstock.wire.sse import Events, Piece, data_of, split


class _UsageChunk(Struct):
    choices: Raw = NOTHING
    usage: Raw = NOTHING


_decode = decoder(_UsageChunk).decode
_NO_CHOICES = re.compile(rb'"choices"\s{0,99}:\s{0,99}\[\s{0,99}\]')
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
            chunk = _decode(data_of(event))
        except DecodeError:
            return False
        return has_no_choice(chunk.choices) and is_object(chunk.usage)


def _may_be_usage_frame(events: bytes) -> bool:
    return b'"choices"' in events and has_usage(events) and _NO_CHOICES.search(events) is not None
