"""A streamed answer as one JSON object: its chunks, and the message that they make together.

Chunks are passed on as they are written: a stored stream may hold millions of values. What they make together is told
by the dialect they are in.
"""

from typing import Any

from penstock.core.codec import verbatim
from penstock.providers.dialects import DONE, message_of
from penstock.wire.framing import Cutter
from penstock.wire.sse import Events, Piece, data_of, many_lines, split

EVENTS = 150_000  # of one stream; one that has more, or an event of many lines, is shown as it came
_SLICE = 64 * 1024  # bytes that are cut in one go, which keeps all other threads waiting


class TooMany(Exception):
    """The stream has more events, or one of its events more lines, than can be shown as JSON; or it is corrupt."""


def as_json(body: bytes, cutter: type[Cutter] = Events) -> dict[str, Any]:
    """``streamed_data``: what each event carried (JSON, or else its text); ``message``, where it can be told.

    Values are ready to be encoded, not to be read. Raises TooMany.
    """
    events = _events(body, cutter)
    chunks = [data for event in events if (data := data_of(event)) and data not in DONE]
    shown: dict[str, Any] = {"streamed_data": [verbatim(chunk) for chunk in chunks]}
    if (message := message_of(chunks)) is not None:
        shown["message"] = message
    return shown


def _events(body: bytes, cutter: type[Cutter]) -> list[bytes]:
    cut, events = cutter(max(1, len(body))), list[bytes]()
    for at in range(0, len(body), _SLICE):
        for block in cut.feed(body[at : at + _SLICE]):
            if type(block) is Piece:
                raise TooMany
            events += split(block)
        if len(events) > EVENTS:
            raise TooMany
    if type(rest := cut.rest()) is not Piece:
        events.append(rest)
    if any(map(many_lines, events)):
        raise TooMany
    return events
