"""Streams of events, read as they come."""

from penstock.core.budget import Allowance
from penstock.core.turns import Turns
from penstock.model.usage import Reported
from penstock.providers.dialects import Dialect
from penstock.providers.reading.base import (
    AT_ONCE,
    CORRUPT,
    LOST,
    NO_ROOM,
    NOT_KEPT,
    READ_LIMIT,
    TOO_LARGE,
    TOO_MUCH,
    Reading,
)
from penstock.wire.framing import Cutter
from penstock.wire.sse import Events, Piece, many_lines, split

EVENTS = 250_000  # of one stream that are looked into, and
FEW = 4096  # of one that is much smaller encoded, but for
_SPARSE = 8  # encoded bytes for each further one
_SPARE = 4096  # bytes of an event that is not complete which nobody counts: most are small, and soon complete
_BLOCK = 4096  # bytes of the budget that are taken at once for what is kept of a stream
_BLANK = 7  # bytes of an event that is too short to say anything


class Stream(Reading):
    """A stream of events, read as they come. ``cutter`` cuts it into them, whatever it is framed in."""

    __slots__ = ("_ahead", "_amid", "_copy", "_count", "_dull", "_events", "_held", "_reader", "_whole")

    def __init__(
        self, dialect: Dialect, coding: bytes, keep: int, room: Allowance, turns: Turns, cutter: type[Cutter] = Events
    ) -> None:
        self._events, self._copy = cutter(READ_LIMIT), None
        self._whole = self._events.whole
        super().__init__(coding, keep, room, turns)
        self._reader = dialect.reader()
        self._dull = self._reader.dull
        self._amid = False  # of an event
        self._held = 0  # bytes, taken of the budget, of an event that is not complete
        self._count = 0  # events looked into
        self._copy = bytearray() if keep and self._reads else None
        self._ahead = 0  # bytes that it may grow by: taken of the budget in blocks

    def keep_nothing(self) -> None:
        super().keep_nothing()
        self._copy = None

    def feed(self, data: bytes) -> bytes:
        """A frame of the answer, as it travels."""
        self.size += len(data)
        self.dull = False
        if self._reads:
            if self._decoder is not None:
                self._decode(data)
            elif len(data) <= AT_ONCE:
                self._read(data)
            else:
                self._wait(data)
        return data

    def reported(self) -> Reported:
        super().reported()
        self.kept = self._copy
        if self._reads and (rest := self._events.rest()) and type(rest) is not Piece:
            self._reader.event(rest)  # many a stream ends without its last blank line
        told = self._reader.reported()
        if self.fault in LOST:
            told = Reported(told.model, error=told.error, complete=told.complete or not self._reads, lost=True)
        return told

    def _read(self, data: bytes) -> None:
        if self._copy is not None:
            if len(data) <= self._ahead:
                self._ahead -= len(data)
                self._copy += data
            else:
                self._keep_up(self._copy, data)
        if not self._amid and data.endswith(self._whole):
            self.dull = dull = self._dull(data)
            if not dull:
                self._look(data)
        else:
            self._cut(data)

    def _cut(self, data: bytes) -> None:
        """Reads what is not just whole events."""
        events = self._events
        for block in events.feed(data):
            if type(block) is Piece:
                self.fault = TOO_LARGE if isinstance(events, Events) else CORRUPT
            elif not self._dull(block):
                self._look(block)
        if not self._reads:
            return
        self._amid = events.holding
        held = max(0, events.held - _SPARE)
        if held <= self._held:
            self._room.give(self._held - held)
            self._taken -= self._held - held
        elif not (self._hold(held - self._held) or (self._forgo() and self._hold(held - self._held))):
            self._stop(NO_ROOM)
            return
        self._held = held

    def _stop(self, fault: str = "") -> None:
        super()._stop(fault)
        self._copy = None
        self._events.rest()
        self._held = 0

    def _look(self, block: bytes) -> None:
        """Reads events, one by one."""
        found = [event for event in split(block) if len(event) > _BLANK]
        self._count += len(found)
        if self._count > FEW and self._count > min(EVENTS, FEW + self.size // _SPARSE):
            self._stop(TOO_MUCH)
            return
        for event in found:
            if many_lines(event):
                self.fault = TOO_LARGE
            else:
                self._reader.event(event)

    def _keep_up(self, copy: bytearray, data: bytes) -> None:
        size = len(copy) + len(data)
        need, more = len(data) - self._ahead, min(_BLOCK, self._keep - size)
        if more >= 0 and self._hold(need + more):
            self._ahead = more
        elif more >= 0 and self._hold(need):
            self._ahead = 0
        else:
            self._forgo(NOT_KEPT if more >= 0 else self.fault)  # no fault: it is larger than may be kept at all
            return
        copy += data

    def _forgo(self, fault: str = NOT_KEPT) -> bool:
        copy = self._copy
        if copy is None:
            return False
        self.fault = fault
        self._room.give(len(copy) + self._ahead)
        self._taken -= len(copy) + self._ahead
        self._copy = None
        return True
